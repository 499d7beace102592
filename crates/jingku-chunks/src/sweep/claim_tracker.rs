//! What writers and holders need, as far as they have told.

use std::collections::HashSet;
use std::sync::Arc;

use crate::backend::{Backend, ClaimWatch};
use crate::error::Result;
use crate::id::{ChunkId, ManifestId};
use crate::key::Key;

/// Watches claims, and remembers the manifests among what was claimed. They are few.
pub(super) struct ClaimTracker {
    watch: Box<dyn ClaimWatch>,
    manifests: HashSet<ManifestId>,
}

impl ClaimTracker {
    pub(super) fn start(backend: &Arc<dyn Backend>) -> Result<Self> {
        Ok(Self { watch: backend.watch_claims()?, manifests: HashSet::new() })
    }

    /// Keeps claims from growing, and tells the chunks that were claimed since the last time.
    ///
    /// What is live must be asked *after* this: a claim that has ended is not told, but what it was for is on record.
    pub(super) fn pause(&mut self, claimed: &mut dyn FnMut(ChunkId)) -> Result<()> {
        self.watch.pause(&mut |key| match key {
            Key::Chunk(id) => claimed(id),
            Key::Manifest(id) => drop(self.manifests.insert(id)),
            Key::QuarantineMark(_) => {}
        })
    }

    pub(super) fn resume(&mut self) {
        self.watch.resume();
    }

    pub(super) fn manifests(&self) -> impl Iterator<Item = ManifestId> {
        self.manifests.iter().copied()
    }
}
