//! Writing a manifest as a stream.

use super::{Shape, TAG_CHUNK, TAG_ZEROS};
use crate::id::{ChunkId, ManifestId};

/// Turns chunks in order into the bytes of a manifest. It does no I/O: the caller takes the bytes away now and then.
pub(crate) struct Encoder {
    shape: Shape,
    hasher: blake3::Hasher,
    bytes: Vec<u8>,
    /// Chunks of zeros that were told of but not written, since more may follow.
    zeros: u64,
    chunk_count: u64,
}

impl Encoder {
    pub(crate) fn new(shape: Shape) -> Self {
        let mut encoder =
            Self { shape, hasher: blake3::Hasher::new(), bytes: Vec::new(), zeros: 0, chunk_count: 0 };
        encoder.append(&shape.encode());
        encoder
    }

    /// Appends a run of zeros, in chunks.
    pub(crate) fn zeros(&mut self, count: u64) {
        self.zeros += count;
        self.chunk_count += count;
    }

    /// Appends a chunk.
    pub(crate) fn chunk(&mut self, id: ChunkId) {
        self.end_zeros();
        self.append(&[TAG_CHUNK]);
        self.append(&id.0);
        self.chunk_count += 1;
    }

    /// Tells whether the disk is covered.
    pub(crate) fn is_complete(&self) -> bool {
        self.chunk_count == self.shape.chunk_count()
    }

    /// Appends the trailer and returns the manifest's name.
    pub(crate) fn finish(&mut self) -> ManifestId {
        self.end_zeros();
        let hash = self.hasher.finalize();
        self.bytes.extend_from_slice(hash.as_bytes());
        ManifestId(hash.into())
    }

    /// Number of bytes waiting to be taken.
    pub(crate) fn pending_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Takes the bytes written since the last call.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    fn end_zeros(&mut self) {
        if self.zeros > 0 {
            let count = std::mem::take(&mut self.zeros);
            self.append(&[TAG_ZEROS]);
            self.append(&count.to_le_bytes());
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes.extend_from_slice(bytes);
    }
}
