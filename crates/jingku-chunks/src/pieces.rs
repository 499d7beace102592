//! Reads a part of a disk in order.

use std::ops::Range;
use std::sync::Arc;

use crate::backend::Backend;
use crate::chunk_reader::ChunkReader;
use crate::cut::CHUNK_SIZE;
use crate::error::{Error, Result};
use crate::format::layout::Extent;
use crate::id::ChunkId;
use crate::key::Key;
use crate::manifest::Manifest;
use crate::pipeline::Pipeline;

/// Consecutive bytes of a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A run of zeros of this length; possibly the whole disk, so do not allocate it.
    Zero(u64),
    /// Bytes of one chunk.
    Data(Vec<u8>),
}

/// Reads a part of a disk in order, some chunks ahead of the caller, and no chunk outside that part.
///
/// Every piece is verified. Nothing follows an error; without one the pieces add up to the part.
pub struct Pieces {
    extents: Box<dyn Iterator<Item = Result<(u64, Extent)>> + Send>,
    part: Range<u64>,
    pipeline: Pipeline<Job, Piece>,
    failed: bool,
}

struct Job {
    id: ChunkId,
    len: u64,
    wanted: Range<usize>,
}

impl Pieces {
    /// `part` lies within the disk.
    pub(crate) fn start(backend: &Arc<dyn Backend>, manifest: &Manifest, part: Range<u64>) -> Result<Self> {
        let chunk_bytes = manifest.chunk_size().unwrap_or(CHUNK_SIZE);
        let chunks = usize::try_from((part.end - part.start).div_ceil(chunk_bytes)).unwrap_or(usize::MAX);
        let pipeline = Pipeline::start(backend.threads().min(chunks), || {
            let backend = Arc::clone(backend);
            let mut reader = ChunkReader::new()?;
            Ok(move |Job { id, len, wanted }| {
                let mut plain = reader.read_or_mark(backend.as_ref(), id)?;
                if plain.len() as u64 != len {
                    let reason = "it is not as long as the manifest says";
                    return Err(Error::Damaged { key: Key::Chunk(id), reason });
                }
                plain.truncate(wanted.end);
                plain.drain(..wanted.start);
                Ok(Piece::Data(plain))
            })
        })?;
        Ok(Self { extents: Box::new(manifest.extents_in(part.clone())), part, pipeline, failed: false })
    }

    fn submit(&mut self, start: u64, extent: Extent) {
        let wanted = self.part.start.max(start) - start..self.part.end.min(start + extent.len()) - start;
        match extent {
            Extent::Zero { .. } => self.pipeline.pass(Ok(Piece::Zero(wanted.end - wanted.start))),
            Extent::Chunk { id, len } => {
                let within = |at| usize::try_from(at).expect("a chunk fits in memory");
                let wanted = within(wanted.start)..within(wanted.end);
                self.pipeline.submit(Job { id, len, wanted });
            }
        }
    }
}

impl Iterator for Pieces {
    type Item = Result<Piece>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        while !self.pipeline.is_busy()
            && let Some(extent) = self.extents.next()
        {
            match extent {
                Ok((start, extent)) => self.submit(start, extent),
                Err(error) => self.pipeline.pass(Err(error)),
            }
        }
        let piece = self.pipeline.take();
        self.failed = matches!(piece, Some(Err(_)));
        piece
    }
}
