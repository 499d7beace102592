use super::order::GroupOrder;
use crate::database::{Cells, Params, Read};
use crate::fold::fold;
use crate::images::{COLUMNS, image_cells};
use crate::{AccountId, Catalog, Image, Page, Paging, Result, Scope};

/// The most words of a search that are looked at; more narrow nothing.
const WORDS_MAX: usize = 16;

/// The versions of one image in the community.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id, unique in the catalogue.
    pub id: String,
    /// Whose it is.
    pub account: AccountId,
    /// What it is called: as its newest public version is, or else as its newest.
    pub name: String,
    /// What it is for, likewise.
    pub description: String,
    /// How many public versions it has.
    pub public_versions: i64,
    /// How much the operator recommends it.
    pub recommend_count: i64,
    /// How many accounts favour it.
    pub favorites_count: i64,
    /// How many instances were started from its versions.
    pub created_count: i64,
    /// How long its versions were used.
    pub image_use_time_hours: i64,
    /// What its newest public version costs, or else its newest, in 1/100 CNY an hour.
    pub price_cents: i64,
    /// When that version was published, or 0.
    pub pub_time: i64,
    /// Its place among groups of the same time, the last published highest.
    pub published_ordinal: i64,
    /// Whether the account that asks favours it.
    pub is_favorite: bool,
}

/// Which groups are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct GroupFilter<'a> {
    /// The one with this id.
    pub id: Option<&'a str>,
    /// The one that this image is a version of, which must be in the scope.
    pub image_id: Option<&'a str>,
    /// Those with a version held in one of these zones.
    pub zones: Option<&'a [&'a str]>,
    /// Part of the name, whatever its case and width.
    pub name: Option<&'a str>,
    /// The name of the account, whole and exact.
    pub author: Option<&'a str>,
    /// Words with blanks between, each part of the name or of the author's, folded.
    pub words: Option<&'a str>,
    /// Those with every one of these tags, exact.
    pub tags: &'a [&'a str],
    /// Whether it costs nothing.
    pub free: Option<bool>,
    /// Whether the platform made it.
    pub official: Option<bool>,
    /// Whether its software starts with the machine.
    pub auto_start: Option<bool>,
}

/// Which versions of groups are wanted.
#[derive(Clone, Copy, Debug)]
pub struct VersionFilter<'a> {
    /// The one with this id.
    pub image_id: Option<&'a str>,
    /// Those held in one of these zones.
    pub zones: Option<&'a [&'a str]>,
    /// Versions of each group, the newest, at most.
    pub versions_max: u32,
    /// The readme of each group's newest version, when it has at most this many characters.
    pub readme_chars_max: u32,
}

impl Catalog {
    /// Returns part of the groups in the scope, as `viewer` sees them.
    ///
    /// The rows and the total are of the same moment. The total is counted, so that the cost grows with the number of
    /// groups: a group is one short row, and no image is looked at unless the filter names zones or an image.
    pub async fn groups_page(
        &self,
        scope: Scope,
        viewer: AccountId,
        filter: GroupFilter<'_>,
        order: GroupOrder,
        paging: Paging<'_>,
    ) -> Result<Page<Group>> {
        if filter.zones.is_some_and(<[_]>::is_empty) {
            return Ok(Page::empty());
        }
        let terms = FilterTerms::new(filter);
        let (sql, params) = page_statement(scope, viewer, &terms, order, paging);
        let rows = self.database.scan(viewer, &sql, params.as_slice()).await?;
        let position = |group: &Group| order.position(group);
        Page::decode_sorted(rows, "image_groups", paging.limit(), &order.order(), group_cells, position)
    }

    /// Returns versions of these groups that are in the scope, those of a group together, the newest first.
    pub async fn versions(
        &self,
        scope: Scope,
        groups: &[&str],
        filter: VersionFilter<'_>,
    ) -> Result<Vec<Image>> {
        if groups.is_empty() || filter.zones.is_some_and(<[_]>::is_empty) {
            return Ok(Vec::new());
        }
        let mut params = Params::default();
        // `Scope::images` calls it $1.
        params.add(scope.param());
        let mut chosen = vec![
            format!("({})", scope.images()),
            "i.group_id <> ''".to_owned(),
            format!("i.group_id IN ({})", params.add_all(groups)),
        ];
        chosen.extend(filter.image_id.map(|id| format!("i.id = {}", params.add(id))));
        chosen.extend(filter.zones.map(|zones| format!("i.zone IN ({})", params.add_all(zones))));
        let chosen = chosen.join(" AND ");
        let sql = format!(
            "SELECT {COLUMNS}, CASE WHEN k.place = 1 AND CAST(LENGTH(i.readme) AS BIGINT) <= {} THEN i.readme ELSE '' END
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
        let rows = self.database.scan(scope.requester(), &sql, params.as_slice()).await?;
        rows.into_iter().map(|row| row.decode("images", image_cells)).collect()
    }
}

/// A filter with its texts in the form they are compared in.
struct FilterTerms<'a> {
    filter: GroupFilter<'a>,
    name: Option<String>,
    words: Vec<String>,
    /// A tag as it begins in a list kept as JSON: first, or after another.
    tags: Vec<[String; 2]>,
}

impl<'a> FilterTerms<'a> {
    fn new(filter: GroupFilter<'a>) -> Self {
        let words = fold(filter.words.unwrap_or_default());
        let tag = |tag: &&str| {
            let json = serde_json::to_string(tag).expect("a text has a JSON form");
            [format!("[{json}"), format!(",{json}")]
        };
        Self {
            filter,
            name: filter.name.map(fold).filter(|name| !name.is_empty()),
            words: words.split_whitespace().take(WORDS_MAX).map(str::to_owned).collect(),
            tags: filter.tags.iter().map(tag).collect(),
        }
    }

    /// The condition on `image_groups AS g`. `$1` is the scope's.
    fn condition(&'a self, scope: Scope, params: &mut Params<'a>) -> String {
        let filter = &self.filter;
        let mut all = vec![format!("({})", scope.groups())];
        all.extend(filter.id.map(|id| format!("g.id = {}", params.add(id))));
        all.extend(filter.image_id.map(|id| {
            let id = params.add(id);
            format!("g.id = (SELECT i.group_id FROM images i WHERE {} AND i.id = {id})", scope.images())
        }));
        all.extend(filter.zones.map(|zones| {
            let (images, zones) = (scope.images(), params.add_all(zones));
            format!(
                "EXISTS (SELECT 1 FROM images i
                         WHERE {images} AND i.group_id = g.id AND i.group_id <> '' AND i.zone IN ({zones}))"
            )
        }));
        all.extend(self.name.as_ref().map(|name| contains("g.folded_name", &params.add(name))));
        all.extend(filter.author.map(|author| {
            format!("g.account_id = (SELECT id FROM accounts WHERE name = {})", params.add(author))
        }));
        all.extend(self.words.iter().map(|word| {
            let word = params.add(word);
            format!("({} OR {})", contains("g.folded_name", &word), contains("g.folded_author", &word))
        }));
        all.extend(self.tags.iter().map(|[first, later]| {
            let (first, later) = (params.add(first), params.add(later));
            format!("({} OR {})", contains("g.tags", &first), contains("g.tags", &later))
        }));
        all.extend(
            filter.free.map(|free| if free { "g.price_cents = 0" } else { "g.price_cents > 0" }.to_owned()),
        );
        all.extend(
            filter
                .official
                .map(|official| if official { "g.account_id = 0" } else { "g.account_id <> 0" }.to_owned()),
        );
        all.extend(
            filter.auto_start.map(|starts| format!("g.auto_start = {}", params.add(i64::from(starts)))),
        );
        all.join(" AND ")
    }
}

/// Says in SQL that a column holds a text, which is not empty. Exact on both engines, unlike LIKE, which has characters
/// of its own and on SQLite does not tell a from A.
fn contains(column: &str, text: &str) -> String {
    format!("REPLACE({column}, {text}, '') <> {column}")
}

/// The total, beside the keys of the page, beside their rows and whether the viewer favours them.
fn page_statement<'a>(
    scope: Scope,
    viewer: AccountId,
    terms: &'a FilterTerms<'a>,
    order: GroupOrder,
    paging: Paging<'a>,
) -> (String, Params<'a>) {
    let mut params = Params::default();
    params.add(scope.param());
    let condition = terms.condition(scope, &mut params);
    let order = order.order();
    let after = paging.after(&order, &mut params);
    let sort = order.clause();
    let sql = format!(
        "SELECT g.id, g.account_id, g.name, g.description, g.public_versions, g.recommend_count, g.favorites_count,
                g.created_count, g.image_use_time_hours, g.price_cents, g.pub_time, g.published_ordinal,
                f.created_at, t.total
         FROM (SELECT COUNT(*) AS total FROM image_groups g WHERE {condition}) t
         LEFT JOIN (SELECT g.id FROM image_groups g WHERE {condition}{after} {sort} LIMIT {} OFFSET {}) k ON TRUE
         LEFT JOIN image_groups g ON g.id = k.id
         LEFT JOIN favorites f ON f.group_id = k.id AND f.account_id = {}
         {sort}",
        params.add(i64::from(paging.limit()) + 1),
        params.add(i64::from(paging.offset())),
        params.add(viewer),
    );
    (sql, params)
}

fn group_cells(cells: &mut Cells) -> Read<Group> {
    Ok(Group {
        id: cells.text()?,
        account: AccountId(cells.integer()?),
        name: cells.text()?,
        description: cells.text()?,
        public_versions: cells.integer()?,
        recommend_count: cells.integer()?,
        favorites_count: cells.integer()?,
        created_count: cells.integer()?,
        image_use_time_hours: cells.integer()?,
        price_cents: cells.integer()?,
        pub_time: cells.integer()?,
        published_ordinal: cells.integer()?,
        is_favorite: cells.optional_integer()?.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Row;

    /// What SQLite does for a page, a step a line.
    async fn plan(order: GroupOrder) -> String {
        let catalog = Catalog::open_sqlite_in_memory().await.unwrap();
        let terms = FilterTerms::new(GroupFilter::default());
        let (sql, params) =
            page_statement(Scope::published(), AccountId(1), &terms, order, Paging::first(20));
        let rows =
            catalog.database.query(&format!("EXPLAIN QUERY PLAN {sql}"), params.as_slice()).await.unwrap();
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
    async fn the_usual_order_walks_an_index() {
        let plan = plan(GroupOrder::default()).await;
        assert!(plan.contains("SCAN g USING INDEX image_groups_public"), "{plan}");
        assert!(!plan.contains("SCAN f"), "{plan}");
    }
}
