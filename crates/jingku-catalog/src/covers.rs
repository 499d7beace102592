use crate::database::{Transaction, row};
use crate::images::row::CHANGED;
use crate::{Catalog, Result, Scope};

/// A change of an image's cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CoverChange {
    /// Removes it.
    Clear,
    /// Replaces it. The same picture keeps its id.
    Set(Cover),
}

row! {
    /// A cover picture.
    pub struct Cover {
        /// Its unique, unguessable id.
        pub id: String = "c.id",
        /// Its media type, such as `image/png`.
        pub media_type: String = "c.media_type",
        /// Its bytes in Base64, in a canonical form.
        pub data: String = "c.data",
    }
}

/// Images outside the trash that use the cover `$1`.
const USERS: &str = "SELECT 1 FROM images i WHERE i.cover = $1 AND i.cover <> '' AND i.deleted_at IS NULL";

impl Catalog {
    /// Returns the cover of an image that is not in the trash. There is no scope: only those who see the image know the id,
    /// and those they gave it to.
    pub async fn cover(&self, id: &str) -> Result<Option<Cover>> {
        let columns = Cover::COLUMNS;
        let sql = format!("SELECT {columns} FROM covers c WHERE c.id = $1 AND EXISTS ({USERS})");
        self.database.query(&sql, &[id.into()]).await?.first("covers")
    }
}

impl Transaction {
    /// Changes the cover of an existing image and deletes the old one if unused. The transaction must lock the account.
    pub(crate) async fn set_cover(&mut self, scope: Scope, id: &str, change: &CoverChange) -> Result<()> {
        let sql = "SELECT cover FROM images WHERE account_id = $1 AND id = $2";
        let rows = self.query(sql, &scope.image_params(id)).await?;
        let old: String = rows.first("images")?.unwrap_or_default();
        let new = match change {
            CoverChange::Clear => "",
            CoverChange::Set(new) => {
                let same = "SELECT id FROM covers WHERE id = $1 AND data = $2";
                if self.exists(same, &[(&old).into(), (&new.data).into()]).await? {
                    return Ok(());
                }
                let insert = "INSERT INTO covers (id, media_type, data) VALUES ($1, $2, $3)";
                let params = [(&new.id).into(), (&new.media_type).into(), (&new.data).into()];
                self.execute(insert, &params).await?;
                &new.id
            }
        };
        let update = format!("UPDATE images SET {CHANGED}, cover = $3 WHERE account_id = $1 AND id = $2");
        self.execute(&update, &[scope.param(), id.into(), new.into()]).await?;
        self.delete_if_unused(&old).await
    }

    /// Deletes a cover unless an image, perhaps in the trash, uses it.
    pub(crate) async fn delete_if_unused(&mut self, id: &str) -> Result<()> {
        if id.is_empty() {
            return Ok(());
        }
        self.lock_cover(id).await?;
        let sql = "DELETE FROM covers
                   WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM images WHERE cover = $1 AND cover <> '')";
        self.execute(sql, &[id.into()]).await.map(drop)
    }

    /// Locks a cover until the transaction ends, before an image starts or stops using it. This must be a statement of its own:
    /// on PostgreSQL the next statement then sees what the other transaction did.
    pub(crate) async fn lock_cover(&mut self, id: &str) -> Result<()> {
        let sql = "UPDATE covers SET media_type = media_type WHERE id = $1";
        self.execute(sql, &[id.into()]).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_users_of_a_cover_are_found_by_index() {
        let catalog = Catalog::open_sqlite_in_memory().await.unwrap();
        let plan = catalog.database.plan(USERS, &["cover".into()]).await;
        assert!(plan.contains("USING INDEX images_cover (cover=?"), "{plan}");
    }
}
