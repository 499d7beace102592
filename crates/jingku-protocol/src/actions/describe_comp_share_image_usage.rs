use serde::{Deserialize, Serialize};

use crate::bounded::{ImageId, Integer};

/// Samples in a reply when the call does not say.
pub const DEFAULT_USAGE_DAYS: u32 = 90;
/// The most samples in a reply.
pub const MAX_USAGE_DAYS: u32 = 400;

/// Extension: says what the images of the caller's own account use, and the limits of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCompShareImageUsageRequest {
    /// How many samples to answer, one a day; absent is [`DEFAULT_USAGE_DAYS`].
    pub days: Option<Integer<1, { MAX_USAGE_DAYS as i64 }>>,
    /// Only this image in `ImageSet`, in the trash or not; absent is the largest ones.
    #[serde(rename = "CompShareImageId")]
    pub image_id: Option<ImageId>,
}

/// The use of an account. Sizes are in bytes and before compression.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareImageUsageResponse {
    /// When `Current` and `ImageSet` were measured, in Unix seconds; 0 before the first measurement.
    pub measure_time: i64,
    /// What was measured last.
    pub current: UsageSample,
    /// The images with the most stored bytes, in that order, at most 100; or the image that was asked for, if it was
    /// measured.
    pub image_set: Vec<ImageUsage>,
    /// The other images together. All zero if an image was asked for.
    pub other_images: OtherImages,
    /// The limits of the account and their use now.
    pub limit_set: Vec<LimitUsage>,
    /// Samples, oldest first.
    pub sample_set: Vec<UsageSample>,
}

/// What was measured at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct UsageSample {
    /// When, in Unix seconds.
    pub time: i64,
    /// Images, including the trash.
    pub image_count: i64,
    /// The sum of their unpacked sizes.
    pub logical_bytes: i64,
    /// Their data without zeros; what images have in common counts once.
    pub stored_bytes: i64,
    /// The part of `StoredBytes` that only one image needs.
    pub unique_bytes: i64,
    /// The part of `StoredBytes` that only images in the trash need.
    pub trash_bytes: i64,
}

/// The use of one image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct ImageUsage {
    /// The image's id.
    pub comp_share_image_id: String,
    /// Its name when it was measured.
    pub name: String,
    /// Whether it was in the trash.
    pub in_trash: bool,
    /// Its unpacked size.
    pub logical_bytes: u64,
    /// Its data without zeros, each chunk once.
    pub stored_bytes: u64,
    /// The part of it that no other image of the account needs.
    pub unique_bytes: u64,
}

/// The use of images that are not listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct OtherImages {
    /// How many there are.
    pub count: u64,
    /// The sum of their unpacked sizes.
    pub logical_bytes: u64,
    /// The sum of their data.
    pub stored_bytes: u64,
    /// The sum of the parts that only one image needs.
    pub unique_bytes: u64,
}

/// A limit of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct LimitUsage {
    /// `Images`, `Trashed`, `StoredBytes`, `UniqueBytes`, `Uploads`, `UploadBytes`, `Jobs` or `Transfers`.
    pub name: String,
    /// The use now.
    pub used: i64,
    /// The most that the account may have; absent if there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
}
