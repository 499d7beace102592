//! Which image is at an offset: the numbers of an account's images as bitmaps in memory (ADR 20).
//!
//! Bitmaps are read once and then follow the changes: every statement that uses them returns the account's revision, and
//! if that is another one, the rows that changed since are applied. They are replaced, never updated.

use std::collections::BTreeMap;
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use roaring::RoaringBitmap;

use crate::{AccountId, Catalog, CatalogError, Result, Scope};

/// Maximum of cached bitmaps, in bytes. A million images take at most 128 KiB, unless they are few among many deleted ones.
const KEPT_BYTES_MAX: u64 = 32 << 20;
/// Approximate size of an account's bitmaps. The cache sizes its tables by it.
const ACCOUNT_BYTES: u64 = 8 << 10;
/// Weight of an account and of each of its zones besides the bitmaps.
const ENTRY_BYTES: usize = 256;
/// Numbers read by one statement.
const READ_MAX: u32 = 20_000;
/// The most changed rows that are applied. After more, the bitmaps are read again.
const CHANGES_MAX: u32 = 1000;

/// The numbers of an account's images outside the trash, by zone.
#[derive(Clone, Default)]
pub(crate) struct Positions {
    /// The account's revision that they are of.
    pub(super) revision: i64,
    by_zone: BTreeMap<String, RoaringBitmap>,
}

pub(crate) struct PositionCache(Cache<AccountId, Arc<Positions>, Weight>);

#[derive(Clone)]
struct Weight;

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

    fn set(&mut self, zone: String, seq: u32, is_listed: bool) {
        let seqs = self.by_zone.entry(zone).or_default();
        if is_listed {
            seqs.insert(seq)
        } else {
            seqs.remove(seq)
        };
    }
}

/// The account, its revision, the revision of the last image that was purged, and a change: number, zone, time of deletion.
type Change = (i64, i64, i64, Option<i64>, Option<String>, Option<i64>);

/// Numbers of a zone below one, the highest first.
const NUMBERS: &str = "SELECT seq FROM images
     WHERE account_id = $1 AND zone = $2 AND deleted_at IS NULL AND seq < $3 ORDER BY seq DESC LIMIT $4";
/// The rows that changed after a revision, also those in the trash.
const CHANGES: &str = "SELECT a.id, a.revision, a.purged_changed, i.seq, i.zone, i.deleted_at
     FROM accounts a LEFT JOIN images i ON i.account_id = a.id AND i.changed > $2
     WHERE a.id = $1 LIMIT $3";

impl Catalog {
    /// Returns the positions of an account's images, from memory if possible. They may be older than its last change.
    pub(super) async fn positions(&self, scope: Scope) -> Result<Option<Arc<Positions>>> {
        let account = scope.owner();
        match self.positions.0.get_or_insert_async(&account, self.read_positions(scope)).await {
            Ok(positions) => Ok(Some(positions)),
            // There is no such account.
            Err(None) => Ok(None),
            Err(Some(error)) => Err(error),
        }
    }

    /// Returns the positions after the account's last change; `None` if there is no such account.
    pub(super) async fn refreshed_positions(
        &self,
        scope: Scope,
        known: &Arc<Positions>,
    ) -> Result<Option<Arc<Positions>>> {
        let newer = match self.changed_positions(scope, known).await? {
            Some(newer) => newer,
            None => match self.read_positions(scope).await {
                Ok(newer) => newer,
                Err(None) => return Ok(None),
                Err(Some(error)) => return Err(error),
            },
        };
        self.positions.0.insert(scope.owner(), Arc::clone(&newer));
        Ok(Some(newer))
    }

    /// Reads all numbers. Fails without an error if there is no such account.
    async fn read_positions(
        &self,
        scope: Scope,
    ) -> std::result::Result<Arc<Positions>, Option<CatalogError>> {
        let account = scope.owner();
        // The revision first: what changes while the rest is read is applied later.
        let revision = self.account_revision(account).await?.ok_or(None)?;
        let mut positions = Positions { revision, ..Positions::default() };
        let zones = "SELECT zone FROM image_counts WHERE account_id = $1";
        let zones: Vec<String> = self.database.query(zones, &[account.into()]).await?.all("image_counts")?;
        for zone in zones {
            let mut seqs = RoaringBitmap::new();
            let mut before = i64::MAX;
            loop {
                let params = [account.into(), (&zone).into(), before.into(), i64::from(READ_MAX).into()];
                let rows = self.database.scan(scope.requester(), NUMBERS, &params).await?;
                let read: Vec<i64> = rows.all("images")?;
                let Some(last) = read.last() else { break };
                before = *last;
                for seq in read {
                    seqs.insert(number(seq)?);
                }
            }
            seqs.optimize();
            positions.by_zone.insert(zone, seqs);
        }
        Ok(Arc::new(positions))
    }

    /// Applies the changes since `known`. `None` if there is no such account, if there are too many, or if images were
    /// purged that it may still have.
    async fn changed_positions(&self, scope: Scope, known: &Positions) -> Result<Option<Arc<Positions>>> {
        let params = [scope.param(), known.revision.into(), i64::from(CHANGES_MAX + 1).into()];
        let changes: Vec<Change> = self.database.query(CHANGES, &params).await?.all("accounts")?;
        let Some(&(_, revision, purged, ..)) = changes.first() else { return Ok(None) };
        if purged > known.revision || changes.len() > CHANGES_MAX as usize {
            return Ok(None);
        }
        let mut positions = Positions { revision, ..known.clone() };
        for (.., seq, zone, deleted_at) in changes {
            if let (Some(seq), Some(zone)) = (seq, zone) {
                positions.set(zone, number(seq)?, deleted_at.is_none());
            }
        }
        Ok(Some(Arc::new(positions)))
    }
}

/// No account has had more images.
fn number(seq: i64) -> Result<u32> {
    u32::try_from(seq).map_err(|error| CatalogError::Bug(error.into()))
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

    #[tokio::test]
    async fn numbers_and_changes_are_read_from_an_index_only() {
        let catalog = Catalog::open_sqlite_in_memory().await.unwrap();
        let (one, zone) = (crate::database::Value::from(1_i64), "a".into());
        let numbers = catalog.database.plan(NUMBERS, &[one.clone(), zone, one.clone(), one.clone()]).await;
        let index = "USING COVERING INDEX images_newest_of_zone (account_id=? AND zone=? AND seq<?)";
        assert!(numbers.contains(index), "{numbers}");
        let changes = catalog.database.plan(CHANGES, &[one.clone(), one.clone(), one]).await;
        let index = "USING COVERING INDEX images_changed (account_id=? AND changed>?)";
        assert!(changes.contains(index), "{changes}");
    }
}
