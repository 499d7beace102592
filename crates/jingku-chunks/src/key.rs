//! Keys of objects.

use std::fmt;

use crate::id::{ChunkId, ManifestId, ParseIdError};

/// The kinds of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A piece of a disk.
    Chunk,
    /// A list of chunks.
    Manifest,
    /// An empty object that marks the chunk of that name as corrupted.
    QuarantineMark,
}

/// Names one object in a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The chunk.
    Chunk(ChunkId),
    /// The manifest.
    Manifest(ManifestId),
    /// The quarantine mark of this chunk.
    QuarantineMark(ChunkId),
}

impl Kind {
    /// Parses the name of an object of this kind.
    pub fn key(self, name: &str) -> Result<Key, ParseIdError> {
        match self {
            Self::Chunk => name.parse().map(Key::Chunk),
            Self::Manifest => name.parse().map(Key::Manifest),
            Self::QuarantineMark => name.parse().map(Key::QuarantineMark),
        }
    }
}

impl Key {
    /// Returns the kind of the object.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Chunk(_) => Kind::Chunk,
            Self::Manifest(_) => Kind::Manifest,
            Self::QuarantineMark(_) => Kind::QuarantineMark,
        }
    }

    /// Returns the name within its kind: 64 lowercase hexadecimal digits.
    pub fn name(&self) -> String {
        match self {
            Self::Chunk(id) | Self::QuarantineMark(id) => id.to_string(),
            Self::Manifest(id) => id.to_string(),
        }
    }

    /// Returns the first byte of the name, by which objects are grouped and listed.
    pub fn prefix(&self) -> u8 {
        match self {
            Self::Chunk(ChunkId(bytes))
            | Self::QuarantineMark(ChunkId(bytes))
            | Self::Manifest(ManifestId(bytes)) => bytes[0],
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chunk(id) => write!(f, "chunk {id}"),
            Self::Manifest(id) => write!(f, "manifest {id}"),
            Self::QuarantineMark(id) => write!(f, "quarantine mark of chunk {id}"),
        }
    }
}
