//! The header and the entries of a manifest: `docs/format/manifest.md`.

use super::chunk::{CHUNK_SIZE_MAX, CHUNK_SIZE_MIN, Malformed};
use crate::id::ChunkId;

/// The largest disk, in bytes: 1 PiB.
pub const LOGICAL_SIZE_MAX: u64 = 1 << 50;

pub(super) const MAGIC: [u8; 4] = *b"JKMF";
pub(super) const VERSION_FIXED: u8 = 1;
pub(super) const VERSION_BY_CONTENT: u8 = 2;
pub(super) const TAG_ZEROS: u8 = 0;
pub(super) const TAG_CHUNK: u8 = 1;
/// Version 2 only: the length of a stream is not known before its end.
pub(super) const TAG_END: u8 = 2;

/// How the content of a manifest was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A disk, at fixed offsets.
    Fixed(Shape),
    /// A stream, into chunks of any size.
    ByContent,
}

impl Layout {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        match self {
            Self::Fixed(Shape { logical_size, chunk_size }) => {
                bytes.extend([VERSION_FIXED, 0, 0, 0]);
                bytes.extend(logical_size.to_le_bytes());
                // The field has four bytes; the upper four of a checked size are zero.
                bytes.extend(&chunk_size.to_le_bytes()[..4]);
            }
            Self::ByContent => bytes.extend([VERSION_BY_CONTENT, 0, 0, 0]),
        }
        bytes
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Size of the disk, in bytes.
    pub(crate) logical_size: u64,
    /// Size of every chunk but the last, in bytes.
    pub(crate) chunk_size: u64,
}

impl Shape {
    /// Checks the limits of `docs/format`.
    pub(crate) fn check(self) -> Result<Self, Malformed> {
        if self.logical_size > LOGICAL_SIZE_MAX {
            return Err("the disk is larger than 1 PiB");
        }
        if !self.chunk_size.is_power_of_two() || !(CHUNK_SIZE_MIN..=CHUNK_SIZE_MAX).contains(&self.chunk_size)
        {
            return Err("the chunk size is not a power of two from 4 KiB to 4 MiB");
        }
        Ok(self)
    }
}

/// One extent of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Zeros.
    Zero {
        /// Length in bytes.
        len: u64,
    },
    /// A chunk.
    Chunk {
        /// Its name.
        id: ChunkId,
        /// Length in bytes.
        len: u64,
    },
}

impl Extent {
    pub(crate) fn len(self) -> u64 {
        match self {
            Self::Zero { len } | Self::Chunk { len, .. } => len,
        }
    }
}
