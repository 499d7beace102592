use super::group::{Group, GroupOrder};
use crate::database::Params;
use crate::text_search::{contains, fold, has_tags};
use crate::{AccountId, Catalog, Image, Page, Paging, Result, Scope};

/// The most words of a search; further words are ignored.
const WORDS_MAX: usize = 16;
/// The most lists of tags that are read; tags in further lists are omitted.
const TAG_LISTS_MAX: i64 = 10_000;

/// A filter of groups.
#[derive(Clone, Copy, Debug, Default)]
pub struct GroupFilter<'a> {
    /// The id.
    pub id: Option<&'a str>,
    /// The id of a version, which must be in the scope.
    pub image_id: Option<&'a str>,
    /// The zones, any of which has a version.
    pub zones: Option<&'a [&'a str]>,
    /// Part of the name, ignoring case and width.
    pub name: Option<&'a str>,
    /// The exact name of the account.
    pub author: Option<&'a str>,
    /// Words separated by spaces, each part of the name or the author's name, ignoring case and width.
    pub words: Option<&'a str>,
    /// The exact tags, all of them.
    pub tags: &'a [&'a str],
    /// Whether it is free.
    pub free: Option<bool>,
    /// Whether it belongs to the platform.
    pub official: Option<bool>,
    /// Whether its software starts with the machine.
    pub auto_start: Option<bool>,
}

/// A filter of versions.
#[derive(Clone, Copy, Debug)]
pub struct VersionFilter<'a> {
    /// The id.
    pub image_id: Option<&'a str>,
    /// The zones, any of them.
    pub zones: Option<&'a [&'a str]>,
    /// The most versions to return per group, newest first.
    pub versions_max: u32,
    /// Whether the groups have few versions, so that reading them is not a scan.
    pub are_few: bool,
    /// The most characters of a readme; only the newest version of each group has one.
    pub readme_chars_max: u32,
}

impl Catalog {
    /// Returns a page of the groups in the scope, as `viewer` sees them.
    ///
    /// Rows and total are from one snapshot. The first page of a filter and sort field reads the rows of all groups, in
    /// steps on threads for scans; then their order is in memory, and a page costs the same at any offset, also after
    /// changes.
    pub async fn groups_page(
        &self,
        scope: Scope,
        viewer: AccountId,
        filter: GroupFilter<'_>,
        order: GroupOrder,
        paging: Paging<'_>,
    ) -> Result<Page<Group>> {
        if let Some(page) = self.ranked_groups(scope, viewer, &filter, order, paging).await? {
            return Ok(page);
        }
        let (sql, params) = page_statement(scope, viewer, &filter, order, paging);
        let rows = self.database.scan(viewer, &sql, params.as_slice()).await?;
        rows.page("image_groups", paging.limit(), &order.order(), |group| order.position(group))
    }

    /// Returns versions of groups in the scope, grouped, newest first.
    pub async fn versions(
        &self,
        scope: Scope,
        groups: &[&str],
        filter: VersionFilter<'_>,
    ) -> Result<Vec<Image>> {
        let mut params = Params::default();
        // $1 in `Scope::images`.
        params.add(scope.param());
        let mut chosen = vec![
            format!("({})", scope.images()),
            "i.group_id <> ''".to_owned(),
            format!("i.group_id IN ({})", params.add_all(groups)),
        ];
        chosen.extend(filter.image_id.map(|id| format!("i.id = {}", params.add(id))));
        chosen.extend(filter.zones.map(|zones| format!("i.zone IN ({})", params.add_all(zones))));
        let chosen = chosen.join(" AND ");
        let columns = Image::COLUMNS;
        let sql = format!(
            "SELECT {columns}, CASE WHEN k.place = 1 AND CAST(LENGTH(i.readme) AS BIGINT) <= {} THEN i.readme ELSE '' END
             FROM (SELECT i.id, i.group_id,
                          ROW_NUMBER() OVER (PARTITION BY i.group_id
                                             ORDER BY i.submitted_ordinal DESC, i.ordinal DESC) AS place
                   FROM images i WHERE {chosen}) k
             JOIN images i ON i.id = k.id
             JOIN accounts a ON a.id = i.account_id
             WHERE k.place <= {}
             ORDER BY k.group_id, k.place",
            params.add(i64::from(filter.readme_chars_max)),
            params.add(i64::from(filter.versions_max)),
        );
        let rows = if filter.are_few {
            self.database.query(&sql, params.as_slice()).await?
        } else {
            self.database.scan(scope.requester(), &sql, params.as_slice()).await?
        };
        rows.all("images")
    }

    /// Returns the distinct tags of the groups in the scope, sorted by code point.
    pub async fn tags_in_use(&self, scope: Scope) -> Result<Vec<String>> {
        let sql = format!(
            "SELECT DISTINCT g.tags FROM image_groups g WHERE ({}) AND g.tags <> '[]' ORDER BY g.tags LIMIT $2",
            scope.groups()
        );
        let rows =
            self.database.scan(scope.requester(), &sql, &[scope.param(), TAG_LISTS_MAX.into()]).await?;
        let mut tags = rows.all::<Vec<String>>("image_groups")?.concat();
        tags.sort_unstable();
        tags.dedup();
        Ok(tags)
    }
}

impl<'a> GroupFilter<'a> {
    /// Returns the condition on `image_groups AS g`. `$1` is the scope's.
    pub(super) fn condition(&self, scope: Scope, params: &mut Params<'a>) -> String {
        let mut all = vec![format!("({})", scope.groups())];
        all.extend(self.id.map(|id| format!("g.id = {}", params.add(id))));
        all.extend(self.image_id.map(|id| {
            let id = params.add(id);
            format!("g.id = (SELECT i.group_id FROM images i WHERE {} AND i.id = {id})", scope.images())
        }));
        all.extend(self.zones.map(|zones| {
            let (images, zones) = (scope.images(), params.add_all(zones));
            format!(
                "EXISTS (SELECT 1 FROM images i
                         WHERE {images} AND i.group_id = g.id AND i.group_id <> '' AND i.zone IN ({zones}))"
            )
        }));
        let name = self.name.map(fold).filter(|name| !name.is_empty());
        all.extend(name.map(|name| contains("g.folded_name", &params.add(name))));
        all.extend(self.author.map(|author| {
            format!("g.account_id = (SELECT id FROM accounts WHERE name = {})", params.add(author))
        }));
        let words = fold(self.words.unwrap_or_default());
        all.extend(words.split_whitespace().take(WORDS_MAX).map(|word| {
            let word = params.add(word.to_owned());
            format!("({} OR {})", contains("g.folded_name", &word), contains("g.folded_author", &word))
        }));
        all.extend(has_tags("g.tags", self.tags, params));
        let either = |value: bool, yes: &str, no: &str| if value { yes } else { no }.to_owned();
        all.extend(self.free.map(|free| either(free, "g.price_cents = 0", "g.price_cents > 0")));
        all.extend(self.official.map(|official| either(official, "g.account_id = 0", "g.account_id <> 0")));
        all.extend(self.auto_start.map(|starts| format!("g.auto_start = {}", params.add(starts))));
        all.join(" AND ")
    }
}

/// Selects the total, the keys of the page, their rows, and whether they are favourites of the viewer.
fn page_statement<'a>(
    scope: Scope,
    viewer: AccountId,
    filter: &GroupFilter<'a>,
    order: GroupOrder,
    paging: Paging<'a>,
) -> (String, Params<'a>) {
    let mut params = Params::default();
    params.add(scope.param());
    let condition = filter.condition(scope, &mut params);
    let order = order.order();
    let after = paging.after(&order, &mut params);
    let window = paging.window(&order, &mut params);
    let sql = format!(
        "SELECT {}, t.total
         FROM (SELECT COUNT(*) AS total FROM image_groups g WHERE {condition}) t
         LEFT JOIN (SELECT g.id FROM image_groups g WHERE {condition}{after} {window}) k ON TRUE
         LEFT JOIN image_groups g ON g.id = k.id
         LEFT JOIN favorites f ON f.group_id = k.id AND f.account_id = {}",
        Group::COLUMNS,
        params.add(viewer),
    );
    (sql, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns SQLite's query plan for a page.
    async fn plan(order: GroupOrder) -> String {
        let catalog = Catalog::open_sqlite_in_memory().await.unwrap();
        let filter = GroupFilter::default();
        let (sql, params) =
            page_statement(Scope::published(), AccountId(1), &filter, order, Paging::first(20));
        catalog.database.plan(&sql, params.as_slice()).await
    }

    #[tokio::test]
    async fn the_default_order_reads_an_index() {
        let plan = plan(GroupOrder::default()).await;
        assert!(plan.contains("SCAN g USING INDEX image_groups_public"), "{plan}");
        assert!(!plan.contains("SCAN f"), "{plan}");
    }
}
