//! The images of an account that match a filter, newest first: a page of row versions, found with the positions of the
//! matches (ADR 20).

use std::cmp::Reverse;
use std::sync::Arc;

use super::bitmaps::Positions;
use super::filter::ImageFilter;
use super::newest::{NewestImages, RowVersion, TRIES_MAX, cursor_before};
use super::order::ImageOrder;
use super::row::Image;
use crate::database::{Params, Value};
use crate::{Catalog, Paging, Result, Scope};

impl Catalog {
    /// Returns a page of the images of one account that match a filter, newest first. `None` if there is no such account,
    /// if it changes too fast, or if the filter has an id, another order or a page token of an old format.
    ///
    /// The first page of a filter reads all images of the account, in steps on threads for scans; further pages cost the
    /// same at any offset, also after changes. Fails with [`CatalogError::TooManyImages`](crate::CatalogError::TooManyImages)
    /// if the account has more than [`FILTERED_IMAGES_MAX`](crate::FILTERED_IMAGES_MAX) images.
    pub async fn matching_images(
        &self,
        scope: Scope,
        filter: &ImageFilter<'_>,
        paging: Paging<'_>,
    ) -> Result<Option<NewestImages>> {
        let is_newest_first = filter.id.is_none() && filter.order == ImageOrder::default();
        let Some(start) = Start::of(paging).filter(|_| is_newest_first) else { return Ok(None) };
        let (zones, limit) = (filter.zones, paging.limit());
        let Some(mut known) = self.positions(scope, filter).await? else { return Ok(None) };
        for _ in 0..TRIES_MAX {
            let seqs = start.seqs(&known, zones, limit);
            let Some((revision, rows)) = self.versions_of(scope, &seqs).await? else { return Ok(None) };
            if revision != known.revision {
                let Some(newer) = self.refreshed_positions(scope, filter, &known).await? else {
                    return Ok(None);
                };
                known = newer;
            }
            if revision == known.revision && seqs == start.seqs(&known, zones, limit) {
                let next = seqs.last().filter(|last| known.older(zones, **last) > 0);
                let total = i64::try_from(known.total(zones)).unwrap_or(i64::MAX);
                let next = next.map(|last| cursor_before(scope, *last));
                return Ok(Some(NewestImages { revision, total, rows, next }));
            }
        }
        Ok(None)
    }

    /// Returns the account's revision and the versions of its images with these numbers, newest first.
    async fn versions_of(&self, scope: Scope, seqs: &[i64]) -> Result<Option<(i64, Vec<RowVersion>)>> {
        let (sql, params) = versions_statement(scope, seqs);
        let rows: Vec<(i64, i64, Option<i64>, Option<i64>)> =
            self.database.query(&sql, params.as_slice()).await?.all("accounts")?;
        let Some(&(_, revision, ..)) = rows.first() else { return Ok(None) };
        let version = |(.., seq, changed): (_, _, Option<i64>, Option<i64>)| {
            Some(RowVersion { seq: seq?, changed: changed? })
        };
        let mut rows: Vec<RowVersion> = rows.into_iter().filter_map(version).collect();
        rows.sort_unstable_by_key(|row| Reverse(row.seq));
        Ok(Some((revision, rows)))
    }

    /// Returns the images of an account with these numbers, newest first.
    pub async fn images_numbered(&self, scope: Scope, seqs: &[i64]) -> Result<Vec<(RowVersion, Image)>> {
        let mut rows = self.images_with(scope, "seq", seqs).await?;
        rows.sort_unstable_by_key(|(version, _)| Reverse(version.seq));
        Ok(rows)
    }
}

/// Where a page begins.
enum Start {
    Offset(u32),
    /// Below a number.
    Before(i64),
}

impl Start {
    /// `None` for a token of an old format.
    fn of(paging: Paging<'_>) -> Option<Self> {
        match paging {
            Paging::Offset { offset, .. } => Some(Self::Offset(offset)),
            Paging::After { cursor, .. } => match cursor.values()? {
                [Value::Integer(seq)] => Some(Self::Before(*seq)),
                _ => None,
            },
        }
    }

    fn seqs(&self, known: &Arc<Positions>, zones: Option<&[&str]>, limit: u32) -> Vec<i64> {
        let newest = match *self {
            Self::Offset(offset) => known.seq_at(zones, offset),
            Self::Before(seq) => Some(seq.saturating_sub(1)),
        };
        newest.map(|newest| known.seqs_from(zones, newest, limit)).unwrap_or_default()
    }
}

fn versions_statement<'a>(scope: Scope, seqs: &[i64]) -> (String, Params<'a>) {
    let mut params = Params::default();
    let account = params.add(scope.param());
    let sql = format!(
        "SELECT a.id, a.revision, i.seq, i.changed
         FROM accounts a
         LEFT JOIN images i ON i.account_id = a.id AND i.deleted_at IS NULL AND i.seq IN ({})
         WHERE a.id = {account}",
        params.add_several(seqs)
    );
    (sql, params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AccountId;

    #[tokio::test]
    async fn versions_are_read_from_an_index_only() {
        let catalog = Catalog::open_sqlite_in_memory().await.unwrap();
        let (sql, params) = versions_statement(Scope::own(AccountId(1)), &[3, 4, 7]);
        let plan = catalog.database.plan(&sql, params.as_slice()).await;
        assert!(plan.contains("USING COVERING INDEX images_newest (account_id=? AND seq=?"), "{plan}");
    }
}
