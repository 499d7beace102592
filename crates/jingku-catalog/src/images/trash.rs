use super::row::{CHANGED, ImageStatus};
use super::state::ImageState;
use crate::answers::{Answer, DELETED_SECS};
use crate::cursor::{Column, Cursor, InvalidCursor, Order};
use crate::database::{Params, Transaction, Value, row};
use crate::{AccountId, Catalog, ImageEvent, Limit, OverLimit, Page, Paging, Result, Scope};

row! {
    /// An image in the trash.
    pub struct TrashedImage {
        /// Its id.
        pub id: String = "i.id",
        /// The account it belongs to.
        pub account: AccountId = "i.account_id",
        /// The name of that account.
        pub owner_name: String = "a.name",
        /// Its zone.
        pub zone: String = "i.zone",
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
        /// Sorts the trash of an account, the last deleted highest.
        pub ordinal: i64 = "i.deleted_ordinal",
    }
}

impl TrashedImage {
    const ORDER: Order = Order {
        name: "trash",
        columns: &[Column::Integer("i.deleted_ordinal")],
        legacy: &[Column::Integer("i.deleted_at"), Column::Text("i.id")],
        ascending: false,
    };

    /// Parses the page token of a list of trashed images.
    pub fn cursor(token: &str) -> std::result::Result<Cursor, InvalidCursor> {
        Self::ORDER.parse(token)
    }
}

/// The outcome of [`Catalog::restore_image`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreImage {
    /// It was restored with this name.
    Restored(String),
    /// There is no such image in the trash.
    NotFound,
    /// It is not in the trash but among the images of the account, under this name.
    Live(String),
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

    /// Returns a page of the trash of one account, last deleted first, perhaps only some images, or those of some zones.
    pub async fn trash_page<'a>(
        &self,
        trash: Scope,
        ids: Option<&[&'a str]>,
        zones: Option<&[&'a str]>,
        paging: Paging<'a>,
    ) -> Result<Page<TrashedImage>> {
        let order = &TrashedImage::ORDER;
        let mut params = Params::default();
        // $1 in `Scope::images`.
        params.add(trash.param());
        let mut only = |column: &str, values: Option<&[&'a str]>| {
            values.map_or(String::new(), |values| format!(" AND {column} IN ({})", params.add_all(values)))
        };
        let only = only("i.id", ids) + &only("i.zone", zones);
        let chosen = format!("FROM images i WHERE {}{only}", trash.images());
        let after = paging.after(order, &mut params);
        let window = paging.window(order, &mut params);
        let sql = format!(
            "SELECT {}, t.total FROM (SELECT COUNT(*) AS total {chosen}) t
             LEFT JOIN (SELECT i.id {chosen}{after} {window}) k ON TRUE
             LEFT JOIN images i ON i.id = k.id
             LEFT JOIN accounts a ON a.id = i.account_id",
            TrashedImage::COLUMNS
        );
        let rows = self.database.scan(trash.requester(), &sql, params.as_slice()).await?;
        rows.page("images", paging.limit(), order, |image: &TrashedImage| vec![image.ordinal.into()])
    }

    /// Restores an image from the trash, with its name or another. It is private and not shared. It returns to its group,
    /// without a version name if another version has that now.
    pub async fn restore_image(&self, id: &str, name: Option<&str>, now: i64) -> Result<RestoreImage> {
        let Some(owner) = self.image_owner(id).await? else { return Ok(RestoreImage::NotFound) };
        let outcomes = self.restore_images(Scope::trash(owner), &[id], name, now).await?;
        Ok(outcomes.into_iter().next_back().unwrap_or(RestoreImage::NotFound))
    }

    /// Restores images of one account from the trash, as [`Catalog::restore_image`] does, all or none. Returns the outcome
    /// of each, up to the first that is neither [`RestoreImage::Restored`] nor [`RestoreImage::Live`]: then nothing has
    /// changed.
    pub async fn restore_images(
        &self,
        trash: Scope,
        ids: &[&str],
        name: Option<&str>,
        now: i64,
    ) -> Result<Vec<RestoreImage>> {
        let change = |mut transaction: Transaction| async move {
            transaction.bump_revision(trash.account()).await?;
            let mut outcomes = Vec::with_capacity(ids.len());
            for id in ids {
                let outcome = self.restore_one(&mut transaction, trash, id, name, now).await?;
                let is_refused = !matches!(outcome, RestoreImage::Restored(_) | RestoreImage::Live(_));
                outcomes.push(outcome);
                if is_refused {
                    return transaction.discard(outcomes).await;
                }
            }
            if outcomes.iter().all(|outcome| matches!(outcome, RestoreImage::Live(_))) {
                return transaction.discard(outcomes).await;
            }
            transaction.commit(outcomes).await
        };
        self.database.write(change).await
    }

    async fn restore_one(
        &self,
        transaction: &mut Transaction,
        trash: Scope,
        id: &str,
        name: Option<&str>,
        now: i64,
    ) -> Result<RestoreImage> {
        let owner = trash.account();
        let own = Scope::own(owner);
        let Some(image) = transaction.find_state(trash, id).await? else {
            let live = transaction.find_state(own, id).await?;
            return Ok(live.map_or(RestoreImage::NotFound, |image| RestoreImage::Live(image.name)));
        };
        if image.listing.status == ImageStatus::Making {
            return Ok(RestoreImage::NeverMade);
        }
        let name = name.unwrap_or(&image.name);
        if image.listing.status != ImageStatus::UnAvailable && transaction.name_taken(own, name, id).await? {
            return Ok(RestoreImage::NameTaken(name.to_owned()));
        }
        // Its bytes count in the trash too.
        if let Some(over) = self.check_limits(transaction, owner, &[(Limit::Images, 1)]).await? {
            return Ok(RestoreImage::OverLimit(over));
        }
        transaction.write_restored(id, name, &image, now).await?;
        transaction.count_images(owner, &image.zone, 1).await?;
        transaction.refresh_group(&image.listing.group_id).await?;
        transaction.announce(ImageEvent::Restored, id, now).await?;
        Ok(RestoreImage::Restored(name.to_owned()))
    }

    /// Purges images of one account from the trash, as [`Catalog::purge_image`] does, all or none. An image that was
    /// purged by name within [`DELETED_SECS`](crate::DELETED_SECS) is skipped. Returns how many were purged, or the place
    /// in `ids` of the first that is not in the trash.
    pub async fn purge_images(
        &self,
        trash: Scope,
        ids: &[&str],
        now: i64,
    ) -> Result<std::result::Result<u64, usize>> {
        let change = |mut transaction: Transaction| async move {
            let owner = trash.account();
            transaction.bump_revision(owner).await?;
            let mut purged = Vec::new();
            for (place, id) in ids.iter().enumerate() {
                let request = format!("purge {id}");
                let sql = trash.select_image("i.cover");
                let rows = transaction.query(&sql, &trash.image_params(id)).await?;
                if let Some(cover) = rows.first_after_key::<String>("images")? {
                    transaction.remove_image(id, &cover).await?;
                    purged.push(request);
                } else if transaction.find_answer(owner, Some(&request), now).await?.is_none() {
                    return transaction.discard(Err(place)).await;
                }
            }
            if purged.is_empty() {
                return transaction.discard(Ok(0)).await;
            }
            // The counter is locked last.
            for request in &purged {
                let ordinal = transaction.next_ordinal().await?;
                let answer = Answer { request, text: "", ordinal, secs: DELETED_SECS };
                transaction.store_answer(owner, answer, now).await?;
            }
            transaction.commit(Ok(purged.len() as u64)).await
        };
        self.database.write(change).await
    }

    /// Purges the images of one account that were deleted first and no later than `deleted_at_max`, at most `images_max`.
    /// Returns their ids.
    pub async fn purge_oldest(
        &self,
        trash: Scope,
        deleted_at_max: i64,
        images_max: u32,
    ) -> Result<Vec<String>> {
        let change = |mut transaction: Transaction| async move {
            transaction.bump_revision(trash.account()).await?;
            let sql = format!(
                "SELECT i.id, i.cover FROM images i WHERE {} AND i.deleted_at <= $2
                 ORDER BY i.deleted_ordinal LIMIT $3",
                trash.images()
            );
            let params = [trash.param(), deleted_at_max.into(), i64::from(images_max).into()];
            let rows: Vec<(String, String)> = transaction.query(&sql, &params).await?.all("images")?;
            for (id, cover) in &rows {
                transaction.remove_image(id, cover).await?;
            }
            transaction.commit(rows.into_iter().map(|(id, _)| id).collect()).await
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
