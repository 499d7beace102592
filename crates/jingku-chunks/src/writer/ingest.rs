//! What happens to one chunk on its way into the backend.

use std::sync::Arc;

use zstd::bulk::Compressor;

use crate::backend::{Backend, Existing, Outcome};
use crate::error::{Error, Result};
use crate::format::chunk::{self, Header};
use crate::id::ChunkId;
use crate::key::Key;

/// What became of a chunk.
#[derive(Clone, Copy)]
pub(super) enum Ingested {
    /// It is that many chunks of zeros, which are not stored.
    Zeros { count: u64 },
    /// It is in the backend; `new_bytes` is the length of the object if it was put there now.
    Chunk { id: ChunkId, plain_bytes: u64, new_bytes: Option<u64> },
}

/// Stores chunks, on one thread.
pub(super) struct Ingest {
    backend: Arc<dyn Backend>,
    compressor: Compressor<'static>,
}

impl Ingest {
    pub(super) fn new(backend: Arc<dyn Backend>, zstd_level: i32) -> Result<Self> {
        let compressor = Compressor::new(zstd_level).map_err(|e| Error::io("start zstd", e))?;
        Ok(Self { backend, compressor })
    }

    pub(super) fn chunk(&mut self, plain: &[u8]) -> Result<Ingested> {
        if is_zero(plain) {
            return Ok(Ingested::Zeros { count: 1 });
        }
        let id = ChunkId::of(plain);
        let key = Key::Chunk(id);
        let plain_bytes = plain.len() as u64;
        let existing = match self.backend.head(key) {
            Ok(head) => match Header::decode(&head.first) {
                Ok(header)
                    if u64::from(header.plain_length) == plain_bytes
                        && header.object_length() == head.length =>
                {
                    return Ok(Ingested::Chunk { id, plain_bytes, new_bytes: None });
                }
                // An interrupted machine left this, or a disk spoiled it. It must not pass for the chunk.
                _ => Existing::Replace,
            },
            Err(Error::NotFound(_)) => Existing::Keep,
            Err(error) => return Err(error),
        };
        let object = chunk::encode(plain, &mut self.compressor)
            .map_err(|e| Error::io(format!("compress {key}"), e))?;
        let new_bytes = match self.backend.put(key, &object, existing)? {
            Outcome::Stored => Some(object.len() as u64),
            // Another thread or writer was faster.
            Outcome::Kept => None,
        };
        Ok(Ingested::Chunk { id, plain_bytes, new_bytes })
    }
}

/// Goes through the bytes in blocks, which the compiler turns into wide instructions, and stops at the first that is not zero.
fn is_zero(bytes: &[u8]) -> bool {
    bytes.chunks(1024).all(|block| block.iter().fold(0, |all, byte| all | byte) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_byte_anywhere_is_not_zero() {
        let mut bytes = vec![0; 5000];
        assert!(is_zero(&bytes));
        for place in [0, 1023, 1024, 4999] {
            bytes[place] = 1;
            assert!(!is_zero(&bytes), "at {place}");
            bytes[place] = 0;
        }
    }
}
