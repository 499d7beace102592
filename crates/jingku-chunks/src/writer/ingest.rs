//! Storing chunks in the backend.

use std::io;
use std::sync::Arc;

use zstd::bulk::Compressor;

use super::looks::{Looks, Step};
use crate::backend::{Backend, Existing, Head, Outcome};
use crate::chunk_reader::ChunkReader;
use crate::error::{Error, Result};
use crate::format::chunk::{self, Header};
use crate::gc_guard::GcGuard;
use crate::id::ChunkId;
use crate::key::Key;
use crate::quarantine::{self, Quarantine};

/// A disk that several threads read at once.
pub trait Source: Send + Sync + 'static {
    /// Fills `buf` with the bytes from `offset` on, holes as zeros. Its errors reach the writer's caller as
    /// [`Error::Source`].
    fn read_exact_at(
        &self,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;

    /// Whether small reads cost no more than large ones. If so, each chunk is read right before it is hashed, while it
    /// is in the core's cache.
    fn reads_small(&self) -> bool {
        false
    }
}

/// What to store: one chunk, or a run that the storing thread reads and cuts.
pub(super) enum Job {
    Chunk(Vec<u8>),
    Run { source: Arc<dyn Source>, offset: u64, length: u64 },
}

#[derive(Clone, Copy)]
pub(super) enum Ingested {
    /// That many bytes of zeros, which are not stored.
    Zeros { len: u64 },
    /// The chunk is in the backend; `new_bytes` is the length of its object if it was written now.
    Chunk { id: ChunkId, plain_bytes: u32, new_bytes: Option<u64> },
}

pub(super) struct Ingest {
    shared: Arc<Shared>,
    compressor: Compressor<'static>,
    /// Reused, see [`chunk::encode`].
    object: Vec<u8>,
    run: Vec<u8>,
}

/// Shared by all threads of one writer.
pub(super) struct Shared {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) guard: GcGuard,
    pub(super) quarantine: Quarantine,
    pub(super) looks: Looks,
    /// Size in bytes at which runs are cut.
    pub(super) chunk_size: usize,
}

impl Ingest {
    pub(super) fn new(shared: Arc<Shared>, zstd_level: i32) -> Result<Self> {
        let compressor = Compressor::new(zstd_level).map_err(|e| Error::io("start zstd", e))?;
        Ok(Self { shared, compressor, object: Vec::new(), run: Vec::new() })
    }

    /// Stores a job and returns the result for each chunk, in order.
    pub(super) fn run(&mut self, job: Job) -> Result<Vec<Ingested>> {
        match job {
            Job::Chunk(plain) => {
                let name = name(&plain);
                self.store(&[(&plain, name)])
            }
            Job::Run { source, offset, length } => {
                let mut run = std::mem::take(&mut self.run);
                // At most 4 MiB.
                run.resize(usize::try_from(length).unwrap_or(usize::MAX), 0);
                let ingested = self.store_run(source.as_ref(), offset, &mut run);
                self.run = run;
                ingested
            }
        }
    }

    fn store_run(&mut self, source: &dyn Source, mut offset: u64, run: &mut [u8]) -> Result<Vec<Ingested>> {
        let chunk_size = self.shared.chunk_size;
        let step = if source.reads_small() { chunk_size } else { run.len() };
        let mut chunks = Vec::new();
        for piece in run.chunks_mut(step) {
            source.read_exact_at(offset, piece).map_err(Error::Source)?;
            offset += piece.len() as u64;
            chunks.extend(piece.chunks(chunk_size).map(|chunk| (chunk, name(chunk))));
        }
        self.store(&chunks)
    }

    /// Stores chunks with their names; chunks of zeros have none.
    fn store(&mut self, chunks: &[(&[u8], Option<ChunkId>)]) -> Result<Vec<Ingested>> {
        let keys: Vec<Key> = chunks.iter().filter_map(|(_, id)| id.map(Key::Chunk)).collect();
        if !keys.is_empty() {
            // Before looking them up: from here on a sweep leaves them alone or has removed them already.
            self.shared.guard.add(&keys)?;
        }
        let store = |(plain, id): &(&[u8], Option<ChunkId>)| match id {
            Some(id) => self.claimed(plain, *id),
            None => Ok(Ingested::Zeros { len: plain.len() as u64 }),
        };
        chunks.iter().map(store).collect()
    }

    /// Stores a claimed chunk unless it is known to exist.
    fn claimed(&mut self, plain: &[u8], id: ChunkId) -> Result<Ingested> {
        let Shared { backend, quarantine, looks, .. } = self.shared.as_ref();
        let key = Key::Chunk(id);
        let plain_bytes =
            u32::try_from(plain.len()).map_err(|e| Error::io("store a chunk", io::Error::other(e)))?;
        let marked = quarantine.contains(id);
        let existing = match if marked { Step::Look } else { looks.step(id) } {
            Step::Skip => None,
            Step::Store => Some(Existing::Keep),
            Step::Look => {
                let existing = look(backend.as_ref(), id, plain_bytes, marked)?;
                looks.looked(existing.is_none());
                existing
            }
        };
        let mut new_bytes = None;
        if let Some(existing) = existing {
            chunk::encode(plain, &mut self.compressor, &mut self.object)
                .map_err(|e| Error::io(format!("compress {key}"), e))?;
            // Otherwise another thread or writer was faster.
            if backend.put(key, &self.object, existing)? == Outcome::Stored {
                new_bytes = Some(self.object.len() as u64);
            }
        }
        if marked {
            quarantine::unmark(backend.as_ref(), id);
        }
        Ok(Ingested::Chunk { id, plain_bytes, new_bytes })
    }
}

/// Looks whether an intact chunk exists; otherwise returns how to store it.
fn look(backend: &dyn Backend, id: ChunkId, plain_bytes: u32, marked: bool) -> Result<Option<Existing>> {
    let is_intact = |head: &Head| {
        let header = Header::decode(&head.first);
        header.is_ok_and(|it| it.plain_length == plain_bytes && it.object_length() == head.length)
            && !(marked && is_damaged(backend, id))
    };
    match backend.head(Key::Chunk(id)) {
        Ok(head) if is_intact(&head) => Ok(None),
        // A crash or a failing disk left this. It must not pass for the chunk.
        Ok(_) => Ok(Some(Existing::Replace)),
        Err(Error::NotFound(_)) => Ok(Some(Existing::Keep)),
        Err(error) => Err(error),
    }
}

/// Verifies a marked chunk. An unreadable one counts as corrupted: the content is at hand.
fn is_damaged(backend: &dyn Backend, id: ChunkId) -> bool {
    ChunkReader::new().and_then(|mut reader| reader.read(backend, id)).is_err()
}

fn name(plain: &[u8]) -> Option<ChunkId> {
    (!is_zero(plain)).then(|| ChunkId::of(plain))
}

/// Works in blocks, which the compiler vectorises, and stops at the first that is not zero.
fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(1024).all(|block| block.iter().fold(0, |all, byte| all | byte) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_byte_is_detected_as_nonzero() {
        let mut bytes = vec![0; 5000];
        assert!(is_zero(&bytes));
        for place in [0, 1023, 1024, 4999] {
            bytes[place] = 1;
            assert!(!is_zero(&bytes), "at {place}");
            bytes[place] = 0;
        }
    }
}
