//! The parts of a statement that reads a page of a list of images.

use super::filter::ImageFilter;
use super::order::ImageOrder;
use crate::database::{Params, Rows};
use crate::{Catalog, Paging, Result, Scope};

/// The largest offset that is skipped in an index, if the list has one.
pub(super) const OFFSET_WALKED_MAX: u32 = 128;

impl Catalog {
    /// Runs the statement of a page, as a scan unless an index finds the page in about constant time.
    pub(super) async fn read_page(
        &self,
        scope: Scope,
        filter: &ImageFilter<'_>,
        paging: Paging<'_>,
        sql: &str,
        params: &Params<'_>,
    ) -> Result<Rows> {
        if is_short(scope, filter, paging) {
            self.database.query(sql, params.as_slice()).await
        } else {
            self.database.scan(scope.requester(), sql, params.as_slice()).await
        }
    }
}

/// Returns whether an index finds the page in about constant time.
fn is_short(scope: Scope, filter: &ImageFilter<'_>, paging: Paging<'_>) -> bool {
    filter.id.is_some() || (is_whole(scope, filter) && paging.offset() <= OFFSET_WALKED_MAX)
}

/// Returns whether the list has all images of an account, perhaps only those of some zones, newest first.
pub(super) fn is_whole(scope: Scope, filter: &ImageFilter<'_>) -> bool {
    let ImageFilter { id, zones: _, name, author, statuses, tags, platform_type, .. } = *filter;
    let bounds = [filter.created_from, filter.created_before, filter.bytes_from, filter.bytes_below];
    let all = id.is_none()
        && name.is_none()
        && author.is_none()
        && platform_type.is_none()
        && statuses.is_empty()
        && tags.is_empty()
        && bounds.iter().all(Option::is_none);
    scope.is_one_account() && all && filter.order == ImageOrder::default()
}

/// The parts of a statement for a page.
pub(super) struct Parts<'a> {
    /// Selects the length of the list as `total`.
    pub(super) total: String,
    /// Selects a column, and those of the order, of the images on the page.
    pub(super) keys: String,
    /// The parameter with the account of the scope.
    pub(super) owner: String,
    pub(super) params: Params<'a>,
}

impl<'a> Parts<'a> {
    pub(super) fn new(column: &str, scope: Scope, filter: &ImageFilter<'a>, paging: Paging<'a>) -> Self {
        let mut params = Params::default();
        // $1 in `Scope::images`.
        let owner = params.add(scope.param());
        let conditions = filter.conditions(&mut params);
        let zones =
            filter.zones.map(|zones| format!(" AND zone IN ({})", params.add_all(zones))).unwrap_or_default();
        let counted = scope.is_one_account() && conditions.is_empty();
        let total = if counted {
            format!(
                "SELECT CAST(COALESCE(SUM(images), 0) AS BIGINT) AS total
                 FROM image_counts WHERE account_id = {owner}{zones}"
            )
        } else {
            format!("SELECT COUNT(*) AS total FROM images i WHERE {}{conditions}{zones}", scope.images())
        };
        let order = filter.order.order(scope);
        let after = paging.after(&order, &mut params);
        let window = paging.window(&order, &mut params);
        let (columns, seen) = (order.columns(), scope.images());
        let start = format!("SELECT {column}, {columns} FROM images i WHERE {seen}{after}{conditions}");
        let keys = match filter.zones {
            // Merges the indexes of several zones, instead of sorting the whole account.
            Some(each @ [_, _, ..]) if counted && filter.order == ImageOrder::default() => {
                let reach = params.add(i64::from(paging.limit()) + 1 + i64::from(paging.offset()));
                let walk = |zone: &&'a str| {
                    let (zone, order) = (params.add(*zone), order.clause());
                    format!("SELECT * FROM ({start} AND zone = {zone} {order} LIMIT {reach}) w")
                };
                let walks = each.iter().map(walk).collect::<Vec<_>>().join(" UNION ALL ");
                format!("SELECT {column}, {columns} FROM ({walks}) z {window}")
            }
            // Reads one index, of the account or of its one zone, if the order is that of the index.
            _ => format!("{start}{zones} {window}"),
        };
        Self { total, keys, owner, params }
    }
}
