use super::row::{CHANGED, ImageStatus};
use super::state::ImageState;
use crate::database::{Transaction, Value, row};
use crate::{AccountId, Catalog, ImageEvent, Limit, OverLimit, Result, Scope};

row! {
    /// An image in the trash.
    pub struct TrashedImage {
        /// Its id.
        pub id: String = "i.id",
        /// The account it belongs to.
        pub account: AccountId = "i.account_id",
        /// The name of that account.
        pub owner_name: String = "a.name",
        /// Its name, which another image may have now.
        pub name: String = "i.name",
        /// Its status when it was deleted.
        pub status: ImageStatus = "i.status",
        /// Its unpacked size.
        pub size_bytes: i64 = "i.size_bytes",
        /// When it was created.
        pub create_time: i64 = "i.create_time",
        /// When it was deleted.
        pub deleted_at: i64 = "i.deleted_at",
    }
}

/// The outcome of [`Catalog::restore_image`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreImage {
    /// It was restored with this name.
    Restored(String),
    /// There is no such image in the trash.
    NotFound,
    /// Another image of the account has this name.
    NameTaken(String),
    /// It was deleted while being made, and has no content.
    NeverMade,
    /// The account would exceed a limit.
    OverLimit(OverLimit),
}

/// The image `$1`, if it is in the trash.
const IN_TRASH: &str = "i.id = $1 AND i.deleted_at IS NOT NULL";

impl Catalog {
    /// Returns the trash of all accounts, last deleted first, at most `limit`.
    pub async fn trash(&self, limit: u32) -> Result<Vec<TrashedImage>> {
        self.trashed("ORDER BY i.deleted_ordinal DESC LIMIT $1", &[i64::from(limit).into()]).await
    }

    /// Returns what was deleted at a time or earlier, in order of time and id, after a position in that order, at most
    /// `limit`. Start at `(i64::MIN, "")`.
    pub async fn trash_until(
        &self,
        deleted_at_max: i64,
        after: (i64, &str),
        limit: u32,
    ) -> Result<Vec<TrashedImage>> {
        let part = "AND i.deleted_at <= $1 AND (i.deleted_at > $2 OR (i.deleted_at = $2 AND i.id > $3))
                    ORDER BY i.deleted_at, i.id LIMIT $4";
        let params = [deleted_at_max.into(), after.0.into(), after.1.into(), i64::from(limit).into()];
        self.trashed(part, &params).await
    }

    /// Returns an image in the trash.
    pub async fn trashed_image(&self, id: &str) -> Result<Option<TrashedImage>> {
        Ok(self.trashed("AND i.id = $1", &[id.into()]).await?.pop())
    }

    /// Returns a part of the trash: further conditions, and the order.
    async fn trashed(&self, part: &str, params: &[Value<'_>]) -> Result<Vec<TrashedImage>> {
        let sql = format!(
            "SELECT {} FROM images i JOIN accounts a ON a.id = i.account_id WHERE i.deleted_at IS NOT NULL {part}",
            TrashedImage::COLUMNS
        );
        self.database.scan(AccountId::PLATFORM, &sql, params).await?.all("images")
    }

    /// Restores an image from the trash, with its name or another. It is private and not shared. It returns to its group,
    /// without a version name if another version has that now.
    pub async fn restore_image(&self, id: &str, name: Option<&str>, now: i64) -> Result<RestoreImage> {
        let Some(owner) = self.image_owner(id).await? else { return Ok(RestoreImage::NotFound) };
        let scope = Scope::own(owner);
        let change = |mut transaction: Transaction| async move {
            transaction.bump_revision(owner).await?;
            let Some(image) = transaction.find_state_where(IN_TRASH, &[id.into()]).await? else {
                return transaction.discard(RestoreImage::NotFound).await;
            };
            if image.listing.status == ImageStatus::Making {
                return transaction.discard(RestoreImage::NeverMade).await;
            }
            let name = name.unwrap_or(&image.name);
            if image.listing.status != ImageStatus::UnAvailable
                && transaction.name_taken(scope, name, id).await?
            {
                return transaction.discard(RestoreImage::NameTaken(name.to_owned())).await;
            }
            // Its bytes count in the trash too.
            let more = [(Limit::Images, 1)];
            if let Some(over) = self.check_limits(&mut transaction, owner, &more).await? {
                return transaction.discard(RestoreImage::OverLimit(over)).await;
            }
            transaction.write_restored(id, name, &image, now).await?;
            transaction.count_images(owner, &image.zone, 1).await?;
            transaction.refresh_group(&image.listing.group_id).await?;
            transaction.announce(ImageEvent::Restored, id, now).await?;
            transaction.commit(RestoreImage::Restored(name.to_owned())).await
        };
        self.database.write(change).await
    }

    /// Deletes an image in the trash permanently, with its job and, unless another image uses it, its cover. Returns
    /// `false` if there is no such image in the trash, or it was deleted later than `deleted_at_max`. Its manifest and
    /// chunks become garbage in the store.
    pub async fn purge_image(&self, id: &str, deleted_at_max: i64) -> Result<bool> {
        let Some(owner) = self.image_owner(id).await? else { return Ok(false) };
        let change = |mut transaction: Transaction| async move {
            transaction.bump_revision(owner).await?;
            let sql = format!("SELECT i.id, i.cover FROM images i WHERE {IN_TRASH} AND i.deleted_at <= $2");
            let rows = transaction.query(&sql, &[id.into(), deleted_at_max.into()]).await?;
            let Some(cover) = rows.first_after_key::<String>("images")? else {
                return transaction.discard(false).await;
            };
            transaction.remove_image(id, &cover).await?;
            transaction.commit(true).await
        };
        self.database.write(change).await
    }

    /// Deletes an image whose content is lost permanently, even a public one. Returns whether it existed.
    pub async fn forget_image(&self, id: &str) -> Result<bool> {
        let Some(owner) = self.image_owner(id).await? else { return Ok(false) };
        let change = |mut transaction: Transaction| async move {
            transaction.bump_viewers(owner, id).await?;
            let sql = "SELECT i.id, i.cover, i.zone, i.group_id, i.deleted_at FROM images i WHERE i.id = $1";
            let rows = transaction.query(sql, &[id.into()]).await?;
            let found: Option<(String, String, String, Option<i64>)> = rows.first_after_key("images")?;
            let Some((cover, zone, group, deleted_at)) = found else {
                return transaction.discard(false).await;
            };
            if deleted_at.is_none() {
                transaction.count_images(owner, &zone, -1).await?;
            }
            transaction.remove_image(id, &cover).await?;
            transaction.refresh_group(&group).await?;
            transaction.commit(true).await
        };
        self.database.write(change).await
    }
}

impl Transaction {
    async fn remove_image(&mut self, id: &str, cover: &str) -> Result<()> {
        // A reader that knows an older version of the row must notice that it is gone.
        let note = "UPDATE accounts SET purged_changed = (
                        SELECT CASE WHEN i.deleted_at IS NULL THEN accounts.revision
                                    WHEN i.changed > accounts.purged_changed THEN i.changed
                                    ELSE accounts.purged_changed END
                        FROM images i WHERE i.id = $1)
                    WHERE id = (SELECT i.account_id FROM images i WHERE i.id = $1)";
        self.execute(note, &[id.into()]).await?;
        self.delete_shares(id).await?;
        for sql in ["DELETE FROM jobs WHERE image_id = $1", "DELETE FROM images WHERE id = $1"] {
            self.execute(sql, &[id.into()]).await?;
        }
        self.delete_if_unused(cover).await
    }

    async fn write_restored(&mut self, id: &str, name: &str, image: &ImageState, now: i64) -> Result<()> {
        // If another version has its name, publishing it again assigns the next number.
        let taken = self.version_taken(id, &image.listing).await?;
        let version = if taken { "" } else { &image.listing.version_name };
        let sql = format!(
            "UPDATE images SET {CHANGED}, deleted_at = NULL, name = $2, version_name = $3, update_time = $4,
                       favorites_count = COALESCE((SELECT favorites_count FROM image_groups WHERE id = group_id), 0)
                   WHERE id = $1"
        );
        self.execute(&sql, &[id.into(), name.into(), version.into(), now.into()]).await.map(drop)
    }
}
