//! Encodes a manifest as a stream.

use crate::format::layout::{Layout, TAG_CHUNK, TAG_END, TAG_ZEROS};
use crate::id::{ChunkId, ManifestId};

/// Encodes chunks in order. Does no I/O: the caller takes the bytes.
pub(crate) struct Encoder {
    layout: Layout,
    hasher: blake3::Hasher,
    /// Not taken yet.
    pub(crate) bytes: Vec<u8>,
    /// Zeros not written yet, since more may follow.
    zeros: u64,
    /// Bytes of the disk covered so far.
    pub(crate) position: u64,
}

impl Encoder {
    pub(crate) fn new(layout: Layout) -> Self {
        let mut encoder =
            Self { layout, hasher: blake3::Hasher::new(), bytes: Vec::new(), zeros: 0, position: 0 };
        encoder.append(&layout.encode());
        encoder
    }

    /// Appends zeros: whole chunks of a disk, or up to its end.
    pub(crate) fn zeros(&mut self, len: u64) {
        self.zeros += len;
        self.position += len;
    }

    pub(crate) fn chunk(&mut self, id: ChunkId, len: u32) {
        self.end_zeros();
        self.append(&[TAG_CHUNK]);
        if matches!(self.layout, Layout::ByContent) {
            self.append(&len.to_le_bytes());
        }
        self.append(&id.0);
        self.position += u64::from(len);
    }

    pub(crate) fn finish(&mut self) -> ManifestId {
        self.end_zeros();
        if matches!(self.layout, Layout::ByContent) {
            self.append(&[TAG_END]);
            self.append(&self.position.to_le_bytes());
        }
        let hash = self.hasher.finalize();
        self.bytes.extend_from_slice(hash.as_bytes());
        ManifestId(hash.into())
    }

    fn end_zeros(&mut self) {
        if self.zeros > 0 {
            let len = std::mem::take(&mut self.zeros);
            self.append(&[TAG_ZEROS]);
            let count = match self.layout {
                Layout::Fixed(shape) => len.div_ceil(shape.chunk_size),
                Layout::ByContent => len,
            };
            self.append(&count.to_le_bytes());
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes.extend_from_slice(bytes);
    }
}
