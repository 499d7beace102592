use crate::database::{Cells, Row, Transaction};
use crate::{Catalog, Result, Scope};

/// A picture to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCover {
    /// Its id, which no cover had before and nobody can guess.
    pub id: String,
    /// What it is, such as `image/png`.
    pub media_type: String,
    /// Its bytes in Base64, in a form that is the same for the same bytes.
    pub data: String,
}

/// What becomes of an image's cover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CoverChange {
    /// It has none.
    Clear,
    /// It is this one. Where the image has the same picture already, that one stays, with its id.
    Set(NewCover),
}

/// A picture that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// What it is.
    pub media_type: String,
    /// Its bytes in Base64.
    pub data: String,
}

impl Catalog {
    /// Returns a cover that an image outside the trash has. There is no scope: its id is known to nobody but those who
    /// see the image, and those they told.
    pub async fn cover(&self, id: &str) -> Result<Option<Cover>> {
        let sql = "SELECT c.id, c.media_type, c.data FROM covers c
                   WHERE c.id = $1 AND EXISTS (
                       SELECT 1 FROM images i
                       WHERE i.cover = $1 AND i.cover <> '' AND i.deleted_at IS NULL
                   )";
        let rows = self.database.query(sql, &[id.into()]).await?;
        let read = |row: Row| {
            row.decode("covers", |cells| {
                cells.text()?;
                Ok(Cover { media_type: cells.text()?, data: cells.text()? })
            })
        };
        rows.into_iter().next().map(read).transpose()
    }
}

/// Changes the cover of an image of the account, which must exist and be held by the transaction: see `bump_revision`.
/// A cover that no image has any more is gone.
pub(crate) async fn set_cover(
    transaction: &mut Transaction,
    scope: Scope,
    image_id: &str,
    change: &CoverChange,
) -> Result<()> {
    let sql = "SELECT cover FROM images WHERE account_id = $1 AND id = $2";
    let rows = transaction.query(sql, &[scope.param(), image_id.into()]).await?;
    let old = rows.into_iter().next().map(|row| row.decode("images", Cells::text)).transpose()?;
    let old = old.unwrap_or_default();
    let new = match change {
        CoverChange::Clear => "",
        CoverChange::Set(new) => {
            let same = "SELECT id FROM covers WHERE id = $1 AND data = $2";
            if transaction.exists(same, &[(&old).into(), (&new.data).into()]).await? {
                return Ok(());
            }
            let insert = "INSERT INTO covers (id, media_type, data) VALUES ($1, $2, $3)";
            let params = [(&new.id).into(), (&new.media_type).into(), (&new.data).into()];
            transaction.execute(insert, &params).await?;
            &new.id
        }
    };
    let update = "UPDATE images SET cover = $3 WHERE account_id = $1 AND id = $2";
    transaction.execute(update, &[scope.param(), image_id.into(), new.into()]).await?;
    delete_if_unused(transaction, &old).await
}

/// Forgets a cover unless an image has it, be it in the trash: to be called after an image has let go of it.
pub(crate) async fn delete_if_unused(transaction: &mut Transaction, id: &str) -> Result<()> {
    if id.is_empty() {
        return Ok(());
    }
    lock_cover(transaction, id).await?;
    let sql = "DELETE FROM covers
               WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM images WHERE cover = $1 AND cover <> '')";
    transaction.execute(sql, &[id.into()]).await.map(drop)
}

/// Holds a cover until the transaction ends: who lets go of it and who takes it for another image wait for each other.
/// Both must call this in a statement before theirs, or on PostgreSQL one would not see what the other did.
pub(crate) async fn lock_cover(transaction: &mut Transaction, id: &str) -> Result<()> {
    let sql = "UPDATE covers SET media_type = media_type WHERE id = $1";
    transaction.execute(sql, &[id.into()]).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_uses_a_cover_is_found_in_an_index() {
        let catalog = Catalog::open_sqlite_in_memory().await.unwrap();
        let sql = "EXPLAIN QUERY PLAN SELECT 1 FROM images i
                   WHERE i.cover = $1 AND i.cover <> '' AND i.deleted_at IS NULL";
        let rows = catalog.database.query(sql, &["cover".into()]).await.unwrap();
        let step = |row: Row| {
            row.decode("plan", |cells| {
                for _number_of_step in 0..3 {
                    cells.integer()?;
                }
                cells.text()
            })
        };
        let plan = rows.into_iter().map(step).collect::<Result<Vec<_>>>().unwrap().join("\n");
        assert!(plan.contains("USING INDEX images_cover (cover=?"), "{plan}");
    }
}
