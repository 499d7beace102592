//! What the operator decides about images that were handed in to the community. A server that runs shows it with the
//! next request: the account's revision moves, as with every change.

use jingku_catalog::{Review, ReviewImage};

use crate::library::Library;
use crate::operator::OperatorError;

/// The most characters in a reason.
const REASON_CHARS_MAX: usize = 500;
/// The most images that are listed; the rest follows when these are decided.
const REVIEWS_MAX: u32 = 1000;

impl Library {
    /// The images that wait for review, the longest waiting first, at most 1000.
    pub async fn reviews(&self) -> Result<Vec<Review>, OperatorError> {
        Ok(self.catalog.reviews(REVIEWS_MAX).await?)
    }

    /// Makes an image public that waits for it.
    pub async fn approve_image(&self, id: &str) -> Result<(), OperatorError> {
        decided(id, self.catalog.approve_image(id, self.clock.now()).await?)
    }

    /// Gives an image that waits for review back to its owner, who reads the reason in `FailedReason`.
    pub async fn refuse_image(&self, id: &str, reason: &str) -> Result<(), OperatorError> {
        if !(1..=REASON_CHARS_MAX).contains(&reason.trim().chars().count()) {
            return Err(OperatorError::BadReason(REASON_CHARS_MAX));
        }
        decided(id, self.catalog.refuse_image(id, reason.trim(), self.clock.now()).await?)
    }

    /// Says how much a group is recommended: the most first in the usual order of the community.
    pub async fn recommend_group(&self, id: &str, count: u32) -> Result<(), OperatorError> {
        if self.catalog.recommend_group(id, i64::from(count)).await? {
            Ok(())
        } else {
            Err(OperatorError::NoGroup(id.to_owned()))
        }
    }
}

fn decided(id: &str, outcome: ReviewImage) -> Result<(), OperatorError> {
    match outcome {
        ReviewImage::Done => Ok(()),
        ReviewImage::NotReviewing => Err(OperatorError::NotReviewing(id.to_owned())),
    }
}
