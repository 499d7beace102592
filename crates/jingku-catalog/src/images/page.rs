use super::row::{COLUMNS, image_cells};
use crate::database::{Params, Row};
use crate::{Catalog, Image, Page, Paging, Result, Scope};

/// Which images are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImageFilter<'a> {
    /// The one with this id.
    pub id: Option<&'a str>,
    /// Those held in one of these zones.
    pub zones: Option<&'a [&'a str]>,
    /// Whether [`Image::readme`] is wanted: it may be long.
    pub with_readme: bool,
}

impl ImageFilter<'_> {
    fn readme(&self) -> &'static str {
        if self.with_readme { "i.readme" } else { "''" }
    }
}

impl Catalog {
    /// Returns one image.
    pub async fn image(&self, scope: Scope, id: &str) -> Result<Option<Image>> {
        self.find_image(scope, id, "i.readme").await
    }

    /// Returns part of the images, newest first (by time of creation, then id, both descending).
    ///
    /// The rows and the total are of the same moment. At offset 0 and after a cursor the cost does not grow
    /// with the number of images; an offset is walked over in an index.
    pub async fn images_page(
        &self,
        scope: Scope,
        filter: ImageFilter<'_>,
        paging: Paging<'_>,
    ) -> Result<Page<Image>> {
        if let Some(id) = filter.id {
            let image = self.find_image(scope, id, filter.readme()).await?;
            return Ok(page_of_one(image, filter, paging));
        }
        if filter.zones.is_some_and(<[_]>::is_empty) {
            return Ok(Page::empty());
        }
        let (sql, params) = page_statement(scope, filter, paging);
        let rows = self.database.query(&sql, params.as_slice()).await?;
        Page::decode(rows, "images", paging.limit(), image_cells, place)
    }

    async fn find_image(&self, scope: Scope, id: &str, readme: &str) -> Result<Option<Image>> {
        let sql = format!(
            "SELECT {COLUMNS}, {readme} FROM images i JOIN accounts a ON a.id = i.account_id
             WHERE {} AND i.id = $2",
            scope.images()
        );
        let rows = self.database.query(&sql, &[scope.param(), id.into()]).await?;
        rows.into_iter().next().map(|row: Row| row.decode("images", image_cells)).transpose()
    }
}

fn place(image: &Image) -> (i64, &str) {
    (image.create_time, &image.id)
}

fn page_of_one(image: Option<Image>, filter: ImageFilter<'_>, paging: Paging<'_>) -> Page<Image> {
    let Some(image) = image.filter(|image| filter.zones.is_none_or(|zones| zones.contains(&&*image.zone)))
    else {
        return Page::empty();
    };
    let reached = match paging {
        Paging::Offset { offset, .. } => offset == 0,
        Paging::After { cursor, .. } => place(&image) < (cursor.time, cursor.id.as_str()),
    };
    let items = if reached && paging.limit() > 0 { vec![image] } else { vec![] };
    Page { items, total: 1, next: None }
}

/// The total from the counters, beside the keys of the page from an index, beside their rows.
fn page_statement<'a>(scope: Scope, filter: ImageFilter<'a>, paging: Paging<'a>) -> (String, Params<'a>) {
    let mut params = Params::default();
    // `Scope::images` calls it $1.
    let owner = params.add(scope.param());
    let counted = match filter.zones {
        Some(zones) => format!(" AND zone IN ({})", params.add_all(zones)),
        None => String::new(),
    };
    let keys = page_keys(scope, filter, paging, &mut params);
    let sql = format!(
        "SELECT {COLUMNS}, {}, t.total
         FROM (SELECT CAST(COALESCE(SUM(images), 0) AS BIGINT) AS total
               FROM image_counts WHERE account_id = {owner}{counted}) t
         LEFT JOIN ({keys}) k ON TRUE
         LEFT JOIN images i ON i.id = k.id
         LEFT JOIN accounts a ON a.id = i.account_id",
        filter.readme()
    );
    (sql, params)
}

/// A statement that walks an index: that of the account, or those of the zones side by side. Sorting the
/// whole account by zone would make the cost grow.
fn page_keys<'a>(
    scope: Scope,
    filter: ImageFilter<'a>,
    paging: Paging<'a>,
    params: &mut Params<'a>,
) -> String {
    const ORDER: &str = "ORDER BY create_time DESC, id DESC";
    let (limit, offset) = (i64::from(paging.limit()) + 1, i64::from(paging.offset()));
    let after = paging.after("create_time", params);
    let walk = format!("SELECT i.create_time, i.id FROM images i WHERE {}{after}", scope.images());
    let window = format!("{ORDER} LIMIT {} OFFSET {}", params.add(limit), params.add(offset));
    match filter.zones {
        None => format!("{walk} {window}"),
        Some([zone]) => format!("{walk} AND i.zone = {} {window}", params.add(*zone)),
        Some(zones) => {
            let reach = params.add(limit + offset);
            let walks = zones.iter().map(|zone| {
                let zone = params.add(*zone);
                format!("SELECT * FROM ({walk} AND i.zone = {zone} {ORDER} LIMIT {reach}) w")
            });
            let walks = walks.collect::<Vec<_>>().join(" UNION ALL ");
            format!("SELECT create_time, id FROM ({walks}) z {window}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountId, Cursor};

    /// What SQLite does for a page, a step a line.
    async fn plan(filter: ImageFilter<'_>, paging: Paging<'_>) -> String {
        let catalog = Catalog::open_sqlite_in_memory().await.unwrap();
        let (sql, params) = page_statement(Scope::own(AccountId(1)), filter, paging);
        let sql = format!("EXPLAIN QUERY PLAN {sql}");
        let rows = catalog.database.query(&sql, params.as_slice()).await.unwrap();
        let step = |row: Row| {
            row.decode("plan", |cells| {
                for _number_of_step in 0..3 {
                    cells.integer()?;
                }
                cells.text()
            })
        };
        rows.into_iter().map(step).collect::<Result<Vec<_>>>().unwrap().join("\n")
    }

    #[tokio::test]
    async fn a_page_reads_indexes_and_sorts_nothing() {
        let cursor = Cursor { time: 5, id: "image".to_owned() };
        let all = ImageFilter::default();
        for paging in [Paging::first(20), Paging::After { cursor: &cursor, limit: 20 }] {
            let plan_of_all = plan(all, paging).await;
            assert!(plan_of_all.contains("USING INDEX images_newest (account_id=?"), "{plan_of_all}");
            let in_zone = plan(ImageFilter { zones: Some(&["a"]), ..all }, paging).await;
            assert!(
                in_zone.contains("USING INDEX images_newest_of_zone (account_id=? AND zone=?"),
                "{in_zone}"
            );
            for plan in [plan_of_all, in_zone] {
                assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN i"), "{plan}");
            }
        }
    }

    #[tokio::test]
    async fn a_page_of_several_zones_walks_an_index_for_each() {
        let zones = ImageFilter { zones: Some(&["a", "b"]), ..ImageFilter::default() };
        let plan = plan(zones, Paging::first(20)).await;
        let walks = plan.matches("USING INDEX images_newest_of_zone (account_id=? AND zone=?)").count();
        assert_eq!(walks, 2, "{plan}");
        assert!(!plan.contains("SCAN i"), "{plan}");
    }
}
