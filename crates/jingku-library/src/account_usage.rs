//! What the images of one account use, as its owner learns it.
//!
//! All sizes are before compression, and only images of the same account count as others. Otherwise an account could learn
//! whether another one stores the same data.

use jingku_catalog::{AccountId, CatalogError, LimitState, UsageSample};
use serde::{Deserialize, Serialize};

use crate::library::Library;

/// Use and limits of an account.
#[derive(Clone, Debug, Default)]
pub struct AccountUsage {
    /// Samples, newest first; none before the first measurement.
    pub samples: Vec<UsageSample>,
    /// The sample measured last.
    pub last: Option<UsageSample>,
    /// The use of single images in the sample measured last.
    pub images: MeasuredImages,
    /// The limits, as they are now.
    pub limits: Vec<LimitState>,
}

/// The use of single images.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredImages {
    /// Those with the most stored bytes, in that order.
    pub largest: Vec<MeasuredImage>,
    /// How many others there are.
    pub others: u64,
    /// The sums of the others.
    pub rest: MeasuredBytes,
}

/// The use of one image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredImage {
    /// Its id.
    pub id: String,
    /// Its name when it was measured.
    pub name: String,
    /// Whether it was in the trash.
    pub trashed: bool,
    /// Its sizes.
    pub bytes: MeasuredBytes,
}

/// Sizes in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredBytes {
    /// The unpacked size.
    pub logical: u64,
    /// Data without zeros, each chunk once.
    pub stored: u64,
    /// The part of the stored bytes that no other image of the account needs.
    pub unique: u64,
}

impl MeasuredBytes {
    pub(crate) fn add(&mut self, other: Self) {
        self.logical = self.logical.saturating_add(other.logical);
        self.stored = self.stored.saturating_add(other.stored);
        self.unique = self.unique.saturating_add(other.unique);
    }
}

impl Library {
    /// Use and limits of an account, with at most `samples_max` samples.
    pub async fn account_usage(
        &self,
        account: AccountId,
        samples_max: u32,
    ) -> Result<AccountUsage, CatalogError> {
        let samples = self.catalog.usage_samples(account, samples_max).await?;
        let limits = self.catalog.account_limits(account).await?;
        let last = samples.iter().find(|sample| !sample.detail.is_empty()).cloned();
        let detail = last.as_ref().map(|sample| serde_json::from_str(&sample.detail));
        // A format of another version is measured anew within a day.
        let images = detail.and_then(Result::ok).unwrap_or_default();
        Ok(AccountUsage { samples, last, images, limits })
    }
}
