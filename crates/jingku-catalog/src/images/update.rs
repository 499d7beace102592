use super::changes::ImageChanges;
use super::row::ImageStatus;
use crate::database::Transaction;
use crate::{Catalog, PublishRefusal, Result, Scope};

/// The outcome of [`Catalog::update_image`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateImage {
    /// All changes were made.
    Updated,
    /// There is no such image in the scope.
    NotFound,
    /// Another image of the account has the name.
    NameTaken,
    /// Its group, version or publication cannot be changed like this.
    Refused(PublishRefusal),
}

impl Catalog {
    /// Changes an image and its group.
    pub async fn update_image(
        &self,
        scope: Scope,
        id: &str,
        changes: ImageChanges<'_>,
        now: i64,
    ) -> Result<UpdateImage> {
        let change = |mut transaction: Transaction| async move {
            transaction.bump_viewers(scope.owner(), id).await?;
            let Some(image) = transaction.find_state(scope, id).await? else {
                return transaction.discard(UpdateImage::NotFound).await;
            };
            if changes == ImageChanges::default() {
                return transaction.discard(UpdateImage::Updated).await;
            }
            if let Some(name) = changes.name
                && image.listing.status != ImageStatus::UnAvailable
                && transaction.name_taken(scope, name, id).await?
            {
                return transaction.discard(UpdateImage::NameTaken).await;
            }
            let plan = match transaction.plan_publication(scope, id, &image.listing, &changes).await? {
                Ok(plan) => plan,
                Err(refusal) => return transaction.discard(UpdateImage::Refused(refusal)).await,
            };
            transaction.update_facts(scope, id, &changes, now).await?;
            transaction.apply_plan(scope, id, &image.listing, plan, now).await?;
            transaction.commit(UpdateImage::Updated).await
        };
        self.database.write(change).await
    }
}
