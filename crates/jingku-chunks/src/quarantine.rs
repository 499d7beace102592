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

/// The marks that existed when a writer began; `None` if there are too many.
pub(crate) struct Quarantine(Option<HashSet<Key>>);

impl Quarantine {
    pub(crate) fn load(backend: &dyn Backend) -> Result<Self> {
        let marks = backend.list_kind(Kind::QuarantineMark, MARKS_MAX)?;
        Ok(Self((marks.len() <= MARKS_MAX).then(|| marks.into_iter().collect())))
    }

    /// Whether a chunk must be verified before it is used.
    pub(crate) fn contains(&self, id: ChunkId) -> bool {
        self.0.as_ref().is_none_or(|marks| marks.contains(&Key::QuarantineMark(id)))
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
