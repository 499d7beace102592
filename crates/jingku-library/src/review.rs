//! The operator's decisions on images that were submitted to the community. A running server shows them with the next
//! request, because each changes the account's revision.

use jingku_catalog::{CatalogError, Review};

use crate::error::{LibraryError, from_library_errors};
use crate::library::Library;

/// The longest reason, in characters.
const REASON_CHARS_MAX: usize = 500;
/// The most images in one list.
const REVIEWS_MAX: u32 = 1000;

/// Why a decision on the community failed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The image is not waiting for review.
    #[error("There is no image {0:?} that waits for review. `jingku review list` shows all that do.")]
    NotReviewing(String),
    /// A reason that is empty or too long.
    #[error("A reason has 1 to {0} characters. Say what to change.")]
    BadReason(usize),
    /// No such group.
    #[error("There is no group {0:?} in the community.")]
    NoGroup(String),
    /// The library failed.
    #[error(transparent)]
    Library(#[from] LibraryError),
}

from_library_errors!(ReviewError: CatalogError);

impl Library {
    /// The images that wait for review, oldest first, at most 1000.
    pub async fn reviews(&self) -> Result<Vec<Review>, ReviewError> {
        Ok(self.catalog.reviews(REVIEWS_MAX).await?)
    }

    /// Publishes an image that waits for review.
    pub async fn approve_image(&self, id: &str) -> Result<(), ReviewError> {
        decided(id, self.catalog.approve_image(id, self.clock.now()).await?)
    }

    /// Returns an image that waits for review to its owner, who reads the reason in `FailedReason`.
    pub async fn refuse_image(&self, id: &str, reason: &str) -> Result<(), ReviewError> {
        if !(1..=REASON_CHARS_MAX).contains(&reason.trim().chars().count()) {
            return Err(ReviewError::BadReason(REASON_CHARS_MAX));
        }
        decided(id, self.catalog.refuse_image(id, reason.trim(), self.clock.now()).await?)
    }

    /// Sets the recommendation of a group. The default order of the community starts with the highest.
    pub async fn recommend_group(&self, id: &str, count: u32) -> Result<(), ReviewError> {
        if self.catalog.recommend_group(id, i64::from(count)).await? {
            Ok(())
        } else {
            Err(ReviewError::NoGroup(id.to_owned()))
        }
    }
}

fn decided(id: &str, was_reviewing: bool) -> Result<(), ReviewError> {
    if was_reviewing { Ok(()) } else { Err(ReviewError::NotReviewing(id.to_owned())) }
}
