//! Compares what manifests reference with what is stored.

use super::report::CheckReport;
use super::scanner::{Group, Scanner, reason};
use crate::chunk_reader::ChunkReader;
use crate::error::Result;
use crate::format::layout::Extent;
use crate::format::manifest::Decoder;
use crate::id::{ChunkId, ManifestId};
use crate::key::Key;

/// The most chunks of one manifest in one group that are examined again because they did not look good.
const AGAIN_MAX: usize = 10_000;

pub(super) struct Comparison<'a> {
    scanner: &'a Scanner<'a>,
    manifests: &'a [ManifestId],
    /// Corrupted manifests: what they reference is unknown.
    unreadable: Vec<bool>,
}

impl<'a> Comparison<'a> {
    pub(super) fn new(scanner: &'a Scanner<'a>, manifests: &'a [ManifestId]) -> Self {
        Self { scanner, manifests, unreadable: vec![false; manifests.len()] }
    }

    /// Compares all manifests with a group of chunks and adds what is wrong.
    pub(super) fn all(&mut self, group: &Group, report: &mut CheckReport) {
        for (place, id) in self.manifests.iter().enumerate() {
            if self.unreadable[place] {
                continue;
            }
            if let Err(error) = self.compare(place, *id, group, report) {
                self.unreadable[place] = true;
                report.logical_sizes[place] = None;
                report.add(Key::Manifest(*id), || reason(&error), place);
            }
        }
        let named = |id: &&ChunkId| report.places.contains_key(&Key::Chunk(**id));
        let spare = group.damaged.len() - group.damaged.keys().filter(named).count();
        report.unreferenced_findings += spare as u64;
    }

    /// Reads the whole manifest, whose hash is only verified at the end, then examines the chunks that do not look good
    /// again: a writer may have repaired one since it was scanned.
    fn compare(&self, place: usize, id: ManifestId, group: &Group, report: &mut CheckReport) -> Result<()> {
        let mut extents = Decoder::open(self.scanner.backend, id)?;
        let mut bad = Vec::new();
        for extent in extents.by_ref() {
            if let Extent::Chunk { id, len } = extent?
                && group.prefixes.contains(&id.0[0])
                && group.chunks.get(id).map(u64::from) != Some(len)
            {
                if bad.len() < AGAIN_MAX {
                    bad.push((id, len));
                } else {
                    report.corrupt[place] = true;
                }
            }
        }
        report.logical_sizes[place] = Some(extents.position);
        bad.sort_unstable();
        bad.dedup();
        for (id, len) in bad {
            let key = Key::Chunk(id);
            if report.places.contains_key(&key) {
                report.add(key, String::new, place);
            } else if let Some(reason) = self.wrong(id, len, group) {
                report.add(key, || reason, place);
            }
        }
        Ok(())
    }

    fn wrong(&self, id: ChunkId, len: u64, group: &Group) -> Option<String> {
        let seen = ChunkReader::new().and_then(|mut reader| {
            // Its header may be intact although its content is not.
            if group.damaged.contains_key(&id) {
                reader.read_or_mark(self.scanner.backend, id).map(|plain| plain.len() as u64)
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
