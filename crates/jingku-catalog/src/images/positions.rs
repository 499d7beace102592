//! Which image is at an offset, found with the bitmaps of [`Positions`] (ADR 20).
//!
//! Bitmaps are read once and then follow the changes: every statement that uses them returns the account's revision, and
//! if that is another one, the rows that changed since are applied. They are replaced, never updated.

use std::sync::Arc;

use roaring::RoaringBitmap;

use super::bitmaps::Positions;
use crate::{Catalog, CatalogError, Result, Scope};

/// Numbers read by one statement.
const READ_MAX: u32 = 20_000;
/// The most changed rows that are applied. After more, the bitmaps are read again.
const CHANGES_MAX: u32 = 1000;

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
