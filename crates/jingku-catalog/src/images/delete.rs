use super::row::CHANGED;
use crate::answers::{Answer, DELETED_SECS};
use crate::database::Transaction;
use crate::{Catalog, ImageEvent, Result, Scope};

/// The outcome of [`Catalog::delete_image`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeleteImage {
    /// The image is in the trash.
    Deleted,
    /// It was deleted before, within [`DELETED_SECS`](crate::DELETED_SECS).
    AlreadyDeleted,
    /// There is no such image in the scope; it may have been deleted long ago.
    NotFound,
    /// It is public or in review: unpublish it first.
    Published,
}

impl Catalog {
    /// Moves an image to the trash. Frees its name, stops sharing it, deletes its upload and cancels its job: the worker
    /// learns that from its next heartbeat.
    pub async fn delete_image(&self, scope: Scope, id: &str, now: i64) -> Result<DeleteImage> {
        let change = |mut transaction: Transaction| async move {
            let owner = scope.owner();
            transaction.bump_viewers(owner, id).await?;
            let request = format!("delete {id}");
            let Some(image) = transaction.find_state(scope, id).await? else {
                let before = transaction.find_answer(owner, Some(&request), now).await?;
                let outcome = before.map_or(DeleteImage::NotFound, |_| DeleteImage::AlreadyDeleted);
                return transaction.discard(outcome).await;
            };
            if image.listing.is_listed() {
                return transaction.discard(DeleteImage::Published).await;
            }
            let ordinal = transaction.next_ordinal().await?;
            let delete =
                format!("UPDATE images SET {CHANGED}, deleted_at = $2, deleted_ordinal = $3 WHERE id = $1");
            transaction.execute(&delete, &[id.into(), now.into(), ordinal.into()]).await?;
            let answer = Answer { request: &request, text: "", ordinal, secs: DELETED_SECS };
            transaction.store_answer(owner, answer, now).await?;
            transaction.count_images(owner, &image.zone, -1).await?;
            transaction.delete_shares(id).await?;
            let cancel = "UPDATE jobs SET finished_at = $2, outcome = 'cancelled', lease_until = NULL
                          WHERE image_id = $1 AND finished_at IS NULL";
            transaction.execute(cancel, &[id.into(), now.into()]).await?;
            transaction.delete_upload(id).await?;
            transaction.refresh_group(&image.listing.group_id).await?;
            transaction.announce(ImageEvent::Deleted, id, now).await?;
            transaction.commit(DeleteImage::Deleted).await
        };
        self.database.write(change).await
    }
}
