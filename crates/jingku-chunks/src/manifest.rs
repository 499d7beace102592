//! An open manifest.

use std::ops::Range;
use std::sync::Arc;

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::format::layout::{Extent, Layout};
use crate::format::manifest::Decoder;
use crate::id::ManifestId;
use crate::key::Key;

/// Entries in a segment, which is read at once: 33 to 37 KiB.
const SEGMENT_ENTRIES: usize = 1024;

/// Lists the extents of one disk. Opening verified the whole manifest. It holds an index of about 60 bytes per 1024
/// entries: 250 kB for a disk of 1000 GB in chunks of 256 KiB. Clones share the index.
#[derive(Clone)]
pub struct Manifest {
    backend: Arc<dyn Backend>,
    id: ManifestId,
    layout: Layout,
    logical_size: u64,
    segments: Arc<[Segment]>,
}

/// Consecutive entries. The manifest's name verifies the whole; the hash of a segment, taken while the whole was
/// verified, verifies that segment when it is read again.
struct Segment {
    /// Offset on the disk of its first entry.
    position: u64,
    offset: u64,
    length: usize,
    hash: blake3::Hash,
}

impl Manifest {
    /// Reads and verifies a manifest, and indexes it.
    pub(crate) fn open(backend: &Arc<dyn Backend>, id: ManifestId) -> Result<Self> {
        let mut entries = Decoder::open(backend.as_ref(), id)?;
        let mut segments = Vec::new();
        let mut count = SEGMENT_ENTRIES;
        // The header belongs to no segment.
        entries.begin_segment();
        while count == SEGMENT_ENTRIES {
            let (position, offset) = (entries.position, entries.offset);
            let segment = entries.by_ref().take(SEGMENT_ENTRIES);
            count = segment.map(|extent| extent.map(|_| 1)).sum::<Result<usize>>()?;
            if let (Some(hash), 1..) = (entries.begin_segment(), count) {
                let length = usize::try_from(entries.offset - offset).expect("some entries");
                segments.push(Segment { position, offset, length, hash });
            }
        }
        let (layout, logical_size) = (entries.layout, entries.position);
        Ok(Self { backend: Arc::clone(backend), id, layout, logical_size, segments: segments.into() })
    }

    /// Returns the manifest's name.
    pub fn id(&self) -> ManifestId {
        self.id
    }

    /// Returns the size of the disk or stream, in bytes.
    pub fn logical_size(&self) -> u64 {
        self.logical_size
    }

    /// Returns the size of every chunk but the last, in bytes; `None` for a stream, which is cut by content.
    pub fn chunk_size(&self) -> Option<u64> {
        match self.layout {
            Layout::Fixed(shape) => Some(shape.chunk_size),
            Layout::ByContent => None,
        }
    }

    /// Returns its memory use in bytes.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.segments)
    }

    /// Lists the whole disk in order, without gaps.
    ///
    /// If the manifest no longer matches its name, the last extent is followed by an error. Nothing follows an error.
    pub fn extents(&self) -> Result<impl Iterator<Item = Result<Extent>> + use<>> {
        Decoder::open(self.backend.as_ref(), self.id)
    }

    /// Lists the extents that overlap a part of the disk, each with its offset on the disk. Reads only that part of the
    /// manifest.
    pub(crate) fn extents_in(
        &self,
        part: Range<u64>,
    ) -> impl Iterator<Item = Result<(u64, Extent)>> + Send + use<> {
        let after = self.segments.partition_point(|segment| segment.position <= part.start);
        let end = self.segments.partition_point(|segment| segment.position < part.end);
        let manifest = self.clone();
        let read = move |number| match manifest.read_segment(number) {
            Ok(extents) => extents.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        };
        (after.saturating_sub(1)..end).flat_map(read).filter(move |found| match found {
            Ok((start, extent)) => start + extent.len() > part.start && *start < part.end,
            Err(_) => true,
        })
    }

    /// Reads a segment again: its extents with their offsets on the disk.
    fn read_segment(&self, number: usize) -> Result<Vec<(u64, Extent)>> {
        let key = Key::Manifest(self.id);
        let Segment { position, offset, length, hash } = &self.segments[number];
        let bytes = self.backend.read_part(key, *offset, *length)?;
        if blake3::hash(&bytes) != *hash {
            return Err(Error::Damaged { key, reason: "it changed since it was opened" });
        }
        let end = self.segments.get(number + 1).map_or(self.logical_size, |next| next.position);
        let mut entries = Decoder::resume(&bytes[..], self.id, self.layout, *position);
        let next = || {
            let start = entries.position;
            let extent = if start < end { entries.next() } else { None };
            extent.map(|extent| Ok((start, extent?)))
        };
        std::iter::from_fn(next).collect()
    }
}
