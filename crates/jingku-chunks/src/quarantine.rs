//! Marks of chunks whose corruption a writer cannot see from their headers.
//!
//! A mark is an empty object under the chunk's name. It means "verify before reuse", not "corrupted": a superfluous
//! mark costs one read, and a lost one only delays the repair.

use std::collections::HashSet;

use crate::backend::{Backend, Existing};
use crate::error::{Error, Result};
use crate::id::ChunkId;
use crate::key::{Key, Kind};

/// The most marks held in memory. With more, a writer verifies everything: the disk is failing.
const MARKS_MAX: usize = 100_000;

/// The chunks that were marked when a writer began.
#[derive(Debug)]
pub(crate) enum Quarantine {
    These(HashSet<Key>),
    All,
}

impl Quarantine {
    pub(crate) fn load(backend: &dyn Backend) -> Result<Self> {
        let mut these = HashSet::new();
        for prefix in 0..=u8::MAX {
            these.extend(backend.list(Kind::QuarantineMark, prefix)?);
            if these.len() > MARKS_MAX {
                return Ok(Self::All);
            }
        }
        Ok(Self::These(these))
    }

    pub(crate) fn contains(&self, id: ChunkId) -> bool {
        match self {
            Self::These(these) => these.contains(&Key::QuarantineMark(id)),
            Self::All => true,
        }
    }
}

/// Marks a chunk that could not be read or verified, so that the next writer of the same content verifies it.
pub(crate) fn mark(backend: &dyn Backend, id: ChunkId, error: &Error) {
    if matches!(error, Error::Damaged { .. } | Error::Io { .. }) {
        // Fails on a full or failing disk. The next reader finds the corruption again.
        let _ = backend.put(Key::QuarantineMark(id), &[], Existing::Keep);
    }
}

/// Removes the mark of a chunk that is intact or was replaced.
pub(crate) fn unmark(backend: &dyn Backend, id: ChunkId) {
    // A mark that stays costs one read.
    let _ = backend.delete(Key::QuarantineMark(id));
}
