//! The numbers of an account's images, or of those that match a filter, as bitmaps in memory (ADR 20).

use std::collections::BTreeMap;
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use roaring::RoaringBitmap;

use crate::AccountId;

/// Maximum of cached bitmaps, in bytes. A million images take at most 128 KiB, unless they are few among many deleted ones.
pub(crate) const KEPT_BYTES_MAX: u64 = 8 << 20;
/// Approximate size of an account's bitmaps. The cache sizes its tables by it.
const ACCOUNT_BYTES: u64 = 8 << 10;
/// Weight of an account and of each of its zones besides texts and bitmaps.
const ENTRY_BYTES: usize = 256;

/// The numbers of images of an account outside the trash, by zone.
#[derive(Clone, Default)]
pub(crate) struct Positions {
    /// The account's revision that they are of.
    pub(super) revision: i64,
    pub(super) by_zone: BTreeMap<String, RoaringBitmap>,
}

/// The account of a list and its [`ImageFilter::key`](super::filter::ImageFilter::key).
pub(super) type ListKey = (AccountId, String);

/// The positions of lists that were read deep or with a filter, bounded by bytes.
pub(crate) struct PositionCache(pub(super) Cache<ListKey, Arc<Positions>, Weight>);

#[derive(Clone)]
pub(super) struct Weight;

impl Weighter<ListKey, Arc<Positions>> for Weight {
    fn weight(&self, (_, filter): &ListKey, positions: &Arc<Positions>) -> u64 {
        let zones = positions.by_zone.iter();
        let bytes: usize = zones.map(|(zone, seqs)| ENTRY_BYTES + zone.len() + seqs.serialized_size()).sum();
        (ENTRY_BYTES + filter.len() + bytes) as u64
    }
}

impl Default for PositionCache {
    fn default() -> Self {
        let expected = usize::try_from(KEPT_BYTES_MAX / ACCOUNT_BYTES).expect("some thousands");
        Self(Cache::with_weighter(expected, KEPT_BYTES_MAX, Weight))
    }
}

impl Positions {
    /// Returns the number of the image at an offset in a list of all images, or of those of some zones, newest first.
    pub(super) fn seq_at(&self, zones: Option<&[&str]>, offset: u32) -> Option<i64> {
        let listed = self.listed(zones);
        // How many are older.
        let older = self.total(zones).checked_sub(u64::from(offset) + 1)?;
        if let [seqs] = listed[..] {
            return seqs.select(u32::try_from(older).ok()?).map(i64::from);
        }
        // The smallest number up to which there are more.
        let (mut low, mut high) = (0, u32::MAX);
        while low < high {
            let middle = low + (high - low) / 2;
            let reached: u64 = listed.iter().map(|seqs| seqs.rank(middle)).sum();
            if reached > older { high = middle } else { low = middle + 1 }
        }
        Some(low.into())
    }

    /// Returns up to `limit` numbers of the same list, newest first, from this number on.
    pub(super) fn seqs_from(&self, zones: Option<&[&str]>, newest: i64, limit: u32) -> Vec<i64> {
        let newest = u32::try_from(newest.max(0)).unwrap_or(u32::MAX);
        let walks = self.listed(zones).into_iter().map(|seqs| seqs.range(..=newest).rev().peekable());
        let mut walks: Vec<_> = walks.collect();
        let next = || {
            let walk =
                walks.iter_mut().filter_map(|walk| Some((*walk.peek()?, walk))).max_by_key(|(seq, _)| *seq);
            walk.and_then(|(_, walk)| walk.next()).map(i64::from)
        };
        std::iter::from_fn(next).take(limit as usize).collect()
    }

    /// Returns how many numbers of the same list are lower.
    pub(super) fn older(&self, zones: Option<&[&str]>, seq: i64) -> u64 {
        let Ok(below) = u32::try_from(seq - 1) else { return 0 };
        self.listed(zones).iter().map(|seqs| seqs.rank(below)).sum()
    }

    /// Returns the length of the same list.
    pub(super) fn total(&self, zones: Option<&[&str]>) -> u64 {
        self.listed(zones).iter().map(|seqs| seqs.len()).sum()
    }

    fn listed(&self, zones: Option<&[&str]>) -> Vec<&RoaringBitmap> {
        let is_listed = |zone: &str| zones.is_none_or(|zones| zones.contains(&zone));
        self.by_zone.iter().filter(|(zone, _)| is_listed(zone)).map(|(_, seqs)| seqs).collect()
    }

    pub(super) fn set(&mut self, zone: String, seq: u32, is_listed: bool) {
        let seqs = self.by_zone.entry(zone).or_default();
        if is_listed {
            seqs.insert(seq)
        } else {
            seqs.remove(seq)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_counts_from_the_newest() {
        let zone = |seq: u32| ["a", "b", "c"][seq as usize % 3];
        let mut positions = Positions::default();
        for seq in 1..=300_000 {
            positions.set(zone(seq).to_owned(), seq, !seq.is_multiple_of(7));
        }
        for zones in
            [None, Some(&["a"][..]), Some(&["a", "c"][..]), Some(&["a", "nowhere"][..]), Some(&[][..])]
        {
            let is_listed =
                |seq: &u32| !seq.is_multiple_of(7) && zones.is_none_or(|zones| zones.contains(&zone(*seq)));
            let expected: Vec<u32> = (1..=300_000).rev().filter(is_listed).collect();
            let end = expected.len();
            for offset in (0..end).step_by(997).chain([end.saturating_sub(1), end]) {
                let found = positions.seq_at(zones, u32::try_from(offset).unwrap());
                assert_eq!(found, expected.get(offset).map(|seq| i64::from(*seq)), "{zones:?} {offset}");
                let rest: Vec<i64> =
                    expected.iter().skip(offset).take(5).map(|seq| i64::from(*seq)).collect();
                let read = positions.seqs_from(zones, found.unwrap_or(0), 5);
                assert_eq!(read, rest, "{zones:?} {offset}");
                let older = rest.last().map_or(0, |last| positions.older(zones, *last));
                assert_eq!(older, (end - offset.min(end) - rest.len()) as u64, "{zones:?} {offset}");
            }
        }
    }
}
