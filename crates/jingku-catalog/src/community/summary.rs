use crate::Result;
use crate::database::{Transaction, row};
use crate::text_search::fold;

/// The versions of group `$1`. The index needs the condition that the text is not empty.
const VERSIONS: &str = "FROM images i WHERE i.group_id = $1 AND i.group_id <> '' AND i.deleted_at IS NULL";

impl Transaction {
    /// Updates a group, unless the id is empty, from its versions. The transaction must lock its account.
    pub(crate) async fn refresh_group(&mut self, id: &str) -> Result<()> {
        if id.is_empty() {
            return Ok(());
        }
        // Drawn first: locks are taken in the order counter, group.
        let changed = self.next_ordinal().await?;
        let counts = format!(
            "UPDATE image_groups SET
                 changed = $2,
                 versions = (SELECT COUNT(*) {VERSIONS}),
                 public_versions = (SELECT COUNT(*) {VERSIONS} AND i.visibility = 1),
                 created_count = (SELECT CAST(COALESCE(SUM(i.created_count), 0) AS BIGINT) {VERSIONS}),
                 image_use_time_hours = (SELECT CAST(COALESCE(SUM(i.image_use_time_hours), 0) AS BIGINT) {VERSIONS})
             WHERE id = $1"
        );
        self.execute(&counts, &[id.into(), changed.into()]).await?;
        let Some(newest) = self.find_newest(id).await? else {
            // A group without versions is invisible until it gets one.
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
        self.execute(facts, &params).await.map(drop)
    }

    /// Returns the newest public version or, without one, the newest.
    async fn find_newest(&mut self, id: &str) -> Result<Option<Newest>> {
        let sql = format!(
            "SELECT i.id, {} {VERSIONS} ORDER BY i.visibility DESC, i.submitted_ordinal DESC, i.ordinal DESC LIMIT 1",
            Newest::COLUMNS
        );
        self.query(&sql, &[id.into()]).await?.first_after_key("images")
    }
}

row! {
    /// The fields that a group copies from a version.
    struct Newest {
        name: String = "CASE i.community_name WHEN '' THEN i.name ELSE i.community_name END",
        description: String = "i.description",
        pub_time: i64 = "i.pub_time",
        /// The order of publication or, without one, of submission.
        published_ordinal: i64 = "CASE i.visibility WHEN 1 THEN i.published_ordinal ELSE i.submitted_ordinal END",
        price_cents: i64 = "i.price_cents",
        auto_start: i64 = "i.auto_start",
        tags: String = "i.tags",
    }
}
