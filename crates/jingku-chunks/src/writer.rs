//! Writing one disk.

mod ingest;
mod source;

use std::sync::Arc;

use self::ingest::{Ingest, Ingested, Job, Shared};
pub use self::source::Source;
use crate::backend::{Backend, Existing, Outcome, Stage};
use crate::error::{Error, Result};
use crate::format::manifest::{Encoder, Shape};
use crate::hold::Hold;
use crate::id::ManifestId;
use crate::key::Key;
use crate::manifest::Manifest;
use crate::pipeline::Pipeline;
use crate::store::Cut;
use crate::suspects::Suspects;

/// Bytes of the manifest collected before they go to the backend.
const MANIFEST_BUFFER_BYTES: usize = 64 << 10;

/// The most that [`Writer::pull`] takes at once, in bytes: what one thread of a writer holds while it reads. As much as a
/// compressed cluster of a disk file can be, so that none has to be unpacked twice.
pub const STRETCH_BYTES_MAX: u64 = 2 << 20;

/// Takes a disk from its start to its end, chunk by chunk.
///
/// Hashing, compressing and putting happen on several cores meanwhile; what fails there is reported by a later call.
/// After an error the writer is of no more use. Dropped before [`Sealed::write_manifest`] it leaves chunks that no
/// manifest names, and nothing else.
pub struct Writer {
    backend: Arc<dyn Backend>,
    hold: Hold,
    pipeline: Pipeline<Job, Vec<Ingested>>,
    manifest: Encoder,
    stage: Box<dyn Stage>,
    shape: Shape,
    /// Where on the disk the next byte goes.
    offset: u64,
    totals: Totals,
}

#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    data_bytes: u64,
    new_bytes: u64,
    new_chunks: u64,
    reused_chunks: u64,
}

impl Writer {
    pub(crate) fn start(backend: &Arc<dyn Backend>, logical_size: u64, cut: Cut) -> Result<Self> {
        let shape = Shape { logical_size, chunk_size: cut.chunk_size };
        let shape = shape.check().map_err(|what| Error::Length { what, offset: 0, length: logical_size })?;
        let hold = Hold::begin(backend.as_ref())?;
        let suspects = Suspects::load(backend.as_ref())?;
        // Checked to be at most 4 MiB.
        let chunk_size = usize::try_from(cut.chunk_size).unwrap_or(usize::MAX);
        let shared = Shared { backend: Arc::clone(backend), claim: hold.claim(), suspects, chunk_size };
        let shared = Arc::new(shared);
        Ok(Self {
            pipeline: Pipeline::start(|| {
                let mut ingest = Ingest::new(Arc::clone(&shared), cut.zstd_level)?;
                Ok(move |job| ingest.run(job))
            })?,
            backend: Arc::clone(backend),
            hold,
            manifest: Encoder::new(shape),
            stage: backend.stage()?,
            shape,
            offset: 0,
            totals: Totals::default(),
        })
    }

    /// Returns the size of chunks, in bytes.
    pub fn chunk_size(&self) -> u64 {
        self.shape.chunk_size
    }

    /// Appends the next chunk: exactly [`chunk_size`](Self::chunk_size) bytes, or what is left of the disk. It may turn
    /// out to be zeros, which are not stored. Waits while [`IN_FLIGHT_CHUNKS_MAX`](crate::IN_FLIGHT_CHUNKS_MAX) chunks
    /// are on their way.
    pub fn push(&mut self, plain: Vec<u8>) -> Result<()> {
        let length = plain.len() as u64;
        if length == 0 || length != self.shape.chunk_size.min(self.shape.logical_size - self.offset) {
            return Err(self.length_error("a chunk is not exactly one chunk long", length));
        }
        self.make_room()?;
        self.pipeline.submit(Job::Chunk(plain));
        self.offset += length;
        Ok(())
    }

    /// Appends the next `length` bytes, which the writer's own threads read from the same place of `source`: whole chunks, up
    /// to [`STRETCH_BYTES_MAX`] or one chunk, or all that is left of the disk. Faster than [`push`](Self::push), since
    /// several threads read, and each hashes what it has just read.
    pub fn pull(&mut self, length: u64, source: &Arc<impl Source>) -> Result<()> {
        let left = self.shape.logical_size - self.offset;
        let whole = length.is_multiple_of(self.shape.chunk_size) || length == left;
        if length == 0 || length > left || !whole {
            return Err(
                self.length_error("a stretch is neither whole chunks nor the rest of the disk", length)
            );
        }
        let length_max = STRETCH_BYTES_MAX.max(self.shape.chunk_size);
        let Some(bytes) = usize::try_from(length).ok().filter(|_| length <= length_max) else {
            return Err(self.length_error("a stretch is too long", length));
        };
        self.make_room()?;
        while self.pipeline.is_busy()
            && let Some(ingested) = self.pipeline.take()
        {
            self.record_all(ingested?)?;
        }
        let source = Arc::clone(source);
        self.pipeline.submit(Job::Stretch { source, offset: self.offset, length: bytes });
        self.offset += length;
        Ok(())
    }

    /// Appends zeros, at no cost: a multiple of [`chunk_size`](Self::chunk_size) bytes, or all that is left of the disk.
    pub fn zeros(&mut self, length: u64) -> Result<()> {
        let left = self.shape.logical_size - self.offset;
        if length > left || (length != left && !length.is_multiple_of(self.shape.chunk_size)) {
            return Err(self.length_error("zeros are neither whole chunks nor the rest of the disk", length));
        }
        self.make_room()?;
        self.pipeline.pass(Ok(vec![Ingested::Zeros { count: length.div_ceil(self.shape.chunk_size) }]));
        self.offset += length;
        Ok(())
    }

    /// Waits until every chunk is stored, and makes them durable. Fails with `Length` before the whole disk was given.
    pub fn finish_chunks(mut self) -> Result<Sealed> {
        if self.offset != self.shape.logical_size {
            return Err(self.length_error("the disk was not given to its end", self.shape.logical_size));
        }
        while let Some(ingested) = self.pipeline.take() {
            self.record_all(ingested?)?;
        }
        // An error that push returned took its chunk with it; a caller that went on all the same ends here.
        if !self.manifest.is_complete() {
            return Err(self.length_error("a chunk could not be stored", self.shape.logical_size));
        }
        self.backend.sync()?;
        let id = self.manifest.finish();
        self.stage.write(&self.manifest.take())?;
        let Self { backend, hold, stage, shape, totals, .. } = self;
        Ok(Sealed { backend, hold, stage, id, shape, totals })
    }

    /// Takes what is ready, and waits for more only where the bound on memory demands it.
    fn make_room(&mut self) -> Result<()> {
        while let Some(ingested) = self.pipeline.take_ready() {
            self.record_all(ingested?)?;
        }
        while self.pipeline.is_full()
            && let Some(ingested) = self.pipeline.take()
        {
            self.record_all(ingested?)?;
        }
        Ok(())
    }

    fn record_all(&mut self, ingested: Vec<Ingested>) -> Result<()> {
        ingested.into_iter().try_for_each(|ingested| self.record(ingested))
    }

    fn record(&mut self, ingested: Ingested) -> Result<()> {
        match ingested {
            Ingested::Zeros { count } => self.manifest.zeros(count),
            Ingested::Chunk { id, plain_bytes, new_bytes } => {
                self.totals.data_bytes += plain_bytes;
                match new_bytes {
                    Some(bytes) => {
                        self.totals.new_chunks += 1;
                        self.totals.new_bytes += bytes;
                    }
                    None => self.totals.reused_chunks += 1,
                }
                self.manifest.chunk(id);
            }
        }
        if self.manifest.pending_bytes() >= MANIFEST_BUFFER_BYTES {
            self.stage.write(&self.manifest.take())?;
        }
        Ok(())
    }

    fn length_error(&self, what: &'static str, length: u64) -> Error {
        Error::Length { what, offset: self.offset, length }
    }
}

/// A disk whose chunks are all durable, and whose manifest has no name yet.
#[must_use = "without its manifest the chunks are garbage"]
pub struct Sealed {
    backend: Arc<dyn Backend>,
    hold: Hold,
    stage: Box<dyn Stage>,
    id: ManifestId,
    shape: Shape,
    totals: Totals,
}

impl Sealed {
    /// Gives the manifest its name and makes it durable.
    pub fn write_manifest(self) -> Result<Written> {
        let key = Key::Manifest(self.id);
        self.hold.add(key)?;
        let outcome = match Manifest::open(&self.backend, self.id) {
            Ok(_) => Outcome::Kept,
            Err(Error::NotFound(_)) => self.stage.commit(key, Existing::Keep)?,
            Err(Error::Damaged { .. }) => self.stage.commit(key, Existing::Replace)?,
            Err(error) => return Err(error),
        };
        // Also when it was there: whoever wrote it may not have come this far yet.
        self.backend.sync()?;
        Ok(Written {
            manifest: self.id,
            new_manifest: outcome == Outcome::Stored,
            logical_bytes: self.shape.logical_size,
            data_bytes: self.totals.data_bytes,
            new_bytes: self.totals.new_bytes,
            new_chunks: self.totals.new_chunks,
            reused_chunks: self.totals.reused_chunks,
            hold: self.hold,
        })
    }
}

/// What writing a disk came to.
#[derive(Debug, Clone)]
pub struct Written {
    /// Names what was written; the same content always has the same name.
    pub manifest: ManifestId,
    /// Whether no such manifest existed before.
    pub new_manifest: bool,
    /// Size of the disk.
    pub logical_bytes: u64,
    /// Plain bytes that are not in chunks of zeros.
    pub data_bytes: u64,
    /// Bytes of chunk objects that were added to the backend, compressed and with headers.
    pub new_bytes: u64,
    /// Chunks that were added to the backend, or replaced there because they were damaged.
    pub new_chunks: u64,
    /// Chunks that were found in the backend, counted as often as they stand on the disk.
    pub reused_chunks: u64,
    /// Keeps sweeps away from the manifest and its chunks. To be dropped when it is on record that the manifest is live,
    /// and not before: nothing else protects it until then.
    pub hold: Hold,
}
