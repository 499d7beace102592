//! The operator's decisions on images that were submitted to the community. A running server shows them with the next
//! request, because each changes the account's revision.

use jingku_catalog::{AccountId, Review};

use crate::audit::Change;
use crate::error::LibraryError;
use crate::library::Library;

/// The longest reason, in characters.
const REASON_CHARS_MAX: usize = 500;
/// The most images in one list.
const REVIEWS_MAX: u32 = 1000;

impl Library {
    /// The images that wait for review, oldest first, at most 1000.
    pub async fn reviews(&self) -> Result<Vec<Review>, LibraryError> {
        Ok(self.catalog.reviews(REVIEWS_MAX).await?)
    }

    /// An image that waits for review, with its readme.
    pub async fn review(&self, id: &str) -> Result<Option<Review>, LibraryError> {
        Ok(self.catalog.review(id).await?)
    }

    /// Publishes an image that waits for review.
    pub async fn approve_image(&self, id: &str) -> Result<(), LibraryError> {
        let approve = self.catalog.approve_image(id, self.clock.now());
        decided(id, self.audited_image("review approve", id, approve).await??)
    }

    /// Returns an image that waits for review to its owner, who reads the reason in `FailedReason`.
    pub async fn refuse_image(&self, id: &str, reason: &str) -> Result<(), LibraryError> {
        if !(1..=REASON_CHARS_MAX).contains(&reason.trim().chars().count()) {
            return Err(LibraryError::BadReason(REASON_CHARS_MAX));
        }
        let refuse = self.catalog.refuse_image(id, reason.trim(), self.clock.now());
        decided(id, self.audited_image("review refuse", id, refuse).await??)
    }

    /// Sets the recommendation of a group. The default order of the community starts with the highest.
    pub async fn recommend_group(&self, id: &str, count: u32) -> Result<(), LibraryError> {
        let recommend = self.catalog.recommend_group(id, i64::from(count));
        let change = Change::command("review recommend", AccountId::PLATFORM, id);
        let found = self.audited(change, recommend).await?;
        if found { Ok(()) } else { Err(LibraryError::NoGroup(id.to_owned())) }
    }
}

fn decided(id: &str, was_reviewing: bool) -> Result<(), LibraryError> {
    if was_reviewing { Ok(()) } else { Err(LibraryError::NotReviewing(id.to_owned())) }
}
