//! Finds the entries for a part of the disk without reading the rest of the manifest.

use super::extents::{Extents, decode_error};
use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::format::layout::{Extent, Layout};
use crate::format::manifest::{DecodeError, Decoder};
use crate::id::ManifestId;
use crate::key::Key;

/// Entries in a segment, which is read at once: 33 to 37 KiB.
const SEGMENT_ENTRIES: usize = 1024;

/// The segments of a manifest, in order. The manifest's name verifies the whole; the hash of a segment, taken while the
/// whole was verified, verifies that segment when it is read again.
pub(super) struct Index {
    pub(super) layout: Layout,
    pub(super) logical_size: u64,
    segments: Vec<Segment>,
}

struct Segment {
    /// Offset on the disk of its first entry.
    position: u64,
    /// Offset and length in the manifest.
    offset: u64,
    length: usize,
    hash: blake3::Hash,
}

impl Index {
    pub(super) fn read(extents: &mut Extents) -> Result<Self> {
        let mut segments = Vec::new();
        // The header belongs to no segment.
        extents.decoder.begin_segment();
        loop {
            let (position, offset) = (extents.decoder.position(), extents.decoder.offset());
            let mut entries = 0;
            for extent in extents.by_ref().take(SEGMENT_ENTRIES) {
                extent?;
                entries += 1;
            }
            let hash = extents.decoder.begin_segment();
            if let (Some(hash), 1..) = (hash, entries) {
                let length = usize::try_from(extents.decoder.offset() - offset).expect("some entries");
                segments.push(Segment { position, offset, length, hash });
            }
            if entries < SEGMENT_ENTRIES {
                segments.shrink_to_fit();
                let (layout, logical_size) = (extents.decoder.layout(), extents.decoder.position());
                return Ok(Self { layout, logical_size, segments });
            }
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.segments.len() * size_of::<Segment>()
    }

    /// Returns the number of the segment that covers this byte of the disk.
    pub(super) fn find(&self, byte: u64) -> usize {
        self.segments.partition_point(|segment| segment.position <= byte).saturating_sub(1)
    }

    /// Returns the offset on the disk where a segment starts.
    pub(super) fn start_of(&self, segment: usize) -> Option<u64> {
        self.segments.get(segment).map(|segment| segment.position)
    }

    /// Reads a segment again: its extents with their offsets on the disk.
    pub(super) fn read_segment(
        &self,
        backend: &dyn Backend,
        id: ManifestId,
        number: usize,
    ) -> Result<Vec<(u64, Extent)>> {
        let key = Key::Manifest(id);
        let Segment { position, offset, length, hash } = &self.segments[number];
        let bytes = backend.read_part(key, *offset, *length)?;
        if blake3::hash(&bytes) != *hash {
            return Err(Error::Damaged { key, reason: "it changed since it was opened" });
        }
        let end = self.start_of(number + 1).unwrap_or(self.logical_size);
        let mut decoder = Decoder::resume(&bytes, self.layout, *position);
        let mut extents = Vec::new();
        while decoder.position() < end {
            let start = decoder.position();
            let extent = decoder.next().map_err(|error| decode_error(key, error))?;
            let ended = || decode_error(key, DecodeError::Malformed("it ends too early"));
            extents.push((start, extent.ok_or_else(ended)?));
        }
        Ok(extents)
    }
}
