//! A cache of open manifests, for clients that request many parts of a disk.

use jingku_chunks::{Manifest, ManifestId, Result, Store};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

/// Maximum of cached manifests, in bytes: 16 manifests of the largest disk.
pub(crate) const KEPT_BYTES_MAX: u64 = 4 << 20;
/// Maximum number of cached manifests.
const KEPT_MAX: usize = 1024;

pub(crate) struct ManifestCache(Cache<ManifestId, Manifest, Weight>);

#[derive(Clone)]
struct Weight;

impl Weighter<ManifestId, Manifest> for Weight {
    fn weight(&self, _id: &ManifestId, manifest: &Manifest) -> u64 {
        (size_of::<ManifestId>() + manifest.memory_bytes()) as u64 + KEPT_BYTES_MAX / KEPT_MAX as u64
    }
}

impl Default for ManifestCache {
    fn default() -> Self {
        Self(Cache::with_weighter(KEPT_MAX, KEPT_BYTES_MAX, Weight))
    }
}

impl ManifestCache {
    /// Returns a cached manifest or opens it. Reading its entries verifies them.
    pub(super) fn open(&self, store: &Store, id: ManifestId) -> Result<Manifest> {
        if let Some(manifest) = self.0.get(&id) {
            return Ok(manifest);
        }
        let manifest = store.open_manifest(id)?;
        self.0.insert(id, manifest.clone());
        Ok(manifest)
    }
}
