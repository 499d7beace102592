//! The end of writing: the manifest gets its name.

use std::sync::Arc;

use crate::backend::{Backend, Existing, Outcome, Stage};
use crate::error::{Error, Result};
use crate::gc_guard::GcGuard;
use crate::id::ManifestId;
use crate::key::Key;
use crate::manifest::Manifest;

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) data_bytes: u64,
    pub(super) new_bytes: u64,
    pub(super) new_chunks: u64,
    pub(super) reused_chunks: u64,
    pub(super) known_plain_bytes: u64,
}

/// A disk or stream whose chunks are durable and whose manifest has no name yet.
#[must_use = "without its manifest the chunks are garbage"]
pub struct Sealed {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) guard: GcGuard,
    pub(super) stage: Box<dyn Stage>,
    pub(super) id: ManifestId,
    pub(super) logical_bytes: u64,
    pub(super) totals: Totals,
}

impl Sealed {
    /// Names the manifest and makes it durable.
    pub fn write_manifest(self) -> Result<Written> {
        let key = Key::Manifest(self.id);
        self.guard.add(key)?;
        let outcome = match Manifest::open(&self.backend, self.id) {
            Ok(_) => Outcome::Kept,
            Err(Error::NotFound(_)) => self.stage.commit(key, Existing::Keep)?,
            Err(Error::Damaged { .. }) => self.stage.commit(key, Existing::Replace)?,
            Err(error) => return Err(error),
        };
        // Also if it existed: its writer may not have synced it yet.
        self.backend.sync()?;
        Ok(Written {
            manifest: self.id,
            new_manifest: outcome == Outcome::Stored,
            logical_bytes: self.logical_bytes,
            data_bytes: self.totals.data_bytes,
            new_bytes: self.totals.new_bytes,
            new_chunks: self.totals.new_chunks,
            reused_chunks: self.totals.reused_chunks,
            guard: self.guard,
        })
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
    /// Bytes of chunk objects added to the backend, compressed and with headers.
    pub new_bytes: u64,
    /// Chunks added to the backend, or replaced because they were corrupted.
    pub new_chunks: u64,
    /// Chunks found in the backend, counted once per occurrence on the disk.
    pub reused_chunks: u64,
    /// Protects the manifest and its chunks from sweeps. Drop it only after the catalogue records the manifest as live:
    /// nothing else protects it until then.
    pub guard: GcGuard,
}
