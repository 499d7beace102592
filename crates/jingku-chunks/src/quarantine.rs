//! Notes on chunks that were found damaged inside, which a writer could not see from their headers.
//!
//! A note is an empty object under the chunk's name. It says "look before you rely on it", not "this is bad": a note
//! too many costs one read, a note lost costs nothing but that the damage has to be found again.

use std::collections::HashSet;

use crate::backend::{Backend, Existing};
use crate::error::{Error, Result};
use crate::id::ChunkId;
use crate::key::{Key, Kind};

/// The most notes held in memory. With more of them a writer looks at everything: the disk is dying.
const MARKS_MAX: usize = 100_000;

/// The chunks that were noted when a writer began.
#[derive(Debug)]
pub(crate) enum Quarantine {
    These(HashSet<ChunkId>),
    All,
}

impl Quarantine {
    pub(crate) fn load(backend: &dyn Backend) -> Result<Self> {
        let mut these = HashSet::new();
        for prefix in 0..=u8::MAX {
            for key in backend.list(Kind::QuarantineMark, prefix)? {
                if let Key::QuarantineMark(id) = key {
                    these.insert(id);
                }
            }
            if these.len() > MARKS_MAX {
                return Ok(Self::All);
            }
        }
        Ok(Self::These(these))
    }

    pub(crate) fn contains(&self, id: ChunkId) -> bool {
        match self {
            Self::These(these) => these.contains(&id),
            Self::All => true,
        }
    }
}

/// Notes a chunk that could not be read for what its name says, so that the next to store it looks closer.
pub(crate) fn mark(backend: &dyn Backend, id: ChunkId, error: &Error) {
    if matches!(error, Error::Damaged { .. } | Error::Io { .. }) {
        // On a full or failing disk it cannot be noted. Whoever looks again finds it again.
        let _ = backend.put(Key::QuarantineMark(id), &[], Existing::Keep);
    }
}

/// Forgets the note on a chunk that was found good or replaced.
pub(crate) fn unmark(backend: &dyn Backend, id: ChunkId) {
    // One that stays costs a read.
    let _ = backend.delete(Key::QuarantineMark(id));
}
