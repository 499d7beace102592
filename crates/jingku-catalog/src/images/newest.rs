//! All images of an account, newest first, in two steps: a page of row versions, then the rows that a caller does not know.

use std::cmp::Reverse;
use std::ops::RangeInclusive;

use super::filter::ImageFilter;
use super::list::{OFFSET_WALKED_MAX, Parts};
use super::order::ImageOrder;
use super::row::Image;
use crate::cursor::Cursor;
use crate::database::{Cells, Params, Read, Row, Value};
use crate::{Catalog, Page, Paging, Result, Scope};

/// How often a page is read again because the account changed in between, before its offset is walked.
pub(super) const TRIES_MAX: u32 = 8;

/// Identifies one content of the row of an image, among all that its account ever had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RowVersion {
    /// [`Image::seq`].
    pub seq: i64,
    /// The account's revision at the last change of the row.
    pub changed: i64,
}

/// A page of an account's images without their rows.
#[derive(Clone, Debug)]
pub struct NewestImages {
    /// [`Catalog::account_revision`] at the same moment.
    pub revision: i64,
    /// The length of the whole list.
    pub total: i64,
    /// The rows, newest first.
    pub rows: Vec<RowVersion>,
    /// Where the list continues; `None` at its end.
    pub next: Option<Cursor>,
}

impl Catalog {
    /// Returns a page of the images of one account, perhaps only those of some zones, newest first. `None` if there is no
    /// such account.
    ///
    /// It is what [`Catalog::images_page`] returns for the same list, without reading the rows: an index answers it, at the
    /// same cost at any offset once the account's positions are in memory.
    pub async fn newest_images(
        &self,
        scope: Scope,
        zones: Option<&[&str]>,
        paging: Paging<'_>,
    ) -> Result<Option<NewestImages>> {
        if paging.offset() > OFFSET_WALKED_MAX
            && let Some(page) = self.deep_images(scope, zones, paging).await?
        {
            return Ok(Some(page));
        }
        self.walk_to_images(scope, zones, paging).await
    }

    /// Like [`Catalog::newest_images`]: at any offset, but at a cost that increases with it.
    async fn walk_to_images(
        &self,
        scope: Scope,
        zones: Option<&[&str]>,
        paging: Paging<'_>,
    ) -> Result<Option<NewestImages>> {
        let filter = ImageFilter { zones, ..ImageFilter::default() };
        let (sql, params) = page_statement(scope, &filter, paging);
        let mut rows = self.read_page(scope, &filter, paging, &sql, &params).await?;
        if rows.is_empty() {
            let (sql, params) = any_page_statement(scope, &filter, paging);
            rows = self.read_page(scope, &filter, paging, &sql, &params).await?;
        }
        let rows: Vec<PageRow> = rows.all("accounts")?;
        let Some(&(_, revision, total, ..)) = rows.first() else { return Ok(None) };
        let version = |(.., seq, changed): PageRow| Some(RowVersion { seq: seq?, changed: changed? });
        let mut rows: Vec<RowVersion> = rows.into_iter().filter_map(version).collect();
        // Both engines return the rows in this order, but a join does not guarantee it.
        rows.sort_unstable_by_key(|row| Reverse(row.seq));
        let limit = paging.limit() as usize;
        // The row beyond the limit shows that the list continues.
        let continues = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| continues).map(|row| cursor_before(scope, row.seq));
        Ok(Some(NewestImages { revision, total, rows, next }))
    }

    /// Reads a page from the image whose number is known to be at the offset. `None` if there is no such account, or if it
    /// changes too fast.
    async fn deep_images(
        &self,
        scope: Scope,
        zones: Option<&[&str]>,
        paging: Paging<'_>,
    ) -> Result<Option<NewestImages>> {
        let (offset, limit) = (paging.offset(), paging.limit());
        let Some(mut known) = self.positions(scope, &ImageFilter::default()).await? else { return Ok(None) };
        for _ in 0..TRIES_MAX {
            let seq = known.seq_at(zones, offset);
            // Past the end of the list there is no image.
            let cursor = cursor_before(scope, seq.map_or(0, |seq| seq + 1));
            let page = self.walk_to_images(scope, zones, Paging::After { cursor: &cursor, limit }).await?;
            let Some(page) = page else { return Ok(None) };
            if page.revision == known.revision {
                return Ok(Some(page));
            }
            let Some(newer) = self.refreshed_positions(scope, &ImageFilter::default(), &known).await? else {
                return Ok(None);
            };
            known = newer;
            if page.revision == known.revision && seq == known.seq_at(zones, offset) {
                return Ok(Some(page));
            }
        }
        Ok(None)
    }

    /// Returns a page with rows. `None` if there is no such account, or if it changes too fast.
    pub(super) async fn deep_page(
        &self,
        scope: Scope,
        zones: Option<&[&str]>,
        paging: Paging<'_>,
    ) -> Result<Option<Page<Image>>> {
        for _ in 0..TRIES_MAX {
            let Some(page) = self.deep_images(scope, zones, paging).await? else { return Ok(None) };
            let NewestImages { rows, total, next, .. } = page;
            let (Some(newest), Some(oldest)) = (rows.first(), rows.last()) else {
                return Ok(Some(Page { items: Vec::new(), total, next }));
            };
            let read = self.images_between(scope, zones, oldest.seq..=newest.seq, paging.limit()).await?;
            if read.iter().map(|(version, _)| version).eq(&rows) {
                let items = read.into_iter().map(|(_, image)| image).collect();
                return Ok(Some(Page { items, total, next }));
            }
        }
        Ok(None)
    }

    /// Returns the images of such a list between two numbers, newest first, at most `limit`.
    pub async fn images_between(
        &self,
        scope: Scope,
        zones: Option<&[&str]>,
        between: RangeInclusive<i64>,
        limit: u32,
    ) -> Result<Vec<(RowVersion, Image)>> {
        let (sql, params) = rows_statement(scope, zones, between, limit);
        let rows = self.database.query(&sql, params.as_slice()).await?;
        let mut rows = rows.all_with("images", read_versioned)?;
        rows.sort_unstable_by_key(|(version, _)| Reverse(version.seq));
        Ok(rows)
    }

    /// Returns the images in a scope with these values in a column, in no order.
    pub(super) async fn images_with<'a, T: Into<Value<'a>> + Copy>(
        &self,
        scope: Scope,
        column: &str,
        values: &[T],
    ) -> Result<Vec<(RowVersion, Image)>> {
        let (sql, params) = found_statement(scope, column, values);
        self.database.query(&sql, params.as_slice()).await?.all_with("images", read_versioned)
    }
}

/// Decodes an image followed by `changed`.
fn read_versioned(cells: &mut Cells) -> Read<(RowVersion, Image)> {
    let changed = cells.last_integer()?;
    let image = Image::read(cells)?;
    Ok((RowVersion { seq: image.seq, changed }, image))
}

/// The position after the images from this number on.
pub(super) fn cursor_before(scope: Scope, seq: i64) -> Cursor {
    ImageOrder::default().order(scope).cursor(vec![seq.into()])
}

/// A key, the account's revision, the total, and the version of a row, if any.
type PageRow = (i64, i64, i64, Option<i64>, Option<i64>);

/// Selects revision and total with each row version; nothing if the page is empty. Takes three quarters of the time of
/// [`any_page_statement`].
fn page_statement<'a>(scope: Scope, filter: &ImageFilter<'a>, paging: Paging<'a>) -> (String, Params<'a>) {
    let Parts { total, keys, owner, params } = Parts::new("changed", scope, filter, paging);
    let sql = format!(
        "SELECT k.seq, (SELECT revision FROM accounts WHERE id = {owner}), ({total}), k.seq, k.changed
         FROM ({keys}) k"
    );
    (sql, params)
}

/// Selects revision and total with each row version, or once without one; nothing if there is no such account.
fn any_page_statement<'a>(
    scope: Scope,
    filter: &ImageFilter<'a>,
    paging: Paging<'a>,
) -> (String, Params<'a>) {
    let Parts { total, keys, owner, params } = Parts::new("changed", scope, filter, paging);
    let sql = format!(
        "SELECT a.id, a.revision, ({total}), k.seq, k.changed
         FROM accounts a LEFT JOIN ({keys}) k ON TRUE WHERE a.id = {owner}"
    );
    (sql, params)
}

/// Selects the rows in a scope with these values in a column.
fn found_statement<'a, T: Into<Value<'a>> + Copy>(
    scope: Scope,
    column: &str,
    values: &[T],
) -> (String, Params<'a>) {
    let mut params = Params::default();
    // $1 in `Scope::found_images`.
    params.add(scope.param());
    let sql = format!(
        "SELECT {}, '', i.changed FROM images i JOIN accounts a ON a.id = i.account_id
         WHERE {} AND i.{column} IN ({})",
        Image::COLUMNS,
        scope.found_images(),
        params.add_several(values)
    );
    (sql, params)
}

/// Selects the rows between two numbers. It does not sort them, so that of some zones only those rows are read.
fn rows_statement<'a>(
    scope: Scope,
    zones: Option<&'a [&'a str]>,
    between: RangeInclusive<i64>,
    limit: u32,
) -> (String, Params<'a>) {
    let mut params = Params::default();
    // $1 in `Scope::images`.
    params.add(scope.param());
    let (first, last) = (params.add(*between.start()), params.add(*between.end()));
    let zones = zones.map(|zones| format!(" AND i.zone IN ({})", params.add_all(zones))).unwrap_or_default();
    let limit = params.add(i64::from(limit));
    let sql = format!(
        "SELECT {}, '', i.changed FROM images i JOIN accounts a ON a.id = i.account_id
         WHERE {}{zones} AND i.seq >= {first} AND i.seq <= {last} LIMIT {limit}",
        Image::COLUMNS,
        scope.images()
    );
    (sql, params)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AccountId;

    async fn plan((sql, params): (String, Params<'_>)) -> String {
        let catalog = Catalog::open_sqlite_in_memory().await.unwrap();
        catalog.database.plan(&sql, params.as_slice()).await
    }

    #[tokio::test]
    async fn a_page_of_versions_reads_an_index_only() {
        let scope = Scope::own(AccountId(1));
        let cursor = cursor_before(scope, 7);
        for paging in [Paging::first(20), Paging::After { cursor: &cursor, limit: 20 }] {
            let plan = plan(page_statement(scope, &ImageFilter::default(), paging)).await;
            assert!(plan.contains("USING COVERING INDEX images_newest (account_id=?"), "{plan}");
            let zones = ImageFilter { zones: Some(&["a"]), ..ImageFilter::default() };
            let plan = self::plan(page_statement(scope, &zones, paging)).await;
            assert!(
                plan.contains("USING COVERING INDEX images_newest_of_zone (account_id=? AND zone=?"),
                "{plan}"
            );
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
    }

    /// However much is shared with the account.
    #[tokio::test]
    async fn shared_rows_are_found_by_id_and_their_shares_by_key() {
        let plan = plan(found_statement(Scope::shared_with(AccountId(1)), "id", &["a", "b"])).await;
        assert!(plan.contains("SEARCH i USING INDEX sqlite_autoindex_images_1 (id=?)"), "{plan}");
        assert!(plan.contains("(image_id=? AND account_id=?)") && !plan.contains("LIST SUBQUERY"), "{plan}");
    }

    /// The images of a rare zone may be far apart.
    #[tokio::test]
    async fn rows_are_found_by_number_and_zone() {
        let scope = Scope::own(AccountId(1));
        let all = plan(rows_statement(scope, None, 3..=9, 20)).await;
        assert!(all.contains("USING INDEX images_newest (account_id=? AND seq>? AND seq<?)"), "{all}");
        for zones in [&["a"][..], &["a", "b"][..]] {
            let plan = plan(rows_statement(scope, Some(zones), 3..=9, 20)).await;
            let index = "USING INDEX images_newest_of_zone (account_id=? AND zone=? AND seq>? AND seq<?)";
            assert!(plan.contains(index), "{plan}");
        }
    }
}
