use super::changes::{ImageChanges, update_facts};
use super::name::name_taken;
use super::row::ImageStatus;
use super::state::find_state;
use crate::community::{PublishRefusal, apply_plan, plan};
use crate::database::Transaction;
use crate::shares::bump_viewers;
use crate::{Catalog, Result, Scope};

/// The outcome of [`Catalog::update_image`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UpdateImage {
    /// All changes were made.
    Updated,
    /// There is no such image in the scope.
    NotFound,
    /// Another image of the account has the name.
    NameTaken,
    /// The account has no such group.
    GroupNotFound,
    /// Another image of the group has this version name.
    VersionTaken(String),
    /// It cannot be published: it is neither [`ImageStatus::Available`] nor [`ImageStatus::Offline`].
    NotAvailable,
    /// It cannot be published: it was not made from a container.
    NotFromContainer,
}

impl From<PublishRefusal> for UpdateImage {
    fn from(refusal: PublishRefusal) -> Self {
        match refusal {
            PublishRefusal::GroupNotFound => Self::GroupNotFound,
            PublishRefusal::VersionTaken(name) => Self::VersionTaken(name),
            PublishRefusal::NotAvailable => Self::NotAvailable,
            PublishRefusal::NotFromContainer => Self::NotFromContainer,
        }
    }
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
            bump_viewers(&mut transaction, scope.owner(), id).await?;
            let Some(image) = find_state(&mut transaction, scope, id).await? else {
                return transaction.discard(UpdateImage::NotFound).await;
            };
            if changes == ImageChanges::default() {
                return transaction.discard(UpdateImage::Updated).await;
            }
            if let Some(name) = changes.name
                && image.listing.status != ImageStatus::UnAvailable
                && name_taken(&mut transaction, scope, name, id).await?
            {
                return transaction.discard(UpdateImage::NameTaken).await;
            }
            let plan = match plan(&mut transaction, scope, id, &image.listing, &changes).await? {
                Ok(plan) => plan,
                Err(refusal) => return transaction.discard(refusal.into()).await,
            };
            update_facts(&mut transaction, scope, id, &changes, now).await?;
            apply_plan(&mut transaction, scope, id, &image.listing, plan, now).await?;
            transaction.commit(UpdateImage::Updated).await
        };
        self.database.write(change).await
    }
}
