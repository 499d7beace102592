//! The hash state of an uploaded file.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use jingku_protocol::{FileHasher, HashKind};
use jingku_sources::next_stored;

/// Bytes per read when a file is hashed again.
const READ_BYTES: usize = 1 << 20;

/// What is kept of a file between two requests.
pub(super) struct Hashed {
    pub(super) hasher: FileHasher,
    /// Hashed bytes.
    pub(super) at: u64,
}

impl Hashed {
    pub(super) fn is(&self, kind: HashKind, received: u64) -> bool {
        self.at == received && self.hasher.kind() == kind
    }

    /// Hashes the start of a file, or for a sparse hash the part that `state` does not cover. Does not read holes.
    pub(super) fn read(file: &File, length: u64, kind: HashKind, state: Option<&str>) -> io::Result<Self> {
        let resumed = state.filter(|_| kind == HashKind::Sparse);
        let resumed = resumed.and_then(|state| FileHasher::resume(state, length));
        let (mut hasher, mut at) = resumed.unwrap_or_else(|| (FileHasher::new(kind), 0));
        let mut piece = vec![0; READ_BYTES];
        while at < length {
            let data = next_stored(file, at..length)?.unwrap_or(length..length);
            hasher.zeros(data.start - at);
            at = data.start;
            while at < data.end {
                let wanted = usize::try_from(data.end - at).map_or(READ_BYTES, |left| left.min(READ_BYTES));
                file.read_exact_at(&mut piece[..wanted], at)?;
                hasher.update(&piece[..wanted]);
                at += wanted as u64;
            }
        }
        Ok(Self { hasher, at })
    }
}
