use crate::Result;
use crate::database::Transaction;
use crate::fold::fold;

/// Which images are versions of group `$1`. The text is not empty, which the index is told in its own words.
const VERSIONS: &str = "FROM images i WHERE i.group_id = $1 AND i.group_id <> '' AND i.deleted_at IS NULL";

/// Brings a group up to date with its versions. Without an id it does nothing.
///
/// The transaction must hold the row of the account whose group it is: see [`bump_revision`](crate::accounts::bump_revision).
pub(crate) async fn refresh_group(transaction: &mut Transaction, id: &str) -> Result<()> {
    if id.is_empty() {
        return Ok(());
    }
    let counts = format!(
        "UPDATE image_groups SET
             versions = (SELECT COUNT(*) {VERSIONS}),
             public_versions = (SELECT COUNT(*) {VERSIONS} AND i.visibility = 1),
             created_count = (SELECT CAST(COALESCE(SUM(i.created_count), 0) AS BIGINT) {VERSIONS}),
             image_use_time_hours = (SELECT CAST(COALESCE(SUM(i.image_use_time_hours), 0) AS BIGINT) {VERSIONS})
         WHERE id = $1"
    );
    transaction.execute(&counts, &[id.into()]).await?;
    let Some(newest) = newest(transaction, id).await? else {
        // Its last version is gone: the group waits for another, and nobody sees it.
        return Ok(());
    };
    let facts = "UPDATE image_groups SET name = $2, folded_name = $3, description = $4, pub_time = $5, published_ordinal = $9,
                     price_cents = $6, auto_start = $7, tags = $8
                 WHERE id = $1";
    let folded_name = fold(&newest.name);
    let params = [
        id.into(),
        (&newest.name).into(),
        (&folded_name).into(),
        (&newest.description).into(),
        newest.pub_time.into(),
        newest.price_cents.into(),
        newest.auto_start.into(),
        (&newest.tags).into(),
        newest.published_ordinal.into(),
    ];
    transaction.execute(facts, &params).await.map(drop)
}

/// What a group takes over from a version.
struct Newest {
    name: String,
    description: String,
    pub_time: i64,
    /// When it was published, or else when it was handed in.
    published_ordinal: i64,
    price_cents: i64,
    auto_start: i64,
    tags: String,
}

/// The newest public version, or else the newest.
async fn newest(transaction: &mut Transaction, id: &str) -> Result<Option<Newest>> {
    let sql = format!(
        "SELECT i.id, CASE i.community_name WHEN '' THEN i.name ELSE i.community_name END, i.description, i.pub_time,
                CASE i.visibility WHEN 1 THEN i.published_ordinal ELSE i.submitted_ordinal END, i.price_cents, i.auto_start, i.tags
         {VERSIONS}
         ORDER BY i.visibility DESC, i.submitted_ordinal DESC, i.ordinal DESC LIMIT 1"
    );
    let row = transaction.query(&sql, &[id.into()]).await?.into_iter().next();
    row.map(|row| {
        row.decode("images", |cells| {
            cells.text()?;
            Ok(Newest {
                name: cells.text()?,
                description: cells.text()?,
                pub_time: cells.integer()?,
                published_ordinal: cells.integer()?,
                price_cents: cells.integer()?,
                auto_start: cells.integer()?,
                tags: cells.text()?,
            })
        })
    })
    .transpose()
}
