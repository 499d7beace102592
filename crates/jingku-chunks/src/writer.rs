//! Writing one disk or stream.

mod assembler;
mod ingest;
mod looks;
mod sealed;
mod stream;
mod sync_ahead;

use std::sync::Arc;

use self::assembler::Assembler;
use self::ingest::Job;
pub use self::ingest::Source;
pub use self::sealed::{Sealed, Written};
use crate::backend::Backend;
use crate::cut::Cut;
use crate::error::{Error, Result};
use crate::format::layout::{Layout, Shape};
use crate::id::ManifestId;
use crate::known;

pub use self::stream::cut as cut_stream;
pub(crate) use self::stream::write as write_stream;

/// The most that [`Writer::pull`] takes at once, in bytes: what one thread of a writer holds while it reads. As large
/// as a compressed cluster of a disk file can be, so that none is decompressed twice.
pub const RUN_BYTES_MAX: u64 = 2 << 20;

/// Takes a disk chunk by chunk, from start to end.
///
/// Several cores hash, compress and store meanwhile; their errors are reported by a later call. After an error the
/// writer is unusable. Dropping it before [`Sealed::write_manifest`] leaves only unreferenced chunks.
pub struct Writer {
    assembler: Assembler,
    shape: Shape,
    /// Offset on the disk of the next byte.
    offset: u64,
}

impl Writer {
    pub(crate) fn start(backend: &Arc<dyn Backend>, logical_size: u64, cut: Cut) -> Result<Self> {
        let shape = Shape { logical_size, chunk_size: cut.chunk_size };
        let shape = shape.check().map_err(|what| Error::Length { what, offset: 0, length: logical_size })?;
        // Checked to be at most 4 MiB.
        let chunk_size = usize::try_from(cut.chunk_size).unwrap_or(usize::MAX);
        let assembler = Assembler::start(backend, Layout::Fixed(shape), chunk_size, cut.zstd_level)?;
        Ok(Self { assembler, shape, offset: 0 })
    }

    /// Returns the size of chunks, in bytes.
    pub fn chunk_size(&self) -> u64 {
        self.shape.chunk_size
    }

    /// Appends the next chunk: exactly [`chunk_size`](Self::chunk_size) bytes, or the rest of the disk. Chunks of zeros
    /// are not stored. Waits while [`IN_FLIGHT_CHUNKS_MAX`](crate::IN_FLIGHT_CHUNKS_MAX) chunks are in progress.
    pub fn push(&mut self, plain: Vec<u8>) -> Result<()> {
        let length = plain.len() as u64;
        if length == 0 || length != self.shape.chunk_size.min(self.shape.logical_size - self.offset) {
            return Err(self.length_error("a chunk is not exactly one chunk long", length));
        }
        self.assembler.submit(Job::Chunk(plain))?;
        self.offset += length;
        Ok(())
    }

    /// Appends the next `length` bytes, which the writer's threads read from the same offset of `source`: whole chunks
    /// up to [`RUN_BYTES_MAX`] or one chunk, or the rest of the disk. Faster than [`push`](Self::push): several threads
    /// read, and each hashes what it has just read.
    pub fn pull(&mut self, length: u64, source: &Arc<impl Source>) -> Result<()> {
        let left = self.shape.logical_size - self.offset;
        let whole = length.is_multiple_of(self.shape.chunk_size) || length == left;
        if length == 0 || length > left || !whole {
            return Err(self.length_error("a run is neither whole chunks nor the rest of the disk", length));
        }
        if length > RUN_BYTES_MAX.max(self.shape.chunk_size) {
            return Err(self.length_error("a run is too long", length));
        }
        self.assembler.submit(Job::Run { source: Arc::clone(source) as _, offset: self.offset, length })?;
        self.offset += length;
        Ok(())
    }

    /// Appends zeros at no cost: a multiple of [`chunk_size`](Self::chunk_size) bytes, or the rest of the disk.
    pub fn zeros(&mut self, length: u64) -> Result<()> {
        let left = self.shape.logical_size - self.offset;
        if length > left || (length != left && !length.is_multiple_of(self.shape.chunk_size)) {
            return Err(self.length_error("zeros are neither whole chunks nor the rest of the disk", length));
        }
        self.assembler.zeros(length)?;
        self.offset += length;
        Ok(())
    }

    /// From now on, counts the written bytes in chunks that these manifests also reference. Only the first call counts.
    ///
    /// Comparing with the whole backend instead would reveal what other tenants have stored.
    pub fn compare_with(&mut self, manifests: &[ManifestId]) -> Result<()> {
        let known = known::read(&self.assembler.backend, manifests)?;
        self.assembler.compare_with(known);
        Ok(())
    }

    /// Returns the bytes stored so far in chunks that the manifests of [`compare_with`](Self::compare_with) reference.
    /// Zeros do not count.
    pub fn known_plain_bytes(&self) -> u64 {
        self.assembler.totals.known_plain_bytes
    }

    /// Waits until every chunk is stored and makes them durable. Fails with `Length` if the disk is incomplete.
    pub fn finish_chunks(self) -> Result<Sealed> {
        if self.offset != self.shape.logical_size {
            return Err(self.length_error("the disk is incomplete", self.shape.logical_size));
        }
        self.assembler.finish(self.shape.logical_size)
    }

    fn length_error(&self, what: &'static str, length: u64) -> Error {
        Error::Length { what, offset: self.offset, length }
    }
}
