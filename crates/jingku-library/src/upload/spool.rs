//! One file on its way in.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};

use jingku_protocol::{FileHasher, HashKind};
use jingku_sources::{SparseWriter, next_stored};

use super::spools::Place;
use crate::error::Internal;
use crate::failpoint;
use crate::room::{MARGIN_BYTES, Room};

/// Read at once when a file is hashed anew.
const READ_BYTES: usize = 1 << 20;
/// How often it is looked whether there is room.
const ROOM_BYTES: u64 = 8 << 20;

/// What is known of a file between two requests.
pub(super) struct Hashed {
    hasher: FileHasher,
    at: u64,
}

impl Hashed {
    fn is(&self, kind: HashKind, received: u64) -> bool {
        self.at == received && self.hasher.kind() == kind
    }
}

/// What the catalogue says has come of a file.
pub struct Acknowledged {
    /// How many bytes.
    pub bytes: u64,
    /// State of the sparse hash of them.
    pub sparse_state: Option<String>,
}

/// A file that one request has for itself.
pub struct Spool {
    /// What is known is there while nothing goes wrong.
    place: Place,
    file: SparseWriter,
    looked_at: u64,
}

impl Spool {
    /// Opens a file, or creates it. What lies beyond what was acknowledged goes; where there is less than that, less has
    /// come. Reads what has come when this process does not know its hash of this kind.
    pub fn open(mut place: Place, acknowledged: &Acknowledged, kind: HashKind) -> Result<Self, Internal> {
        let file = open(&mut place, acknowledged, kind).map_err(Internal::Spool)?;
        let looked_at = place.known.as_ref().map_or(0, |known| known.at);
        Ok(Self { place, file, looked_at })
    }

    /// Tells whether opening a file has to read much of it.
    pub fn must_read(place: &Place, acknowledged: &Acknowledged, kind: HashKind) -> bool {
        let known = place.known.as_ref().is_some_and(|known| known.is(kind, acknowledged.bytes));
        let resumed = kind == HashKind::Sparse && acknowledged.sparse_state.is_some();
        acknowledged.bytes > 0 && !known && !resumed
    }

    /// How many bytes have come.
    pub fn received(&self) -> u64 {
        self.place.known.as_ref().map_or(0, |known| known.at)
    }

    /// The hash of what has come, in hexadecimal.
    pub fn hash(&self) -> String {
        self.place.known.as_ref().map(|known| known.hasher.hash()).unwrap_or_default()
    }

    /// With what the hash is resumed after a restart, if it can be.
    pub fn sparse_state(&self) -> Option<String> {
        self.place.known.as_ref()?.hasher.state()
    }

    /// Appends bytes. Returns `false` when there is no room for them; then none of them has come. After an error it is
    /// not known what has.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let at = self.received();
        if at >= self.looked_at + ROOM_BYTES {
            self.looked_at = at;
            if self.place.room.as_ref().is_some_and(is_used_up) {
                return Ok(false);
            }
        }
        match self.file.append(bytes) {
            Ok(()) => {
                if let Some(known) = &mut *self.place.known {
                    known.hasher.update(bytes);
                    known.at += bytes.len() as u64;
                }
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Ok(false),
            Err(error) => {
                *self.place.known = None;
                Err(error)
            }
        }
    }

    /// Appends zeros.
    pub fn append_zeros(&mut self, count: u64) {
        self.file.skip(count);
        if let Some(known) = &mut *self.place.known {
            known.hasher.zeros(count);
            known.at += count;
        }
    }

    /// Makes durable what has come. Returns how many bytes it takes up.
    pub fn sync(&mut self) -> io::Result<u64> {
        match self.file.sync() {
            Ok(stored_bytes) => {
                failpoint::reached("upload.bytes_durable");
                Ok(stored_bytes)
            }
            Err(error) => {
                *self.place.known = None;
                Err(error)
            }
        }
    }

    /// What may be taken of what is free, in bytes.
    pub fn free_bytes(&self) -> u64 {
        let free = self.place.room.as_ref().and_then(|room| room.free_bytes().ok());
        free.unwrap_or(0).saturating_sub(MARGIN_BYTES)
    }
}

fn open(place: &mut Place, acknowledged: &Acknowledged, kind: HashKind) -> io::Result<SparseWriter> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(&place.path)?;
    let (length, received) = (file.metadata()?.len(), acknowledged.bytes);
    let known = place.known.take().filter(|known| known.is(kind, received) && length >= received);
    let known = if let Some(known) = known {
        known
    } else {
        if let Some(folder) = place.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        // The state is that of all bytes.
        let state = acknowledged.sparse_state.as_deref().filter(|_| length >= received);
        hash(&file, received.min(length), kind, state)?
    };
    file.set_len(known.at)?;
    let at = known.at;
    *place.known = Some(known);
    Ok(SparseWriter::new(file, at))
}

fn is_used_up(room: &Room) -> bool {
    room.free_bytes().is_ok_and(|free| free < MARGIN_BYTES)
}

/// Hashes the start of a file: all of it, or for a sparse hash what `state` does not cover. Holes are not read.
fn hash(file: &File, length: u64, kind: HashKind, state: Option<&str>) -> io::Result<Hashed> {
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
    Ok(Hashed { hasher, at })
}
