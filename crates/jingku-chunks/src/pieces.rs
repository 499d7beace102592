//! A whole disk, read in order.

use std::sync::Arc;

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::id::ChunkId;
use crate::key::Key;
use crate::manifest::{Extent, Extents, Manifest};
use crate::pipeline::Pipeline;
use crate::store;

/// One stretch of a disk with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// That many bytes of zeros; up to the whole disk, so not to be allocated.
    Zero(u64),
    /// The bytes of one chunk.
    Data(Vec<u8>),
}

/// Reads a disk from its start to its end, some chunks ahead of whoever takes them.
///
/// Every piece was checked. Nothing follows an error; without one the pieces add up to the size of the disk.
pub struct Pieces {
    extents: Extents,
    pipeline: Pipeline<(ChunkId, u64), Piece>,
    failed: bool,
}

impl Pieces {
    pub(crate) fn start(backend: &Arc<dyn Backend>, manifest: &Manifest) -> Result<Self> {
        let pipeline = Pipeline::start(|| {
            let backend = Arc::clone(backend);
            let mut decompressor = store::decompressor()?;
            Ok(move |(id, len)| {
                let plain = store::read_noted(backend.as_ref(), id, &mut decompressor)?;
                if plain.len() as u64 != len {
                    let reason = "it is not as long as the manifest says";
                    return Err(Error::Damaged { key: Key::Chunk(id), reason });
                }
                Ok(Piece::Data(plain))
            })
        })?;
        Ok(Self { extents: manifest.extents()?, pipeline, failed: false })
    }
}

impl Iterator for Pieces {
    type Item = Result<Piece>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        while !self.pipeline.is_full()
            && let Some(extent) = self.extents.next()
        {
            match extent {
                Ok(Extent::Zero { len }) => self.pipeline.pass(Ok(Piece::Zero(len))),
                Ok(Extent::Chunk { id, len }) => self.pipeline.submit((id, len)),
                Err(error) => self.pipeline.pass(Err(error)),
            }
        }
        let piece = self.pipeline.take();
        self.failed = matches!(piece, Some(Err(_)));
        piece
    }
}
