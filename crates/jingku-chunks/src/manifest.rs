//! A manifest opened for reading.

mod index;

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::format::manifest::{DecodeError, Decoder, Layout};
use crate::id::{ChunkId, ManifestId};
use crate::key::Key;
use index::Index;

pub(crate) use index::ExtentsIn;

/// Lists what is where on one disk. It was read in full and checked when it was opened. Memory holds an index of it, about
/// 60 bytes for every 1024 entries: 250 kB for a disk of 1000 GB in chunks of 256 KiB. Clones share the index.
#[derive(Clone)]
pub struct Manifest {
    backend: Arc<dyn Backend>,
    id: ManifestId,
    layout: Layout,
    logical_size: u64,
    index: Arc<Index>,
}

/// One stretch of a disk.
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
        /// Its length in bytes.
        len: u64,
    },
}

impl Manifest {
    /// Reads a manifest in full, checks it, and keeps an index.
    pub(crate) fn open(backend: &Arc<dyn Backend>, id: ManifestId) -> Result<Self> {
        let mut extents = Extents::open(backend.as_ref(), id)?;
        let index = Arc::new(Index::read(&mut extents)?);
        let (layout, logical_size) = (extents.decoder.layout(), extents.decoder.position());
        Ok(Self { backend: Arc::clone(backend), id, layout, logical_size, index })
    }

    /// Returns the manifest's name.
    pub fn id(&self) -> ManifestId {
        self.id
    }

    /// Returns the size of the disk or stream, in bytes.
    pub fn logical_size(&self) -> u64 {
        self.logical_size
    }

    /// Returns the size of every chunk but the last, in bytes; nothing for a stream, which is cut by content.
    pub fn chunk_size(&self) -> Option<u64> {
        match self.layout {
            Layout::Fixed(shape) => Some(shape.chunk_size),
            Layout::ByContent => None,
        }
    }

    /// Returns how much memory it takes, in bytes.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.index.memory_bytes()
    }

    /// Lists the disk from its start, in order and without gaps.
    pub fn extents(&self) -> Result<Extents> {
        Extents::open(self.backend.as_ref(), self.id)
    }

    /// Lists what overlaps a part of the disk, each extent with the byte of the disk where it starts. Reads no more of the
    /// manifest than that takes.
    pub(crate) fn extents_in(&self, part: Range<u64>) -> ExtentsIn {
        ExtentsIn::new(self.clone(), part)
    }
}

/// Reads a manifest entry by entry.
///
/// The last entry is followed by an error instead of the end if the manifest turns out not to be what its name says.
/// Nothing follows an error.
pub struct Extents {
    key: Key,
    id: ManifestId,
    decoder: Decoder<Box<dyn Read + Send>>,
    ended: bool,
}

impl Extents {
    pub(crate) fn open(backend: &dyn Backend, id: ManifestId) -> Result<Self> {
        let key = Key::Manifest(id);
        let object = backend.read(key)?;
        let decoder = Decoder::new(object.body).map_err(|e| decode_error(key, e))?;
        Ok(Self { key, id, decoder, ended: false })
    }

    /// Returns how many bytes the entries read so far cover: after the last one, the size of the disk or stream.
    pub(crate) fn covered(&self) -> u64 {
        self.decoder.position()
    }

    fn advance(&mut self) -> Result<Option<Extent>, DecodeError> {
        let extent = self.decoder.next()?;
        if extent.is_none() && self.decoder.finish()? != self.id {
            return Err(DecodeError::Malformed("it is another manifest"));
        }
        Ok(extent)
    }
}

impl Iterator for Extents {
    type Item = Result<Extent>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let extent = self.advance().map_err(|e| decode_error(self.key, e)).transpose();
        self.ended = !matches!(extent, Some(Ok(_)));
        extent
    }
}

fn decode_error(key: Key, error: DecodeError) -> Error {
    match error {
        DecodeError::Io(source) => Error::io(format!("read {key}"), source),
        DecodeError::Malformed(reason) => Error::Damaged { key, reason },
    }
}
