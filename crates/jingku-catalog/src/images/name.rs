//! Who has a name.

use crate::{Catalog, Result, Scope};

/// An image that has the name which another is to get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameHolder {
    /// The image.
    pub image_id: String,
    /// Whether the file that it is made of is still on its way.
    pub is_upload: bool,
}

impl Catalog {
    /// Returns the image of the account that has a name: for a message, since it may be another a moment later.
    pub async fn name_holder(&self, scope: Scope, name: &str) -> Result<Option<NameHolder>> {
        let sql = "SELECT i.id, CASE WHEN u.image_id IS NULL THEN 0 ELSE 1 END
                   FROM images i LEFT JOIN uploads u ON u.image_id = i.id AND u.finished_at IS NULL
                   WHERE i.account_id = $1 AND i.name = $2 AND i.deleted_at IS NULL AND i.status <> 'UnAvailable'
                   ORDER BY i.id LIMIT 1";
        let row = self.database.query(sql, &[scope.param(), name.into()]).await?.into_iter().next();
        row.map(|row| {
            row.decode("images", |cells| {
                Ok(NameHolder { image_id: cells.text()?, is_upload: cells.integer()? != 0 })
            })
        })
        .transpose()
    }
}
