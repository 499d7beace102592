//! What writers and guards claim.

use std::collections::HashSet;
use std::sync::Arc;

use crate::backend::{Backend, ClaimWatch};
use crate::error::Result;
use crate::id::{ChunkId, ManifestId};
use crate::key::Key;

/// Watches claims and remembers the claimed manifests, which are few.
pub(super) struct ClaimTracker {
    watch: Box<dyn ClaimWatch>,
    manifests: HashSet<ManifestId>,
}

impl ClaimTracker {
    pub(super) fn start(backend: &Arc<dyn Backend>) -> Result<Self> {
        Ok(Self { watch: backend.watch_claims()?, manifests: HashSet::new() })
    }

    /// Pauses claims and visits the chunks that were claimed since the last call.
    ///
    /// Ask for live manifests *after* this: a claim that has ended is not visited, but its image is in the catalogue.
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
