//! The numbers of an account's images as bitmaps in memory (ADR 20).

use std::collections::BTreeMap;
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use roaring::RoaringBitmap;

use crate::AccountId;

/// Maximum of cached bitmaps, in bytes. A million images take at most 128 KiB, unless they are few among many deleted ones.
const KEPT_BYTES_MAX: u64 = 32 << 20;
/// Approximate size of an account's bitmaps. The cache sizes its tables by it.
const ACCOUNT_BYTES: u64 = 8 << 10;
/// Weight of an account and of each of its zones besides the bitmaps.
const ENTRY_BYTES: usize = 256;

/// The numbers of an account's images outside the trash, by zone.
#[derive(Clone, Default)]
pub(crate) struct Positions {
    /// The account's revision that they are of.
    pub(super) revision: i64,
    pub(super) by_zone: BTreeMap<String, RoaringBitmap>,
}

/// The positions of the accounts whose lists were read deep, bounded by bytes.
pub(crate) struct PositionCache(pub(super) Cache<AccountId, Arc<Positions>, Weight>);

#[derive(Clone)]
pub(super) struct Weight;

impl Weighter<AccountId, Arc<Positions>> for Weight {
    fn weight(&self, _: &AccountId, positions: &Arc<Positions>) -> u64 {
        let zones = positions.by_zone.iter();
        let bytes: usize = zones.map(|(zone, seqs)| ENTRY_BYTES + zone.len() + seqs.serialized_size()).sum();
        (ENTRY_BYTES + bytes) as u64
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
        let is_listed = |zone: &str| zones.is_none_or(|zones| zones.contains(&zone));
        let listed: Vec<_> =
            self.by_zone.iter().filter(|(zone, _)| is_listed(zone)).map(|(_, seqs)| seqs).collect();
        let total: u64 = listed.iter().map(|seqs| seqs.len()).sum();
        // How many are older.
        let older = total.checked_sub(u64::from(offset) + 1)?;
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
            }
        }
    }
}
