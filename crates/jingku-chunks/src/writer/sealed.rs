//! The end of writing: the manifest gets its name.

use std::sync::Arc;

use crate::backend::{Backend, Existing, Outcome, Stage};
use crate::error::{Error, Result};
use crate::gc_guard::GcGuard;
use crate::id::ManifestId;
use crate::key::Key;
use crate::manifest::Manifest;

/// A disk or stream whose chunks are durable and whose manifest has no name yet.
#[must_use = "without its manifest the chunks are garbage"]
pub struct Sealed {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) stage: Box<dyn Stage>,
    pub(super) written: Written,
}

impl Sealed {
    /// Names the manifest and makes it durable.
    pub fn write_manifest(self) -> Result<Written> {
        let Self { backend, stage, mut written } = self;
        let key = Key::Manifest(written.manifest);
        written.guard.add(&[key])?;
        let outcome = match Manifest::open(&backend, written.manifest) {
            Ok(_) => Outcome::Kept,
            Err(Error::NotFound(_)) => stage.commit(key, Existing::Keep)?,
            Err(Error::Damaged { .. }) => stage.commit(key, Existing::Replace)?,
            Err(error) => return Err(error),
        };
        // Also if it existed: its writer may not have synced it yet.
        backend.sync()?;
        written.new_manifest = outcome == Outcome::Stored;
        Ok(written)
    }
}

/// The result of writing a disk or stream.
#[derive(Debug, Clone)]
pub struct Written {
    /// Names the content; equal content has equal names.
    pub manifest: ManifestId,
    /// Whether the manifest is new.
    pub new_manifest: bool,
    /// Size of the disk or stream, in bytes.
    pub logical_bytes: u64,
    /// Plain bytes outside chunks of zeros.
    pub data_bytes: u64,
    /// Bytes of chunk objects added to the backend, compressed and with headers. See [`new_chunks`](Self::new_chunks).
    pub new_bytes: u64,
    /// Chunks added to the backend, or replaced because they were corrupted. Where looks cost requests, also those that
    /// were stored without a look although another account's image has them, see [`Backend::misses_max`].
    pub new_chunks: u64,
    /// Chunks found in the backend, counted once per occurrence on the disk.
    pub reused_chunks: u64,
    /// Protects the manifest and its chunks from sweeps. Drop it only after the catalogue records the manifest as live:
    /// nothing else protects it until then.
    pub guard: GcGuard,
}
