use crate::database::row;
use crate::{Catalog, Result, Scope};

row! {
    /// The image that has a name.
    pub struct NameHolder {
        /// The image.
        pub image_id: String = "i.id",
        /// Whether its upload is unfinished.
        pub is_upload: bool = "CAST(CASE WHEN u.image_id IS NULL THEN 0 ELSE 1 END AS BIGINT)",
    }
}

impl Catalog {
    /// Returns the image of the account that has a name. For messages only: it may change at any moment.
    pub async fn name_holder(&self, scope: Scope, name: &str) -> Result<Option<NameHolder>> {
        let sql = format!(
            "SELECT {} FROM images i LEFT JOIN uploads u ON u.image_id = i.id AND u.finished_at IS NULL
             WHERE i.account_id = $1 AND i.name = $2 AND i.deleted_at IS NULL AND i.status <> 'UnAvailable'
             ORDER BY i.id LIMIT 1",
            NameHolder::COLUMNS
        );
        self.database.query(&sql, &[scope.param(), name.into()]).await?.first("images")
    }
}
