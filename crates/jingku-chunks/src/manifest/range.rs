//! Lists a part of a disk.

use std::ops::Range;
use std::sync::Arc;
use std::vec;

use super::index::Index;
use crate::backend::Backend;
use crate::error::Result;
use crate::format::layout::Extent;
use crate::id::ManifestId;

/// The extents that overlap a part of a disk, each with its offset on the disk. Nothing follows an error.
pub(crate) struct ExtentsIn {
    backend: Arc<dyn Backend>,
    id: ManifestId,
    index: Arc<Index>,
    part: Range<u64>,
    read: vec::IntoIter<(u64, Extent)>,
    next_segment: usize,
    failed: bool,
}

impl ExtentsIn {
    pub(super) fn new(
        backend: Arc<dyn Backend>,
        id: ManifestId,
        index: Arc<Index>,
        part: Range<u64>,
    ) -> Self {
        let next_segment = index.find(part.start);
        Self { backend, id, index, part, read: Vec::new().into_iter(), next_segment, failed: false }
    }

    fn advance(&mut self) -> Result<Option<(u64, Extent)>> {
        loop {
            for (start, extent) in self.read.by_ref() {
                if start + extent.len() > self.part.start && start < self.part.end {
                    return Ok(Some((start, extent)));
                }
            }
            if self.index.start_of(self.next_segment).is_none_or(|start| start >= self.part.end) {
                return Ok(None);
            }
            let extents = self.index.read_segment(self.backend.as_ref(), self.id, self.next_segment)?;
            self.next_segment += 1;
            self.read = extents.into_iter();
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
