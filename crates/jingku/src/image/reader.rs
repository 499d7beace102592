//! Where the bytes of an import come from.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use jingku_library::next_stored;

use super::fingerprint::Fingerprint;

/// The most bytes that are read at once.
pub(super) const READ_BYTES: usize = 1 << 20;

pub(super) enum Reader {
    /// It has a length, and may have holes.
    File {
        file: File,
        length: u64,
        fingerprint: Fingerprint,
    },
    Stream(Box<dyn Read + Send>),
}

impl Reader {
    /// Reads up to `limit` bytes at `at`, which a stream has reached, and appends them. A hole appends nothing. Returns how
    /// many bytes were read or skipped: 0 at the end.
    pub(super) fn read(&mut self, at: u64, into: &mut Vec<u8>, limit: u64) -> io::Result<u64> {
        let most = limit.min(READ_BYTES as u64);
        let read = match self {
            Self::File { file, length, .. } => {
                let left = length.saturating_sub(at).min(limit);
                let data = if left == 0 { None } else { next_stored(file, at..at + left)? };
                let hole = data.as_ref().map_or(left, |data| data.start - at);
                if hole > 0 || left == 0 {
                    return Ok(hole);
                }
                file.seek(SeekFrom::Start(at))?;
                file.take(data.map_or(0, |data| data.end - at).min(most)).read_to_end(into)?
            }
            Self::Stream(stream) => stream.take(most).read_to_end(into)?,
        };
        Ok(read as u64)
    }
}
