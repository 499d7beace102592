use super::publish::save_listing;
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
    /// Whose it is.
    pub account: AccountId,
    /// The name of that account.
    pub owner_name: String,
    /// What its owner calls it.
    pub name: String,
    /// What it is to be called in the community.
    pub community_name: String,
    /// The group it is a version of.
    pub group_id: String,
    /// What its owner calls this version.
    pub version_name: String,
    /// What its use is to cost, in 1/100 CNY an hour.
    pub price_cents: i64,
    /// One paragraph for a reader.
    pub description: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// How large it is when unpacked.
    pub size_bytes: i64,
    /// When it was handed in.
    pub submitted_at: i64,
}

/// What came of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReviewImage {
    /// It is as decided.
    Done,
    /// There is no such image, or it does not wait for review.
    NotReviewing,
}

/// The decision of a review.
#[derive(Clone, Copy)]
enum Decision<'a> {
    Approve,
    Refuse(&'a str),
}

impl Catalog {
    /// Returns the images of every account that wait for review, the longest waiting first, at most `limit`.
    ///
    /// The operator's view: no scope narrows it.
    pub async fn reviews(&self, limit: u32) -> Result<Vec<Review>> {
        let sql = "SELECT i.id, i.account_id, a.name, i.name,
                          CASE i.community_name WHEN '' THEN i.name ELSE i.community_name END, i.group_id,
                          i.version_name, i.price_cents, i.description, i.tags, i.size_bytes, i.submitted_at
                   FROM images i JOIN accounts a ON a.id = i.account_id
                   WHERE i.status = 'Reviewing' AND i.deleted_at IS NULL
                   ORDER BY i.submitted_ordinal LIMIT $1";
        let rows = self.database.scan(AccountId::PLATFORM, sql, &[i64::from(limit).into()]).await?;
        rows.into_iter().map(|row| row.decode("images", review_cells)).collect()
    }

    /// Makes an image that waits for review public.
    pub async fn approve_image(&self, id: &str, now: i64) -> Result<ReviewImage> {
        self.review_image(id, Decision::Approve, now).await
    }

    /// Gives an image that waits for review back to its owner, who reads why.
    pub async fn refuse_image(&self, id: &str, reason: &str, now: i64) -> Result<ReviewImage> {
        self.review_image(id, Decision::Refuse(reason), now).await
    }

    /// Says how much a group is recommended: the most first in the usual order. Returns whether there is such a group.
    pub async fn recommend_group(&self, id: &str, count: i64) -> Result<bool> {
        let sql = "UPDATE image_groups SET recommend_count = $2 WHERE id = $1";
        self.database
            .write(|mut transaction| async move {
                let changed = transaction.execute(sql, &[id.into(), count.into()]).await?;
                transaction.commit(changed > 0).await
            })
            .await
    }

    async fn review_image(&self, id: &str, decision: Decision<'_>, now: i64) -> Result<ReviewImage> {
        let owner = "SELECT account_id FROM images WHERE id = $1";
        let rows = self.database.query(owner, &[id.into()]).await?;
        let Some(owner) = rows.into_iter().next() else { return Ok(ReviewImage::NotReviewing) };
        let scope = Scope::own(AccountId(owner.decode("images", Cells::integer)?));
        self.database
            .write(|mut transaction| async move {
                bump_revision(&mut transaction, scope.owner()).await?;
                let image = find_state(&mut transaction, scope, id).await?;
                let Some(image) = image.filter(|image| image.listing.status == ImageStatus::Reviewing) else {
                    return transaction.discard(ReviewImage::NotReviewing).await;
                };
                let mut listing = image.listing;
                match decision {
                    Decision::Approve => listing.approve(now, next_ordinal(&mut transaction).await?),
                    Decision::Refuse(reason) => listing.take_down(reason),
                }
                save_listing(&mut transaction, id, &listing, now).await?;
                refresh_group(&mut transaction, &listing.group_id).await?;
                transaction.commit(ReviewImage::Done).await
            })
            .await
    }
}

fn review_cells(cells: &mut Cells) -> Read<Review> {
    Ok(Review {
        image_id: cells.text()?,
        account: AccountId(cells.integer()?),
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
