use super::summary::refresh_group;
use crate::accounts::bump_revision;
use crate::database::{Cells, Read};
use crate::images::find_state;
use crate::ordinals::next_ordinal;
use crate::{AccountId, Catalog, ImageStatus, Result, Scope};

/// An image that waits for review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// The image.
    pub image_id: String,
    /// The account it belongs to.
    pub account: AccountId,
    /// The name of that account.
    pub owner_name: String,
    /// Its name.
    pub name: String,
    /// Its name in the community.
    pub community_name: String,
    /// The group it is a version of.
    pub group_id: String,
    /// Its version name.
    pub version_name: String,
    /// The price of its use, in 1/100 CNY per hour.
    pub price_cents: i64,
    /// Its description.
    pub description: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its unpacked size.
    pub size_bytes: i64,
    /// When it was submitted.
    pub submitted_at: i64,
}

/// The outcome of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReviewImage {
    /// The decision was applied.
    Done,
    /// There is no such image in review.
    NotReviewing,
}

/// A decision of a reviewer.
#[derive(Clone, Copy)]
enum Decision<'a> {
    Approve,
    Refuse(&'a str),
}

impl Catalog {
    /// Returns the images of all accounts in review, oldest submission first, at most `limit`.
    pub async fn reviews(&self, limit: u32) -> Result<Vec<Review>> {
        let sql = "SELECT i.id, i.account_id, a.name, i.name,
                          CASE i.community_name WHEN '' THEN i.name ELSE i.community_name END, i.group_id,
                          i.version_name, i.price_cents, i.description, i.tags, i.size_bytes, i.submitted_at
                   FROM images i JOIN accounts a ON a.id = i.account_id
                   WHERE i.status = 'Reviewing' AND i.deleted_at IS NULL
                   ORDER BY i.submitted_ordinal LIMIT $1";
        let rows = self.database.scan(AccountId::PLATFORM, sql, &[i64::from(limit).into()]).await?;
        rows.all("images", review_cells)
    }

    /// Publishes an image in review.
    pub async fn approve_image(&self, id: &str, now: i64) -> Result<ReviewImage> {
        self.review_image(id, Decision::Approve, now).await
    }

    /// Rejects an image in review, with a reason for its owner.
    pub async fn refuse_image(&self, id: &str, reason: &str, now: i64) -> Result<ReviewImage> {
        self.review_image(id, Decision::Refuse(reason), now).await
    }

    /// Sets the rank of a group; the default order shows the highest first. Returns whether the group exists.
    pub async fn recommend_group(&self, id: &str, count: i64) -> Result<bool> {
        let sql = "UPDATE image_groups SET recommend_count = $2 WHERE id = $1";
        Ok(self.database.execute(sql, &[id.into(), count.into()]).await? > 0)
    }

    async fn review_image(&self, id: &str, decision: Decision<'_>, now: i64) -> Result<ReviewImage> {
        let Some(owner) = self.image_owner(id).await? else { return Ok(ReviewImage::NotReviewing) };
        let scope = Scope::own(owner);
        self.database
            .write(|mut transaction| async move {
                bump_revision(&mut transaction, owner).await?;
                let image = find_state(&mut transaction, scope, id).await?;
                let Some(image) = image.filter(|image| image.listing.status == ImageStatus::Reviewing) else {
                    return transaction.discard(ReviewImage::NotReviewing).await;
                };
                let mut listing = image.listing;
                match decision {
                    Decision::Approve => listing.approve(now, next_ordinal(&mut transaction).await?),
                    Decision::Refuse(reason) => listing.unpublish(reason),
                }
                listing.save(&mut transaction, id, now).await?;
                refresh_group(&mut transaction, &listing.group_id).await?;
                transaction.commit(ReviewImage::Done).await
            })
            .await
    }
}

fn review_cells(cells: &mut Cells) -> Read<Review> {
    Ok(Review {
        image_id: cells.text()?,
        account: cells.account()?,
        owner_name: cells.text()?,
        name: cells.text()?,
        community_name: cells.text()?,
        group_id: cells.text()?,
        version_name: cells.text()?,
        price_cents: cells.integer()?,
        description: cells.text()?,
        tags: cells.list()?,
        size_bytes: cells.integer()?,
        submitted_at: cells.integer()?,
    })
}
