use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::actions::MAX_TRASHED_IDS;
use crate::bounded::ImageId;
use crate::list::{List, without_repeats};
use crate::place::Place;

/// Extension: removes deleted images of the caller's own account for good.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase", remote = "Self")]
pub struct PurgeCompShareTrashedImagesRequest {
    /// Checked, but not used to find the images.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The images, at most [`MAX_TRASHED_IDS`]: all or none of them.
    #[serde(default, rename = "CompShareImageIds", deserialize_with = "without_repeats")]
    pub image_ids: List<ImageId, MAX_TRASHED_IDS>,
    /// Whether to purge the whole trash instead, some images a call.
    pub all: Option<bool>,
}

/// With `remote`, serde derives plain functions and not the traits: this compares fields after them.
impl<'de> Deserialize<'de> for PurgeCompShareTrashedImagesRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let request = Self::deserialize(deserializer)?;
        match (request.image_ids.is_empty(), request.all == Some(true)) {
            (true, false) => Err(D::Error::missing_field("CompShareImageIds|All")),
            (false, true) => Err(D::Error::duplicate_field("All")),
            (true, true) | (false, false) => Ok(request),
        }
    }
}

impl Serialize for PurgeCompShareTrashedImagesRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// How much was purged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct PurgeCompShareTrashedImagesResponse {
    /// Images that this call purged.
    pub purged_count: i64,
    /// Images that are in the trash now. With `All`, repeat the call until there are none.
    pub remaining_count: i64,
}
