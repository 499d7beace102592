use super::filter::ImageFilter;
use super::list::{OFFSET_WALKED_MAX, Parts, is_whole};
use crate::database::Params;
use crate::{Catalog, Image, Page, Paging, Result, Scope};

impl Catalog {
    /// Returns one image.
    pub async fn image(&self, scope: Scope, id: &str) -> Result<Option<Image>> {
        let sql = format!(
            "SELECT {}, i.readme FROM images i JOIN accounts a ON a.id = i.account_id WHERE {} AND i.id = $2",
            Image::COLUMNS,
            scope.found_images()
        );
        self.database.query(&sql, &scope.image_params(id)).await?.first("images")
    }

    /// Returns a page of images. By default, images of one account are sorted by creation, newest first; those of several
    /// by time, then by creation.
    ///
    /// Rows and total are from one snapshot. For all images of an account or of some zones, newest first, the cost depends
    /// neither on their number nor on the offset. Any other filter or order reads every image in the scope, and fails with
    /// [`CatalogError::TooManyImages`](crate::CatalogError::TooManyImages) if one account has too many. See also
    /// [`Catalog::matching_images`] and [`Catalog::shared_images`].
    pub async fn images_page(
        &self,
        scope: Scope,
        filter: ImageFilter<'_>,
        paging: Paging<'_>,
    ) -> Result<Page<Image>> {
        if paging.offset() > OFFSET_WALKED_MAX
            && is_whole(scope, &filter)
            && !filter.with_readme
            && let Some(page) = self.deep_page(scope, filter.zones, paging).await?
        {
            return Ok(page);
        }
        if scope.is_one_account() && filter.id.is_none() && !is_whole(scope, &filter) {
            self.check_searchable(scope.owner()).await?;
        }
        let (sql, params) = page_statement(scope, &filter, paging);
        let rows = self.read_page(scope, &filter, paging, &sql, &params).await?;
        let order = filter.order;
        rows.page("images", paging.limit(), &order.order(scope), |image| order.position(scope, image))
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AccountId;
    use crate::images::order::ImageOrder;

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
