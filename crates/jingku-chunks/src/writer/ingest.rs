//! What happens to one chunk on its way into the backend.

use std::sync::Arc;

use zstd::bulk::Compressor;

use crate::backend::{Backend, Claim, Existing, Outcome};
use crate::error::{Error, Result};
use crate::format::chunk::{self, Header};
use crate::id::ChunkId;
use crate::key::Key;
use crate::store;
use crate::suspects::{self, Suspects};

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
    shared: Arc<Shared>,
    compressor: Compressor<'static>,
}

/// What all threads of one writer have in common.
pub(super) struct Shared {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) claim: Arc<dyn Claim>,
    pub(super) suspects: Suspects,
}

impl Ingest {
    pub(super) fn new(shared: Arc<Shared>, zstd_level: i32) -> Result<Self> {
        let compressor = Compressor::new(zstd_level).map_err(|e| Error::io("start zstd", e))?;
        Ok(Self { shared, compressor })
    }

    pub(super) fn chunk(&mut self, plain: &[u8]) -> Result<Ingested> {
        if is_zero(plain) {
            return Ok(Ingested::Zeros { count: 1 });
        }
        let Shared { backend, claim, suspects } = self.shared.as_ref();
        let id = ChunkId::of(plain);
        let key = Key::Chunk(id);
        let plain_bytes = plain.len() as u64;
        // Before the chunk is looked for: from here on a sweep leaves it alone, or has removed it already.
        claim.add(key)?;
        let suspect = suspects.contain(id);
        let existing = match backend.head(key) {
            Ok(head) => match Header::decode(&head.first) {
                Ok(header)
                    if u64::from(header.plain_length) == plain_bytes
                        && header.object_length() == head.length
                        && !(suspect && is_damaged(backend.as_ref(), id)?) =>
                {
                    if suspect {
                        suspects::clear(backend.as_ref(), id);
                    }
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
        let new_bytes = match backend.put(key, &object, existing)? {
            Outcome::Stored => Some(object.len() as u64),
            // Another thread or writer was faster.
            Outcome::Kept => None,
        };
        if suspect {
            suspects::clear(backend.as_ref(), id);
        }
        Ok(Ingested::Chunk { id, plain_bytes, new_bytes })
    }
}

/// Reads a chunk that was noted. One that cannot be read is no better than a damaged one: there is a good one at hand.
fn is_damaged(backend: &dyn Backend, id: ChunkId) -> Result<bool> {
    Ok(store::read_chunk(backend, id, &mut store::decompressor()?).is_err())
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
