use crate::{Catalog, Result, Scope};

/// The most lists of tags that are read; tags in further lists are omitted.
const LISTS_MAX: i64 = 10_000;

impl Catalog {
    /// Returns the distinct tags of the groups in the scope, sorted by code point.
    pub async fn tags_in_use(&self, scope: Scope) -> Result<Vec<String>> {
        let sql = format!(
            "SELECT DISTINCT g.tags FROM image_groups g WHERE ({}) AND g.tags <> '[]' ORDER BY g.tags LIMIT $2",
            scope.groups()
        );
        let rows = self.database.scan(scope.requester(), &sql, &[scope.param(), LISTS_MAX.into()]).await?;
        let mut tags = rows.all::<Vec<String>>("image_groups")?.concat();
        tags.sort_unstable();
        tags.dedup();
        Ok(tags)
    }
}
