//! The entry point: writing and reading disks.

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use crate::backend::Backend;
use crate::check::{self, CheckPlan, CheckReport, OnProgress};
use crate::chunk_reader::ChunkReader;
use crate::cut::Cut;
use crate::error::Result;
use crate::format::layout::Extent;
use crate::format::manifest::Decoder;
use crate::gc_guard::GcGuard;
use crate::id::{ChunkId, ManifestId};
use crate::key::Key;
use crate::known::Known;
use crate::manifest::Manifest;
use crate::pieces::Pieces;
use crate::sweep::{Sweep, SweepPlan};
use crate::writer::{self, Sealed, Writer};

/// Stores the data of images. Clones share one backend.
#[derive(Clone)]
pub struct Store {
    backend: Arc<dyn Backend>,
}

impl Store {
    /// Creates a store on a backend.
    pub fn new(backend: impl Backend) -> Self {
        Self { backend: Arc::new(backend) }
    }

    /// Returns the backend.
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.backend
    }

    /// Begins a disk of this size in bytes. Fails with `Length` above [`LOGICAL_SIZE_MAX`](crate::LOGICAL_SIZE_MAX).
    pub fn writer(&self, logical_size: u64) -> Result<Writer> {
        self.writer_with(logical_size, Cut::default())
    }

    /// Begins a disk with its own chunk size and compression level.
    pub fn writer_with(&self, logical_size: u64, cut: Cut) -> Result<Writer> {
        Writer::start(&self.backend, logical_size, cut)
    }

    /// Stores a stream of unknown length, such as an archive of a container's files. It is cut by content, so that an
    /// insertion or deletion changes only the chunks around it. Memory holds at most
    /// [`IN_FLIGHT_CHUNKS_MAX`](crate::IN_FLIGHT_CHUNKS_MAX) chunks of 512 KiB.
    ///
    /// Fails with `Source` if reading fails, and with `Length` above [`LOGICAL_SIZE_MAX`](crate::LOGICAL_SIZE_MAX).
    pub fn write_stream(&self, source: impl Read) -> Result<Sealed> {
        self.write_stream_beside(source, &[], |_| {})
    }

    /// As [`write_stream`](Self::write_stream). Reports after each chunk how many bytes, so far, the given manifests have
    /// too.
    pub fn write_stream_beside(
        &self,
        source: impl Read,
        known: &[ManifestId],
        on_known: impl FnMut(u64),
    ) -> Result<Sealed> {
        writer::write_stream(&self.backend, source, known, on_known)
    }

    /// Reads which chunks the manifests have. Claims and changes nothing.
    pub fn known(&self, manifests: &[ManifestId]) -> Result<Known> {
        Known::of(&self.backend, manifests)
    }

    /// Opens a manifest after reading and verifying it completely.
    pub fn open_manifest(&self, id: ManifestId) -> Result<Manifest> {
        Manifest::open(&self.backend, id)
    }

    /// Lists the extents of a manifest in order, without gaps, while reading it once.
    ///
    /// If the manifest is corrupted, the last extent is followed by an error. Nothing follows an error.
    pub fn extents(&self, id: ManifestId) -> Result<impl Iterator<Item = Result<Extent>> + use<>> {
        Decoder::open(self.backend.as_ref(), id)
    }

    /// Reads the plain bytes of a chunk, verified against its name.
    pub fn read_chunk(&self, id: ChunkId) -> Result<Vec<u8>> {
        ChunkReader::new()?.read_or_mark(self.backend.as_ref(), id)
    }

    /// Reads a whole disk in order, on several cores.
    pub fn read(&self, manifest: &Manifest) -> Result<Pieces> {
        self.read_range(manifest, 0..manifest.logical_size())
    }

    /// Reads a part of a disk in order, on several cores if it is large. Ignores what lies past the end of the disk.
    /// The cost depends only on the size of the part.
    pub fn read_range(&self, manifest: &Manifest, part: Range<u64>) -> Result<Pieces> {
        let end = part.end.min(manifest.logical_size());
        Pieces::start(&self.backend, manifest, part.start.min(end)..end)
    }

    /// Protects these manifests and the chunks they reference from sweeps until the guard is dropped. Check
    /// *afterwards* whether the manifests are still live.
    pub fn guard(&self, manifests: &[ManifestId]) -> Result<GcGuard> {
        let guard = GcGuard::begin(self.backend.as_ref())?;
        guard.add(&manifests.iter().copied().map(Key::Manifest).collect::<Vec<_>>())?;
        Ok(guard)
    }

    /// Compares what manifests reference with what is stored; `None` if `on_progress` stopped it. Corruption is
    /// reported and marked for repair; it is not an error.
    ///
    /// Use [`guard`](Self::guard) for manifests that may cease to be live meanwhile, or a sweep looks like corruption.
    pub fn check(
        &self,
        manifests: &[ManifestId],
        plan: &CheckPlan,
        on_progress: OnProgress<'_>,
    ) -> Result<Option<CheckReport>> {
        check::run(&self.backend, manifests, plan, on_progress)
    }

    /// Begins a sweep, which removes what no image references.
    pub fn sweep(&self, plan: SweepPlan) -> Sweep {
        Sweep::start(&self.backend, plan)
    }
}
