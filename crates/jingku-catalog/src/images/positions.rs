//! Which images are at an offset, found with the bitmaps of [`Positions`] (ADR 20).
//!
//! Bitmaps are read once and then follow the changes: every statement that uses them returns the account's revision, and
//! if that is another one, the rows that changed since are applied. They are replaced, never updated.

use std::ops::RangeInclusive;
use std::sync::Arc;

use roaring::RoaringBitmap;

use super::bitmaps::Positions;
use super::filter::ImageFilter;
use crate::database::Params;
use crate::{AccountId, Catalog, CatalogError, Result, Scope};

/// Numbers read by one statement.
const READ_MAX: u32 = 20_000;
/// The most changed rows that are applied. After more, the bitmaps are read again.
const CHANGES_MAX: u32 = 1000;
/// The most images of an account that are searched with a filter or sorted in another order than newest first.
pub const FILTERED_IMAGES_MAX: i64 = 1_000_000;

/// The account, its revision, the revision of the last image that was purged, and a change: number, zone, whether it is
/// listed.
type Change = (i64, i64, i64, Option<i64>, Option<String>, bool);

/// Numbers of a zone below one, the highest first.
const NUMBERS: &str = "SELECT seq FROM images
     WHERE account_id = $1 AND zone = $2 AND deleted_at IS NULL AND seq < $3 ORDER BY seq DESC LIMIT $4";

impl Catalog {
    /// Returns the positions of the images of an account that match a filter, in any zone, from memory if possible. They
    /// may be older than its last change.
    pub(super) async fn positions(
        &self,
        scope: Scope,
        filter: &ImageFilter<'_>,
    ) -> Result<Option<Arc<Positions>>> {
        let key = (scope.owner(), filter.key());
        match self.positions.0.get_or_insert_async(&key, self.read_positions(scope, filter)).await {
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
        filter: &ImageFilter<'_>,
        known: &Arc<Positions>,
    ) -> Result<Option<Arc<Positions>>> {
        let newer = match self.changed_positions(scope, filter, known).await? {
            Some(newer) => newer,
            None => match self.read_positions(scope, filter).await {
                Ok(newer) => newer,
                Err(None) => return Ok(None),
                Err(Some(error)) => return Err(error),
            },
        };
        self.positions.0.insert((scope.owner(), filter.key()), Arc::clone(&newer));
        Ok(Some(newer))
    }

    /// Fails with [`CatalogError::TooManyImages`] if the account has too many images to search or sort them.
    pub(super) async fn check_searchable(&self, account: AccountId) -> Result<()> {
        let sql = "SELECT CAST(COALESCE(SUM(images), 0) AS BIGINT) FROM image_counts WHERE account_id = $1";
        let images: Option<i64> = self.database.query(sql, &[account.into()]).await?.first("image_counts")?;
        if images > Some(FILTERED_IMAGES_MAX) { Err(CatalogError::TooManyImages) } else { Ok(()) }
    }

    /// Reads all numbers. Fails without an error if there is no such account.
    async fn read_positions(
        &self,
        scope: Scope,
        filter: &ImageFilter<'_>,
    ) -> std::result::Result<Arc<Positions>, Option<CatalogError>> {
        let (account, has_conditions) = (scope.owner(), !filter.key().is_empty());
        // The revision first: what changes while the rest is read is applied later.
        let revision = self.account_revision(account).await?.ok_or(None)?;
        if has_conditions {
            self.check_searchable(account).await?;
        }
        let mut positions = Positions { revision, ..Positions::default() };
        let zones = "SELECT zone FROM image_counts WHERE account_id = $1";
        let zones: Vec<String> = self.database.query(zones, &[account.into()]).await?.all("image_counts")?;
        for zone in zones {
            let mut seqs = RoaringBitmap::new();
            let mut before = i64::MAX;
            loop {
                let params = [account.into(), (&zone).into(), before.into(), i64::from(READ_MAX).into()];
                let rows = self.database.scan(scope.requester(), NUMBERS, &params).await?;
                let mut read: Vec<i64> = rows.all("images")?;
                let (Some(first), Some(last)) = (read.first().copied(), read.last().copied()) else { break };
                before = last;
                if has_conditions {
                    let (sql, params) = matches_statement(scope, filter, &zone, last..=first);
                    read = self
                        .database
                        .scan(scope.requester(), &sql, params.as_slice())
                        .await?
                        .all("images")?;
                }
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
    async fn changed_positions(
        &self,
        scope: Scope,
        filter: &ImageFilter<'_>,
        known: &Positions,
    ) -> Result<Option<Arc<Positions>>> {
        let (sql, params) = changes_statement(scope, filter, known.revision);
        let changes: Vec<Change> = self.database.query(&sql, params.as_slice()).await?.all("accounts")?;
        let Some(&(_, revision, purged, ..)) = changes.first() else { return Ok(None) };
        if purged > known.revision || changes.len() > CHANGES_MAX as usize {
            return Ok(None);
        }
        let mut positions = Positions { revision, ..known.clone() };
        for (.., seq, zone, is_listed) in changes {
            if let (Some(seq), Some(zone)) = (seq, zone) {
                positions.set(zone, number(seq)?, is_listed);
            }
        }
        Ok(Some(Arc::new(positions)))
    }
}

/// Selects the numbers that match a filter, of those of a zone in a range.
fn matches_statement<'a>(
    scope: Scope,
    filter: &ImageFilter<'a>,
    zone: &'a str,
    seqs: RangeInclusive<i64>,
) -> (String, Params<'a>) {
    let mut params = Params::default();
    let (account, zone) = (params.add(scope.param()), params.add(zone));
    let (first, last) = (params.add(*seqs.start()), params.add(*seqs.end()));
    let conditions = filter.conditions(&mut params);
    let sql = format!(
        "SELECT i.seq FROM images i
         WHERE i.account_id = {account} AND i.zone = {zone} AND i.deleted_at IS NULL
             AND i.seq >= {first} AND i.seq <= {last}{conditions}"
    );
    (sql, params)
}

/// Selects the rows that changed after a revision, also those in the trash.
fn changes_statement<'a>(scope: Scope, filter: &ImageFilter<'a>, revision: i64) -> (String, Params<'a>) {
    let mut params = Params::default();
    let (account, revision) = (params.add(scope.param()), params.add(revision));
    let limit = params.add(i64::from(CHANGES_MAX + 1));
    let conditions = filter.conditions(&mut params);
    let sql = format!(
        "SELECT a.id, a.revision, a.purged_changed, i.seq, i.zone,
                CAST(CASE WHEN i.deleted_at IS NULL{conditions} THEN 1 ELSE 0 END AS BIGINT)
         FROM accounts a LEFT JOIN images i ON i.account_id = a.id AND i.changed > {revision}
         WHERE a.id = {account} LIMIT {limit}"
    );
    (sql, params)
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
        let numbers = catalog.database.plan(NUMBERS, &[one.clone(), zone, one.clone(), one]).await;
        let index = "USING COVERING INDEX images_newest_of_zone (account_id=? AND zone=? AND seq<?)";
        assert!(numbers.contains(index), "{numbers}");
        let (sql, params) = changes_statement(Scope::own(AccountId(1)), &ImageFilter::default(), 1);
        let changes = catalog.database.plan(&sql, params.as_slice()).await;
        let index = "USING COVERING INDEX images_changed (account_id=? AND changed>?)";
        assert!(changes.contains(index), "{changes}");
    }
}
