//! Reads and verifies one chunk.

use std::io::Read;

use zstd::bulk::Decompressor;

use crate::backend::{Backend, Object};
use crate::error::{Error, Result};
use crate::format::chunk;
use crate::id::ChunkId;
use crate::key::Key;
use crate::quarantine;

/// Reads chunks on one thread. Keeps the decompressor, which costs as much to create as a small chunk to decompress.
pub(crate) struct ChunkReader {
    decompressor: Decompressor<'static>,
}

impl ChunkReader {
    pub(crate) fn new() -> Result<Self> {
        let decompressor = Decompressor::new().map_err(|e| Error::io("start zstd", e))?;
        Ok(Self { decompressor })
    }

    /// Reads the plain bytes of a chunk. Marks it if it is corrupted, so that the next writer of the same content
    /// repairs it.
    pub(crate) fn read_or_mark(&mut self, backend: &dyn Backend, id: ChunkId) -> Result<Vec<u8>> {
        let (plain, _) = self.read(backend, id).inspect_err(|error| quarantine::mark(backend, id, error))?;
        Ok(plain)
    }

    /// Reads the plain bytes of a chunk and returns them with the length of its object.
    pub(crate) fn read(&mut self, backend: &dyn Backend, id: ChunkId) -> Result<(Vec<u8>, u64)> {
        let key = Key::Chunk(id);
        let damaged = |reason| Error::Damaged { key, reason };
        let Object { length, body } = backend.read(key)?;
        if length > chunk::OBJECT_BYTES_MAX {
            return Err(damaged("it is longer than any chunk"));
        }
        let mut object = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        body.take(chunk::OBJECT_BYTES_MAX)
            .read_to_end(&mut object)
            .map_err(|e| Error::object("read", key, e))?;
        let plain = chunk::decode(&object, &mut self.decompressor).map_err(damaged)?;
        if ChunkId::of(&plain) != id {
            return Err(damaged("its bytes do not match its name"));
        }
        Ok((plain, object.len() as u64))
    }
}
