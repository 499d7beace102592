//! Manifests that were opened lately, so that a client that asks for many parts of a disk has its manifest read once.

use jingku_chunks::{Manifest, ManifestId, Result, Store};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// The most memory for manifests that are kept open: for those of the largest disk, 32.
const KEPT_BYTES_MAX: u64 = 8 << 20;
/// The most manifests that are kept open.
const KEPT_MAX: usize = 1024;

/// Manifests that were opened and are kept in memory.
pub(crate) struct OpenManifests(Cache<ManifestId, Manifest, Weight>);

#[derive(Clone)]
struct Weight;

impl Weighter<ManifestId, Manifest> for Weight {
    fn weight(&self, _id: &ManifestId, manifest: &Manifest) -> u64 {
        (size_of::<ManifestId>() + manifest.memory_bytes()) as u64 + KEPT_BYTES_MAX / KEPT_MAX as u64
    }
}

impl Default for OpenManifests {
    fn default() -> Self {
        Self(Cache::with_weighter(KEPT_MAX, KEPT_BYTES_MAX, Weight))
    }
}

impl OpenManifests {
    /// Opens a manifest unless it is open already. What is damaged since is found when its entries are read.
    pub(super) fn open(&self, store: &Store, id: ManifestId) -> Result<Manifest> {
        if let Some(manifest) = self.0.get(&id) {
            return Ok(manifest);
        }
        let manifest = store.open_manifest(id)?;
        self.0.insert(id, manifest.clone());
        Ok(manifest)
    }
}
