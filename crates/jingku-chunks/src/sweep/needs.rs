//! What writers and holders need, as far as they have told.

use std::collections::HashSet;
use std::sync::Arc;

use crate::backend::{Backend, ClaimWatch};
use crate::error::Result;
use crate::id::{ChunkId, ManifestId};
use crate::key::Key;

/// Watches claims, and remembers the manifests among what was claimed. They are few.
pub(super) struct Needs {
    watch: Box<dyn ClaimWatch>,
    held: HashSet<ManifestId>,
}

impl Needs {
    pub(super) fn watch(backend: &Arc<dyn Backend>) -> Result<Self> {
        Ok(Self { watch: backend.watch_claims()?, held: HashSet::new() })
    }

    /// Keeps claims from growing, and tells the chunks that were claimed since the last time.
    ///
    /// What is live must be asked *after* this: a claim that has ended is not told, but what it was for is on record.
    pub(super) fn hold(&mut self, claimed: &mut dyn FnMut(ChunkId)) -> Result<()> {
        self.watch.hold(&mut |key| match key {
            Key::Chunk(id) => claimed(id),
            Key::Manifest(id) => drop(self.held.insert(id)),
            Key::Suspect(_) => {}
        })
    }

    pub(super) fn release(&mut self) {
        self.watch.release();
    }

    pub(super) fn held_manifests(&self) -> impl Iterator<Item = ManifestId> {
        self.held.iter().copied()
    }
}
