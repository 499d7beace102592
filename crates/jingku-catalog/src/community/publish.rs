use super::listing::{Publication, Submission};
use super::plan::PublishRefusal;
use crate::answers::{ANSWER_SECS, Answer};
use crate::database::Transaction;
use crate::{Catalog, ImageChanges, Result, Scope};

/// The outcome of [`Catalog::publish_image`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishImage {
    /// It is in review, or public, as a version of this group.
    Published(String),
    /// There is no such image in the scope.
    NotFound,
    /// It was already public or in review.
    AlreadyPublished,
    /// It cannot be published like this.
    Refused(PublishRefusal),
}

impl Catalog {
    /// Changes an image and submits it for review, as a version of the group in `changes` or of its own group.
    ///
    /// `changes` has neither a name nor a publication. Without a version name the image keeps its own; if it has none, or
    /// another version has it, it gets the next number: `v1.0`, `v2.0`, …
    ///
    /// `request` identifies the request. Repeating it within [`ANSWER_SECS`](crate::ANSWER_SECS) is not an error while the
    /// image is public or in review.
    pub async fn publish_image(
        &self,
        scope: Scope,
        id: &str,
        submission: Submission<'_>,
        changes: ImageChanges<'_>,
        request: Option<&str>,
        now: i64,
    ) -> Result<PublishImage> {
        let change = |mut transaction: Transaction| async move {
            let owner = scope.owner();
            transaction.bump_revision(owner).await?;
            let Some(image) = transaction.find_state(scope, id).await? else {
                return transaction.discard(PublishImage::NotFound).await;
            };
            if image.listing.is_listed() {
                let before = transaction.find_answer(owner, request, now).await?;
                let outcome = before.map_or(PublishImage::AlreadyPublished, PublishImage::Published);
                return transaction.discard(outcome).await;
            }
            let changes = ImageChanges { publication: Some(Publication::Public(submission)), ..changes };
            let plan = match transaction.plan_publication(scope, id, &image.listing, &changes).await? {
                Ok(plan) => plan,
                Err(refusal) => return transaction.discard(PublishImage::Refused(refusal)).await,
            };
            let group = plan.listing.group_id.clone();
            transaction.update_facts(scope, id, &changes, now).await?;
            let ordinal = transaction.apply_plan(scope, id, &image.listing, plan, now).await?;
            if let (Some(request), Some(ordinal)) = (request, ordinal) {
                let answer = Answer { request, text: &group, ordinal, secs: ANSWER_SECS };
                transaction.store_answer(owner, answer, now).await?;
            }
            transaction.commit(PublishImage::Published(group)).await
        };
        self.database.write(change).await
    }
}
