//! Keys of objects.

use std::fmt;

use crate::id::{ChunkId, ManifestId};

/// The kinds of object. Claims record them by their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A piece of a disk.
    Chunk,
    /// A list of chunks.
    Manifest,
    /// An empty object that marks the chunk of that name as corrupted.
    QuarantineMark,
}

impl Kind {
    /// Returns the folder of these objects.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Chunk => "chunks",
            Self::Manifest => "manifests",
            Self::QuarantineMark => "suspects",
        }
    }
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

impl Key {
    pub(crate) fn new(kind: Kind, name: [u8; 32]) -> Self {
        match kind {
            Kind::Chunk => Self::Chunk(ChunkId(name)),
            Kind::Manifest => Self::Manifest(ManifestId(name)),
            Kind::QuarantineMark => Self::QuarantineMark(ChunkId(name)),
        }
    }

    pub(crate) fn parts(&self) -> (Kind, &[u8; 32]) {
        match self {
            Self::Chunk(ChunkId(name)) => (Kind::Chunk, name),
            Self::Manifest(ManifestId(name)) => (Kind::Manifest, name),
            Self::QuarantineMark(ChunkId(name)) => (Kind::QuarantineMark, name),
        }
    }

    /// Returns the kind of the object.
    pub fn kind(&self) -> Kind {
        self.parts().0
    }

    /// Returns the name within its kind: 64 lowercase hexadecimal digits.
    pub fn name(&self) -> String {
        hex::encode(self.parts().1)
    }

    /// Returns the first byte of the name, by which objects are grouped and listed.
    pub fn prefix(&self) -> u8 {
        self.parts().1[0]
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
