//! The header and the entries of a manifest: `docs/format/manifest.md`.

use super::chunk::{CHUNK_SIZE_MAX, CHUNK_SIZE_MIN, Malformed};
use crate::id::ChunkId;

/// The largest disk, in bytes: 1 PiB.
pub const LOGICAL_SIZE_MAX: u64 = 1 << 50;

const MAGIC: [u8; 4] = *b"JKMF";
/// Common start of all versions: magic, version, reserved.
pub(super) const START_BYTES: usize = 8;
/// The rest of the header in version 1.
pub(super) const SHAPE_BYTES: usize = 12;
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    Fixed = 1,
    ByContent = 2,
}

impl Layout {
    pub(super) fn encode(self) -> Vec<u8> {
        let version = match self {
            Self::Fixed(_) => Version::Fixed,
            Self::ByContent => Version::ByContent,
        };
        let mut bytes = vec![0; START_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = version as u8;
        if let Self::Fixed(shape) = self {
            bytes.extend(shape.encode());
        }
        bytes
    }
}

pub(super) fn version(start: [u8; START_BYTES]) -> Result<Version, Malformed> {
    let [m0, m1, m2, m3, version, reserved @ ..] = start;
    if [m0, m1, m2, m3] != MAGIC {
        return Err("it does not begin like a manifest");
    }
    if reserved != [0; 3] {
        return Err("its reserved bytes are not zero");
    }
    match version {
        1 => Ok(Version::Fixed),
        2 => Ok(Version::ByContent),
        _ => Err("its version is unknown"),
    }
}

/// How a disk is cut.
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

    fn encode(self) -> [u8; SHAPE_BYTES] {
        let mut bytes = [0; SHAPE_BYTES];
        bytes[..8].copy_from_slice(&self.logical_size.to_le_bytes());
        // The field has four bytes; the upper four of a checked size are zero.
        bytes[8..].copy_from_slice(&self.chunk_size.to_le_bytes()[..4]);
        bytes
    }

    pub(super) fn decode(bytes: [u8; SHAPE_BYTES]) -> Result<Self, Malformed> {
        let [l0, l1, l2, l3, l4, l5, l6, l7, c0, c1, c2, c3] = bytes;
        let logical_size = u64::from_le_bytes([l0, l1, l2, l3, l4, l5, l6, l7]);
        let chunk_size = u32::from_le_bytes([c0, c1, c2, c3]).into();
        Self { logical_size, chunk_size }.check()
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
