//! All images of an account, newest first, in two steps: a page of row versions, then the rows that a caller does not know.

use super::filter::ImageFilter;
use super::order::ImageOrder;
use super::page::Parts;
use super::row::Image;
use crate::cursor::Cursor;
use crate::database::{Params, Row};
use crate::{Catalog, Paging, Result, Scope};

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
    /// It is what [`Catalog::images_page`] returns for the same list, without reading the rows: an index answers it.
    pub async fn newest_images(
        &self,
        scope: Scope,
        zones: Option<&[&str]>,
        paging: Paging<'_>,
    ) -> Result<Option<NewestImages>> {
        let filter = ImageFilter { zones, ..ImageFilter::default() };
        let (sql, params) = page_statement(scope, &filter, paging);
        let rows = self.read_page(scope, &filter, paging, &sql, &params).await?;
        let rows: Vec<PageRow> = rows.all("accounts")?;
        let Some(&(_, revision, total, ..)) = rows.first() else { return Ok(None) };
        let version = |(.., seq, changed): PageRow| Some(RowVersion { seq: seq?, changed: changed? });
        let mut rows: Vec<RowVersion> = rows.into_iter().filter_map(version).collect();
        // Both engines return the rows in this order, but a join does not guarantee it.
        rows.sort_unstable_by_key(|row| std::cmp::Reverse(row.seq));
        let limit = paging.limit() as usize;
        // The row beyond the limit shows that the list continues.
        let continues = rows.len() > limit;
        rows.truncate(limit);
        let order = ImageOrder::default().order(scope);
        let next = rows.last().filter(|_| continues).map(|row| order.cursor(vec![row.seq.into()]));
        Ok(Some(NewestImages { revision, total, rows, next }))
    }

    /// Returns the images of such a list from number `first` to number `last`, in any order, at most `limit`.
    pub async fn images_between(
        &self,
        scope: Scope,
        zones: Option<&[&str]>,
        (first, last): (i64, i64),
        limit: u32,
    ) -> Result<Vec<(RowVersion, Image)>> {
        let mut params = Params::default();
        params.add(scope.param());
        let (first, last) = (params.add(first), params.add(last));
        let zones =
            zones.map(|zones| format!(" AND i.zone IN ({})", params.add_all(zones))).unwrap_or_default();
        let limit = params.add(i64::from(limit));
        let sql = format!(
            "SELECT {}, '', i.changed FROM images i JOIN accounts a ON a.id = i.account_id
             WHERE {} AND i.seq >= {first} AND i.seq <= {last}{zones} ORDER BY i.seq DESC LIMIT {limit}",
            Image::COLUMNS,
            scope.images()
        );
        let rows = self.database.query(&sql, params.as_slice()).await?;
        rows.all_with("images", |cells| {
            let changed = cells.last_integer()?;
            let image = Image::read(cells)?;
            Ok((RowVersion { seq: image.seq, changed }, image))
        })
    }
}

/// The account, its revision, the total, and the version of a row, if any.
type PageRow = (i64, i64, i64, Option<i64>, Option<i64>);

/// Selects revision and total once for each row version, or once without one.
fn page_statement<'a>(scope: Scope, filter: &ImageFilter<'a>, paging: Paging<'a>) -> (String, Params<'a>) {
    let Parts { total, keys, owner, params } = Parts::new("changed", scope, filter, paging);
    let sql = format!(
        "SELECT a.id, a.revision, t.total, k.seq, k.changed
         FROM accounts a
         LEFT JOIN ({total}) t ON TRUE
         LEFT JOIN ({keys}) k ON TRUE
         WHERE a.id = {owner}"
    );
    (sql, params)
}
