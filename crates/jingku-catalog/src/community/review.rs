use crate::database::{Transaction, row};
use crate::{AccountId, Catalog, Image, ImageEvent, ImageStatus, Result, Scope};

row! {
    /// An image that waits for review.
    pub struct Review {
        /// The image, without its readme.
        pub image: Image,
        /// Its name in the community.
        pub community_name: String = "CASE i.community_name WHEN '' THEN i.name ELSE i.community_name END",
        /// When it was submitted.
        pub submitted_at: i64 = "i.submitted_at",
    }
}

impl Catalog {
    /// Returns the images of all accounts in review, oldest submission first, at most `limit`.
    pub async fn reviews(&self, limit: u32) -> Result<Vec<Review>> {
        let sql = format!(
            "SELECT {}, '', {} FROM images i JOIN accounts a ON a.id = i.account_id
             WHERE i.status = 'Reviewing' AND i.deleted_at IS NULL ORDER BY i.submitted_ordinal LIMIT $1",
            Image::COLUMNS,
            Review::COLUMNS
        );
        self.database.scan(AccountId::PLATFORM, &sql, &[i64::from(limit).into()]).await?.all("images")
    }

    /// Returns one image in review, with its readme.
    pub async fn review(&self, id: &str) -> Result<Option<Review>> {
        let sql = format!(
            "SELECT {}, i.readme, {} FROM images i JOIN accounts a ON a.id = i.account_id
             WHERE i.id = $1 AND i.status = 'Reviewing' AND i.deleted_at IS NULL",
            Image::COLUMNS,
            Review::COLUMNS
        );
        self.database.query(&sql, &[id.into()]).await?.first("images")
    }

    /// Publishes an image in review. Returns `false` if there is no such image in review.
    pub async fn approve_image(&self, id: &str, now: i64) -> Result<bool> {
        self.review_image(id, None, now).await
    }

    /// Rejects an image in review, with a reason for its owner. Returns `false` if there is no such image in review.
    pub async fn refuse_image(&self, id: &str, reason: &str, now: i64) -> Result<bool> {
        self.review_image(id, Some(reason), now).await
    }

    /// Sets the rank of a group; the default order shows the highest first. Returns whether the group exists.
    pub async fn recommend_group(&self, id: &str, count: i64) -> Result<bool> {
        let change = |mut transaction: Transaction| async move {
            let changed = transaction.next_ordinal().await?;
            let sql = "UPDATE image_groups SET recommend_count = $2, changed = $3 WHERE id = $1";
            let params = [id.into(), count.into(), changed.into()];
            let exists = transaction.execute(sql, &params).await? > 0;
            transaction.commit(exists).await
        };
        self.database.write(change).await
    }

    /// Approves an image in review or, with a reason, rejects it.
    async fn review_image(&self, id: &str, refusal: Option<&str>, now: i64) -> Result<bool> {
        let Some(owner) = self.image_owner(id).await? else { return Ok(false) };
        let scope = Scope::own(owner);
        let change = |mut transaction: Transaction| async move {
            transaction.bump_revision(owner).await?;
            let image = transaction.find_state(scope, id).await?;
            let Some(image) = image.filter(|image| image.listing.status == ImageStatus::Reviewing) else {
                return transaction.discard(false).await;
            };
            let mut listing = image.listing;
            match refusal {
                None => listing.approve(now, transaction.next_ordinal().await?),
                Some(reason) => listing.unpublish(reason),
            }
            listing.save(&mut transaction, id, now).await?;
            transaction.refresh_group(&listing.group_id).await?;
            if refusal.is_none() {
                transaction.announce(ImageEvent::Published, id, now).await?;
            }
            transaction.commit(true).await
        };
        self.database.write(change).await
    }
}
