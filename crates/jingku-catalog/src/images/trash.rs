use super::change::{ImageState, count, find_state_where, name_taken};
use super::row::ImageStatus;
use crate::accounts::bump_revision;
use crate::community;
use crate::database::{Cells, Param, Read, Transaction};
use crate::limits::{Limit, OverLimit, check_limits};
use crate::shares::bump_viewers;
use crate::{AccountId, Catalog, Result, Scope, covers};

/// An image in the trash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrashedImage {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub account: AccountId,
    /// The name of that account.
    pub owner_name: String,
    /// What it was called, which another image may be by now.
    pub name: String,
    /// How far it was.
    pub status: ImageStatus,
    /// How large it is when unpacked.
    pub size_bytes: i64,
    /// When it was asked for.
    pub create_time: i64,
    /// When it was deleted.
    pub deleted_at: i64,
}

/// What came of [`Catalog::restore_image`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestoreImage {
    /// It is back, under this name.
    Restored(String),
    /// The trash has no such image.
    NotFound,
    /// Another image of the account holds this name.
    NameTaken(String),
    /// It was being made when it was deleted, and that ended the making: it has no bits.
    NeverMade,
    /// The account has as many images as it may.
    OverLimit(OverLimit),
}

/// What came of [`Catalog::purge_image`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurgeImage {
    /// It is gone for good.
    Purged,
    /// The trash has no such image, or not for so long.
    NotFound,
}

/// Which images an operation on the trash is about.
const IN_TRASH: &str = "i.id = $1 AND i.deleted_at IS NOT NULL";

impl Catalog {
    /// Returns what the trash holds, the last deleted first, at most `limit`.
    ///
    /// The operator's view: no scope narrows it.
    pub async fn trash(&self, limit: u32) -> Result<Vec<TrashedImage>> {
        let sql = format!("{TRASHED} ORDER BY i.deleted_ordinal DESC LIMIT $1");
        self.trashed(&sql, &[i64::from(limit).into()]).await
    }

    /// Returns what was deleted at a time or earlier, in order of time and id, after a place in that order, at most
    /// `limit`. The first place is before `(i64::MIN, "")`.
    pub async fn trash_until(
        &self,
        deleted_at_max: i64,
        after: (i64, &str),
        limit: u32,
    ) -> Result<Vec<TrashedImage>> {
        let sql = format!(
            "{TRASHED} AND i.deleted_at <= $1 AND (i.deleted_at > $2 OR (i.deleted_at = $2 AND i.id > $3))
             ORDER BY i.deleted_at, i.id LIMIT $4"
        );
        let params = [deleted_at_max.into(), after.0.into(), after.1.into(), i64::from(limit).into()];
        self.trashed(&sql, &params).await
    }

    /// Returns an image of the trash.
    pub async fn trashed_image(&self, id: &str) -> Result<Option<TrashedImage>> {
        let found = self.trashed(&format!("{TRASHED} AND i.id = $1"), &[id.into()]).await?;
        Ok(found.into_iter().next())
    }

    async fn trashed(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<TrashedImage>> {
        let rows = self.database.scan(AccountId::PLATFORM, sql, params).await?;
        rows.into_iter().map(|row| row.decode("images", trashed_cells)).collect()
    }

    /// Takes an image back from the trash, under its name or another. It is private and shared with nobody; it is in
    /// the group it was in, without a version name if another version has that by now.
    pub async fn restore_image(&self, id: &str, name: Option<&str>, now: i64) -> Result<RestoreImage> {
        let Some(owner) = self.owner_in_trash(id).await? else { return Ok(RestoreImage::NotFound) };
        let scope = Scope::own(owner);
        self.database
            .write(|mut transaction| async move {
                bump_revision(&mut transaction, owner).await?;
                let Some(image) = find_state_where(&mut transaction, IN_TRASH, &[id.into()]).await? else {
                    return transaction.discard(RestoreImage::NotFound).await;
                };
                if image.listing.status == ImageStatus::Making {
                    return transaction.discard(RestoreImage::NeverMade).await;
                }
                let name = name.unwrap_or(&image.name);
                if image.listing.status != ImageStatus::UnAvailable
                    && name_taken(&mut transaction, scope, name, id).await?
                {
                    return transaction.discard(RestoreImage::NameTaken(name.to_owned())).await;
                }
                // Its bytes count in the trash as well.
                let more = [(Limit::Images, 1)];
                if let Some(over) = check_limits(&mut transaction, self.account_limits, owner, &more).await? {
                    return transaction.discard(RestoreImage::OverLimit(over)).await;
                }
                bring_back(&mut transaction, id, name, &image, now).await?;
                count(&mut transaction, owner, &image.zone, 1).await?;
                community::refresh_group(&mut transaction, &image.listing.group_id).await?;
                transaction.commit(RestoreImage::Restored(name.to_owned())).await
            })
            .await
    }

    /// Forgets an image of the trash for good, with its job and, unless another image has it, its cover. Leaves one
    /// alone that was deleted later than `deleted_at_max`. Its manifest and chunks are for the store to sweep.
    pub async fn purge_image(&self, id: &str, deleted_at_max: i64) -> Result<PurgeImage> {
        let Some(owner) = self.owner_in_trash(id).await? else { return Ok(PurgeImage::NotFound) };
        self.database
            .write(|mut transaction| async move {
                bump_revision(&mut transaction, owner).await?;
                let sql = "SELECT i.id, i.cover FROM images i
                           WHERE i.id = $1 AND i.deleted_at IS NOT NULL AND i.deleted_at <= $2";
                let rows = transaction.query(sql, &[id.into(), deleted_at_max.into()]).await?;
                let Some(row) = rows.into_iter().next() else {
                    return transaction.discard(PurgeImage::NotFound).await;
                };
                let cover = row.decode("images", |cells| {
                    cells.text()?;
                    cells.text()
                })?;
                remove(&mut transaction, id, &cover).await?;
                transaction.commit(PurgeImage::Purged).await
            })
            .await
    }

    /// Forgets an image for good wherever it is, be it public: for one whose bits are lost. Returns whether there was
    /// such an image.
    ///
    /// The operator's: no scope narrows it.
    pub async fn forget_image(&self, id: &str) -> Result<bool> {
        let owner = "SELECT account_id FROM images WHERE id = $1";
        let rows = self.database.query(owner, &[id.into()]).await?;
        let Some(owner) = rows.into_iter().next() else { return Ok(false) };
        let owner = AccountId(owner.decode("images", Cells::integer)?);
        self.database
            .write(|mut transaction| async move {
                bump_viewers(&mut transaction, owner, id).await?;
                let sql = "SELECT i.id, i.cover, i.zone, i.group_id,
                                  CAST(CASE WHEN i.deleted_at IS NULL THEN 0 ELSE 1 END AS BIGINT)
                           FROM images i WHERE i.id = $1";
                let rows = transaction.query(sql, &[id.into()]).await?;
                let Some(row) = rows.into_iter().next() else { return transaction.discard(false).await };
                let (cover, zone, group, trashed) = row.decode("images", |cells| {
                    cells.text()?;
                    Ok((cells.text()?, cells.text()?, cells.text()?, cells.integer()? != 0))
                })?;
                if !trashed {
                    count(&mut transaction, owner, &zone, -1).await?;
                }
                remove(&mut transaction, id, &cover).await?;
                community::refresh_group(&mut transaction, &group).await?;
                transaction.commit(true).await
            })
            .await
    }

    /// Whether an image of an instance was made whole once, and was not forgotten for good.
    pub async fn has_finished_job(&self, instance_id: &str) -> Result<bool> {
        let sql = "SELECT id FROM jobs WHERE instance_id = $1 AND outcome = 'done' LIMIT 1";
        Ok(!self.database.query(sql, &[instance_id.into()]).await?.is_empty())
    }

    async fn owner_in_trash(&self, id: &str) -> Result<Option<AccountId>> {
        let sql = "SELECT account_id FROM images WHERE id = $1 AND deleted_at IS NOT NULL";
        let rows = self.database.query(sql, &[id.into()]).await?;
        rows.into_iter().next().map(|row| row.decode("images", Cells::integer).map(AccountId)).transpose()
    }
}

const TRASHED: &str =
    "SELECT i.id, i.account_id, a.name, i.name, i.status, i.size_bytes, i.create_time, i.deleted_at
     FROM images i JOIN accounts a ON a.id = i.account_id
     WHERE i.deleted_at IS NOT NULL";

/// Removes an image's row and all that refers to it.
async fn remove(transaction: &mut Transaction, id: &str, cover: &str) -> Result<()> {
    for sql in [
        "DELETE FROM jobs WHERE image_id = $1",
        "DELETE FROM shares WHERE image_id = $1",
        "DELETE FROM images WHERE id = $1",
    ] {
        transaction.execute(sql, &[id.into()]).await?;
    }
    covers::delete_if_unused(transaction, cover).await
}

async fn bring_back(
    transaction: &mut Transaction,
    id: &str,
    name: &str,
    image: &ImageState,
    now: i64,
) -> Result<()> {
    let version = if community::version_taken(transaction, id, &image.listing).await? {
        // The number after the highest comes when it is published again.
        ""
    } else {
        &image.listing.version_name
    };
    let sql = "UPDATE images SET deleted_at = NULL, name = $2, version_name = $3, update_time = $4,
                   favorites_count = COALESCE((SELECT favorites_count FROM image_groups WHERE id = group_id), 0)
               WHERE id = $1";
    transaction.execute(sql, &[id.into(), name.into(), version.into(), now.into()]).await.map(drop)
}

fn trashed_cells(cells: &mut Cells) -> Read<TrashedImage> {
    Ok(TrashedImage {
        id: cells.text()?,
        account: AccountId(cells.integer()?),
        owner_name: cells.text()?,
        name: cells.text()?,
        status: cells.word(ImageStatus::parse)?,
        size_bytes: cells.integer()?,
        create_time: cells.integer()?,
        deleted_at: cells.integer()?,
    })
}
