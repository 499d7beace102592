//! An open manifest.

mod extents;
mod index;
mod range;

use std::ops::Range;
use std::sync::Arc;

pub use self::extents::Extents;
use self::index::Index;
pub(crate) use self::range::ExtentsIn;
use crate::backend::Backend;
use crate::error::Result;
use crate::format::layout::Layout;
use crate::id::ManifestId;

/// Lists the extents of one disk. Opening verified the whole manifest. It holds an index of about 60 bytes per 1024
/// entries: 250 kB for a disk of 1000 GB in chunks of 256 KiB. Clones share the index.
#[derive(Clone)]
pub struct Manifest {
    backend: Arc<dyn Backend>,
    id: ManifestId,
    index: Arc<Index>,
}

impl Manifest {
    /// Reads and verifies a manifest, and indexes it.
    pub(crate) fn open(backend: &Arc<dyn Backend>, id: ManifestId) -> Result<Self> {
        let mut extents = Extents::open(backend.as_ref(), id)?;
        let index = Arc::new(Index::read(&mut extents)?);
        Ok(Self { backend: Arc::clone(backend), id, index })
    }

    /// Returns the manifest's name.
    pub fn id(&self) -> ManifestId {
        self.id
    }

    /// Returns the size of the disk or stream, in bytes.
    pub fn logical_size(&self) -> u64 {
        self.index.logical_size
    }

    /// Returns the size of every chunk but the last, in bytes; `None` for a stream, which is cut by content.
    pub fn chunk_size(&self) -> Option<u64> {
        match self.index.layout {
            Layout::Fixed(shape) => Some(shape.chunk_size),
            Layout::ByContent => None,
        }
    }

    /// Returns its memory use in bytes.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.index.memory_bytes()
    }

    /// Lists the whole disk in order, without gaps.
    pub fn extents(&self) -> Result<Extents> {
        Extents::open(self.backend.as_ref(), self.id)
    }

    /// Lists the extents that overlap a part of the disk, each with its offset on the disk. Reads only that part of the
    /// manifest.
    pub(crate) fn extents_in(&self, part: Range<u64>) -> ExtentsIn {
        ExtentsIn::new(Arc::clone(&self.backend), self.id, Arc::clone(&self.index), part)
    }
}
