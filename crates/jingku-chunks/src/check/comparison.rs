//! Compares what manifests reference with what is stored.

use super::report::CheckReport;
use super::scanner::{Group, Scanner, reason};
use crate::backend::Backend;
use crate::chunk_reader::ChunkReader;
use crate::error::Error;
use crate::format::layout::Extent;
use crate::id::{ChunkId, ManifestId};
use crate::key::Key;
use crate::manifest::Extents;

/// The most chunks of one manifest in one group that are examined again because they did not look good.
const AGAIN_MAX: usize = 10_000;

pub(super) struct Comparison<'a> {
    backend: &'a dyn Backend,
    manifests: &'a [ManifestId],
    scanner: &'a Scanner<'a>,
    /// Corrupted manifests: what they reference is unknown.
    unreadable: Vec<bool>,
}

/// Chunks of one manifest that did not look good.
#[derive(Default)]
struct Bad {
    chunks: Vec<(ChunkId, u64)>,
    more: bool,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(
        backend: &'a dyn Backend,
        manifests: &'a [ManifestId],
        scanner: &'a Scanner<'a>,
    ) -> Self {
        Self { backend, manifests, scanner, unreadable: vec![false; manifests.len()] }
    }

    /// Compares all manifests with a group of chunks and adds what is wrong.
    pub(super) fn all(&mut self, group: &mut Group, report: &mut CheckReport) {
        for (place, id) in self.manifests.iter().enumerate() {
            if self.unreadable[place] {
                continue;
            }
            match self.bad_chunks(place, *id, group, report) {
                Ok(bad) => self.look_again(place, bad, group, report),
                Err(error) => {
                    self.unreadable[place] = true;
                    report.logical_sizes[place] = None;
                    report.add(Key::Manifest(*id), || reason(&error), place);
                }
            }
        }
        let named = |id: &&ChunkId| report.places.contains_key(&Key::Chunk(**id));
        let spare = group.damaged.len() - group.damaged.keys().filter(named).count();
        report.unreferenced_findings += spare as u64;
    }

    /// Reads the whole manifest: its hash is only verified at the end.
    fn bad_chunks(
        &self,
        place: usize,
        id: ManifestId,
        group: &mut Group,
        report: &mut CheckReport,
    ) -> Result<Bad, Error> {
        let mut extents = Extents::open(self.backend, id)?;
        let mut bad = Bad::default();
        for extent in extents.by_ref() {
            if let Extent::Chunk { id, len } = extent?
                && group.has(id)
                && group.chunks.get(id).is_none_or(|length| u64::from(*length) != len)
            {
                if bad.chunks.len() < AGAIN_MAX {
                    bad.chunks.push((id, len));
                } else {
                    bad.more = true;
                }
            }
        }
        report.logical_sizes[place] = Some(extents.covered());
        Ok(bad)
    }

    /// A writer may have repaired a chunk since it was scanned.
    fn look_again(&self, place: usize, mut bad: Bad, group: &Group, report: &mut CheckReport) {
        report.corrupt[place] |= bad.more;
        bad.chunks.sort_unstable();
        bad.chunks.dedup();
        for (id, len) in bad.chunks {
            let key = Key::Chunk(id);
            if report.places.contains_key(&key) {
                report.add(key, String::new, place);
            } else if let Some(reason) = self.wrong(id, len, group) {
                report.add(key, || reason, place);
            }
        }
    }

    fn wrong(&self, id: ChunkId, len: u64, group: &Group) -> Option<String> {
        let seen = ChunkReader::new().and_then(|mut reader| {
            // Its header may be intact although its content is not.
            if group.damaged.contains_key(&id) {
                reader.read_or_mark(self.backend, id).map(|plain| plain.len() as u64)
            } else {
                self.scanner.chunk(id, &mut reader).map(u64::from)
            }
        });
        match seen {
            Ok(length) if length == len => None,
            Ok(_) => Some("it is not as long as the manifest says".to_owned()),
            Err(error) => Some(reason(&error)),
        }
    }
}
