//! The front door: write a disk, read a disk.

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use zstd::bulk::Decompressor;

use crate::backend::{Backend, Object};
use crate::check::{self, CheckPlan, Findings, Watch};
use crate::error::{Error, Result};
use crate::format::chunk;
use crate::hold::Hold;
use crate::id::{ChunkId, ManifestId};
use crate::key::Key;
use crate::manifest::Manifest;
use crate::pieces::Pieces;
use crate::suspects;
use crate::sweep::{Sweep, SweepPlan};
use crate::writer::{self, Sealed, Writer};

/// The size of chunks in bytes, unless told otherwise: 256 KiB. `docs/format/README.md` has the measurement.
pub const CHUNK_SIZE: u64 = 256 << 10;

/// The zstd level of chunks, unless told otherwise. `docs/format/README.md` has the measurement.
pub const ZSTD_LEVEL: i32 = 1;

/// How a disk is cut and compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Size of every chunk but the last, in bytes: a power of two from 4 KiB to 4 MiB. Disks share chunks only with
    /// disks of the same chunk size.
    pub chunk_size: u64,
    /// Level given to zstd; any level reads the same.
    pub zstd_level: i32,
}

impl Default for Cut {
    fn default() -> Self {
        Self { chunk_size: CHUNK_SIZE, zstd_level: ZSTD_LEVEL }
    }
}

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
        read_noted(self.backend.as_ref(), id, &mut decompressor()?)
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
    pub fn hold(&self, manifests: &[ManifestId]) -> Result<Hold> {
        let hold = Hold::begin(self.backend.as_ref())?;
        manifests.iter().try_for_each(|id| hold.add(Key::Manifest(*id)))?;
        Ok(hold)
    }

    /// Compares what manifests name with what is stored; `None` when `watch` stopped it. What is damaged is told, and noted
    /// so that the next to store it heals it; it is no error.
    ///
    /// Of manifests that may cease to be live meanwhile, [`hold`](Self::hold) those: else a sweep looks like damage.
    pub fn check(
        &self,
        manifests: &[ManifestId],
        plan: &CheckPlan,
        watch: Watch<'_>,
    ) -> Result<Option<Findings>> {
        check::run(&self.backend, manifests, plan, watch)
    }

    /// Begins a sweep, which removes what no image needs.
    pub fn sweep(&self, plan: SweepPlan) -> Sweep {
        Sweep::start(&self.backend, plan)
    }
}

pub(crate) fn decompressor() -> Result<Decompressor<'static>> {
    Decompressor::new().map_err(|e| Error::io("start zstd", e))
}

/// Reads a chunk, and notes it when it turns out to be damaged, so that the next to store it heals it.
pub(crate) fn read_noted(
    backend: &dyn Backend,
    id: ChunkId,
    decompressor: &mut Decompressor<'_>,
) -> Result<Vec<u8>> {
    read_chunk(backend, id, decompressor).inspect_err(|error| suspects::note(backend, id, error))
}

/// Reads a chunk with a decompressor at hand: making one costs as much as a small chunk.
pub(crate) fn read_chunk(
    backend: &dyn Backend,
    id: ChunkId,
    decompressor: &mut Decompressor<'_>,
) -> Result<Vec<u8>> {
    read_object(backend, id, decompressor).map(|(plain, _)| plain)
}

/// Reads a chunk, and tells how long its object is.
pub(crate) fn read_object(
    backend: &dyn Backend,
    id: ChunkId,
    decompressor: &mut Decompressor<'_>,
) -> Result<(Vec<u8>, u64)> {
    let key = Key::Chunk(id);
    let damaged = |reason| Error::Damaged { key, reason };
    let Object { length, body } = backend.read(key)?;
    if length > chunk::OBJECT_BYTES_MAX {
        return Err(damaged("it is longer than any chunk"));
    }
    let mut object = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    body.take(chunk::OBJECT_BYTES_MAX).read_to_end(&mut object).map_err(|e| Error::object("read", key, e))?;
    let plain = chunk::decode(&object, decompressor).map_err(damaged)?;
    if ChunkId::of(&plain) != id {
        return Err(damaged("its bytes do not match its name"));
    }
    Ok((plain, object.len() as u64))
}
