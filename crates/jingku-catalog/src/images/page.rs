use super::filter::ImageFilter;
use super::order::ImageOrder;
use crate::database::{Params, Rows};
use crate::{Catalog, Image, Page, Paging, Result, Scope};

impl Catalog {
    /// Returns one image.
    pub async fn image(&self, scope: Scope, id: &str) -> Result<Option<Image>> {
        let sql = format!(
            "SELECT {}, i.readme FROM images i JOIN accounts a ON a.id = i.account_id WHERE {} AND i.id = $2",
            Image::COLUMNS,
            scope.images()
        );
        self.database.query(&sql, &scope.image_params(id)).await?.first("images")
    }

    /// Returns a page of images. By default, images of one account are sorted by creation, newest first; those of several
    /// by time, then by creation.
    ///
    /// Rows and total are from one snapshot. For all images of an account or of some zones, newest first, the cost at offset
    /// 0 and after a cursor does not depend on their number, and an offset is skipped in an index. Any other filter or order
    /// reads every image in the scope.
    pub async fn images_page(
        &self,
        scope: Scope,
        filter: ImageFilter<'_>,
        paging: Paging<'_>,
    ) -> Result<Page<Image>> {
        let (sql, params) = page_statement(scope, &filter, paging);
        let rows = self.read_page(scope, &filter, paging, &sql, &params).await?;
        let order = filter.order;
        rows.page("images", paging.limit(), &order.order(scope), |image| order.position(scope, image))
    }

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

/// The largest offset of a page that is read as a short statement, not as a scan.
const SHORT_OFFSET_MAX: u32 = 1000;

/// Returns whether an index finds the page in about constant time.
fn is_short(scope: Scope, filter: &ImageFilter<'_>, paging: Paging<'_>) -> bool {
    let ImageFilter { id, zones: _, name, author, statuses, tags, platform_type, .. } = *filter;
    let bounds = [filter.created_from, filter.created_before, filter.bytes_from, filter.bytes_below];
    let all = name.is_none()
        && author.is_none()
        && platform_type.is_none()
        && statuses.is_empty()
        && tags.is_empty()
        && bounds.iter().all(Option::is_none);
    let walks_index = scope.is_one_account() && all && filter.order == ImageOrder::default();
    id.is_some() || (walks_index && paging.offset() <= SHORT_OFFSET_MAX)
}

/// Selects the total, the keys of the page, and their rows.
fn page_statement<'a>(scope: Scope, filter: &ImageFilter<'a>, paging: Paging<'a>) -> (String, Params<'a>) {
    let Parts { total, keys, params, .. } = Parts::new("id", scope, filter, paging);
    let sql = format!(
        "SELECT {}, {}, t.total
         FROM ({total}) t
         LEFT JOIN ({keys}) k ON TRUE
         LEFT JOIN images i ON i.id = k.id
         LEFT JOIN accounts a ON a.id = i.account_id",
        Image::COLUMNS,
        if filter.with_readme { "i.readme" } else { "''" }
    );
    (sql, params)
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
        let zones = filter
            .zones
            .map(|zones| format!(" AND zone IN ({})", params.add_all(zones)))
            .unwrap_or_default();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AccountId;

    /// Returns SQLite's query plan for a page.
    async fn plan(filter: ImageFilter<'_>, paging: Paging<'_>) -> String {
        let catalog = Catalog::open_sqlite_in_memory().await.unwrap();
        let (sql, params) = page_statement(Scope::own(AccountId(1)), &filter, paging);
        catalog.database.plan(&sql, params.as_slice()).await
    }

    #[tokio::test]
    async fn a_page_reads_indexes_and_sorts_nothing() {
        let cursor = ImageOrder::default().order(Scope::own(AccountId(1))).cursor(vec![5.into()]);
        let all = ImageFilter::default();
        for paging in [Paging::first(20), Paging::After { cursor: &cursor, limit: 20 }] {
            let whole = plan(all, paging).await;
            assert!(whole.contains("USING COVERING INDEX images_newest (account_id=?"), "{whole}");
            let in_zone = plan(ImageFilter { zones: Some(&["a"]), ..all }, paging).await;
            assert!(
                in_zone.contains("USING COVERING INDEX images_newest_of_zone (account_id=? AND zone=?"),
                "{in_zone}"
            );
            for plan in [whole, in_zone] {
                assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN i"), "{plan}");
            }
        }
    }

    #[tokio::test]
    async fn a_page_of_several_zones_reads_an_index_for_each() {
        let zones = ImageFilter { zones: Some(&["a", "b"]), ..ImageFilter::default() };
        let plan = plan(zones, Paging::first(20)).await;
        let walks =
            plan.matches("USING COVERING INDEX images_newest_of_zone (account_id=? AND zone=?)").count();
        assert_eq!(walks, 2, "{plan}");
        assert!(!plan.contains("SCAN i"), "{plan}");
    }
}
