use crate::database::Cells;
use crate::{Catalog, Result, Scope};

/// Lists of tags that are read: beyond it, tags in use may be left out.
const LISTS_MAX: i64 = 10_000;

impl Catalog {
    /// Returns the tags of the groups in the scope, each once, sorted by the numbers of their characters.
    pub async fn tags_in_use(&self, scope: Scope) -> Result<Vec<String>> {
        let sql = format!(
            "SELECT DISTINCT g.tags FROM image_groups g WHERE ({}) AND g.tags <> '[]' ORDER BY g.tags LIMIT $2",
            scope.groups()
        );
        let rows = self.database.scan(scope.requester(), &sql, &[scope.param(), LISTS_MAX.into()]).await?;
        let lists = rows.into_iter().map(|row| row.decode("image_groups", Cells::list));
        let mut tags = lists.collect::<Result<Vec<Vec<String>>>>()?.concat();
        tags.sort_unstable();
        tags.dedup();
        Ok(tags)
    }
}
