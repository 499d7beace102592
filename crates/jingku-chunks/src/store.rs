//! The front door: write a disk, read a disk.

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use crate::backend::Backend;
use crate::check::{self, CheckPlan, CheckReport, OnProgress};
use crate::chunk_reader::ChunkReader;
use crate::cut::{Cut, ZSTD_LEVEL};
use crate::error::Result;
use crate::gc_guard::GcGuard;
use crate::id::{ChunkId, ManifestId};
use crate::key::Key;
use crate::manifest::Manifest;
use crate::pieces::Pieces;
use crate::sweep::{Sweep, SweepPlan};
use crate::writer::{self, Sealed, Writer};

/// Keeps the bits of images. Clones share one backend.
#[derive(Clone)]
pub struct Store {
    backend: Arc<dyn Backend>,
}

impl Store {
    /// Keeps them in a backend.
    pub fn new(backend: impl Backend) -> Self {
        Self { backend: Arc::new(backend) }
    }

    /// Begins writing a disk of this size in bytes. Refuses with `Length` more than
    /// [`LOGICAL_SIZE_MAX`](crate::LOGICAL_SIZE_MAX).
    pub fn writer(&self, logical_size: u64) -> Result<Writer> {
        self.writer_with(logical_size, Cut::default())
    }

    /// Begins writing a disk that is cut and compressed in another way than usual.
    pub fn writer_with(&self, logical_size: u64, cut: Cut) -> Result<Writer> {
        Writer::start(&self.backend, logical_size, cut)
    }

    /// Reads a stream of unknown length to its end, such as an archive of a container's files, and stores its chunks. It is
    /// cut by its content, so that what is inserted or taken out changes the chunks around it and no others; reading it
    /// back is as for a disk. Memory holds at most [`IN_FLIGHT_CHUNKS_MAX`](crate::IN_FLIGHT_CHUNKS_MAX) chunks of 1 MiB.
    ///
    /// Fails with `Source` when reading fails, and with `Length` after [`LOGICAL_SIZE_MAX`](crate::LOGICAL_SIZE_MAX).
    pub fn write_stream(&self, source: impl Read) -> Result<Sealed> {
        writer::write_stream(&self.backend, source, ZSTD_LEVEL)
    }

    /// Opens a manifest, after reading it in full and checking it.
    pub fn open_manifest(&self, id: ManifestId) -> Result<Manifest> {
        Manifest::open(&self.backend, id)
    }

    /// Reads the plain bytes of a chunk, checked against its name.
    pub fn read_chunk(&self, id: ChunkId) -> Result<Vec<u8>> {
        ChunkReader::new()?.read_or_mark(self.backend.as_ref(), id)
    }

    /// Reads a whole disk in order, on several cores.
    pub fn read(&self, manifest: &Manifest) -> Result<Pieces> {
        self.read_range(manifest, 0..manifest.logical_size())
    }

    /// Reads a part of a disk in order, on several cores if it is large. What lies past the end of the disk is left out.
    /// It costs what the part costs, wherever it is: of the manifest only the entries around it are read again.
    pub fn read_range(&self, manifest: &Manifest, part: Range<u64>) -> Result<Pieces> {
        let end = part.end.min(manifest.logical_size());
        Pieces::start(&self.backend, manifest, part.start.min(end)..end)
    }

    /// Keeps sweeps away from these manifests and the chunks they name until the hold is dropped, as a copy of them needs
    /// while an image may be deleted. Look whether they are still live *afterwards*.
    pub fn guard(&self, manifests: &[ManifestId]) -> Result<GcGuard> {
        let guard = GcGuard::begin(self.backend.as_ref())?;
        manifests.iter().try_for_each(|id| guard.add(Key::Manifest(*id)))?;
        Ok(guard)
    }

    /// Compares what manifests name with what is stored; `None` when `on_progress` stopped it. What is damaged is told, and noted
    /// so that the next to store it heals it; it is no error.
    ///
    /// Of manifests that may cease to be live meanwhile, [`guard`](Self::guard) those: else a sweep looks like damage.
    pub fn check(
        &self,
        manifests: &[ManifestId],
        plan: &CheckPlan,
        on_progress: OnProgress<'_>,
    ) -> Result<Option<CheckReport>> {
        check::run(&self.backend, manifests, plan, on_progress)
    }

    /// Begins a sweep, which removes what no image needs.
    pub fn sweep(&self, plan: SweepPlan) -> Sweep {
        Sweep::start(&self.backend, plan)
    }
}
