//! Where in a manifest the entries for each part of the disk are, so that a part is read without the rest.

use std::ops::Range;
use std::vec;

use super::{Extent, Extents, Manifest, decode_error};
use crate::error::{Error, Result};
use crate::format::manifest::{DecodeError, Decoder};
use crate::key::Key;

/// Entries in a segment, which is read at once: 33 to 37 KiB.
const SEGMENT_ENTRIES: usize = 1024;

/// The segments of a manifest, in order. The name of a manifest vouches for all of it; the hash of a segment, taken while
/// the whole was checked, vouches for that segment when it is read again.
pub(super) struct Index(Vec<Segment>);

struct Segment {
    /// Byte of the disk where its first entry starts.
    position: u64,
    /// Where it starts in the manifest, and its length there.
    offset: u64,
    length: usize,
    hash: blake3::Hash,
}

impl Index {
    /// Reads the entries of a manifest to their end.
    pub(super) fn read(extents: &mut Extents) -> Result<Self> {
        let mut segments = Vec::new();
        // The header is in no segment.
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
                return Ok(Self(segments));
            }
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.0.len() * size_of::<Segment>()
    }

    /// The number of the segment in which this byte of the disk is.
    fn find(&self, byte: u64) -> usize {
        self.0.partition_point(|segment| segment.position <= byte).saturating_sub(1)
    }
}

/// The extents that overlap a part of a disk, each with the byte of the disk where it starts. Nothing follows an error.
pub(crate) struct ExtentsIn {
    manifest: Manifest,
    part: Range<u64>,
    /// Those of the segment that was read last.
    read: vec::IntoIter<(u64, Extent)>,
    next_segment: usize,
    failed: bool,
}

impl ExtentsIn {
    pub(super) fn new(manifest: Manifest, part: Range<u64>) -> Self {
        let next_segment = manifest.index.find(part.start);
        Self { manifest, part, read: Vec::new().into_iter(), next_segment, failed: false }
    }

    /// Reads the next segment; nothing when the part ends before it.
    fn read_segment(&mut self) -> Result<Option<Vec<(u64, Extent)>>> {
        let Manifest { backend, id, layout, logical_size, index } = &self.manifest;
        let segments = &index.0;
        let segment = segments.get(self.next_segment).filter(|segment| segment.position < self.part.end);
        let Some(segment) = segment else { return Ok(None) };
        self.next_segment += 1;
        let end = segments.get(self.next_segment).map_or(*logical_size, |next| next.position);

        let key = Key::Manifest(*id);
        let bytes = backend.read_part(key, segment.offset, segment.length)?;
        if blake3::hash(&bytes) != segment.hash {
            return Err(Error::Damaged { key, reason: "it is not what it was when it was opened" });
        }
        let mut decoder = Decoder::resume(&bytes, *layout, segment.position);
        let mut extents = Vec::new();
        while decoder.position() < end {
            let start = decoder.position();
            let extent = decoder.next().map_err(|error| decode_error(key, error))?;
            let ended = || decode_error(key, DecodeError::Malformed("it ends too early"));
            extents.push((start, extent.ok_or_else(ended)?));
        }
        Ok(Some(extents))
    }

    fn advance(&mut self) -> Result<Option<(u64, Extent)>> {
        loop {
            for (start, extent) in self.read.by_ref() {
                let (Extent::Zero { len } | Extent::Chunk { len, .. }) = extent;
                if start + len > self.part.start && start < self.part.end {
                    return Ok(Some((start, extent)));
                }
            }
            match self.read_segment()? {
                None => return Ok(None),
                Some(extents) => self.read = extents.into_iter(),
            }
        }
    }
}

impl Iterator for ExtentsIn {
    type Item = Result<(u64, Extent)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.advance();
        self.failed = next.is_err();
        next.transpose()
    }
}
