use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::bounded::{Description, ImageId, ImageName, clearable};
use crate::list::{List, without_repeats};
use crate::place::Place;

/// Copies an image to other zones. Not in the documents; newer products of the real service send it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct SyncCompShareCustomImageRequest {
    /// Where the image is.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The image.
    #[serde(rename = "SourceCompShareImageId")]
    pub source_image_id: ImageId,
    /// The copies' name; see [`is_image_name`](crate::actions::is_image_name). Absent: made from the name of the image.
    #[serde(rename = "TargetImageName")]
    pub target_name: Option<ImageName>,
    /// The numbers of the zones, each at most once.
    #[serde(deserialize_with = "zone_ids")]
    pub target_zone_ids: List<i64>,
    /// The copies' description; absent: that of the image.
    #[serde(default, rename = "TargetImageDescription", deserialize_with = "clearable")]
    pub target_description: Option<Description>,
}

fn zone_ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<List<i64>, D::Error> {
    let zone_ids = without_repeats(deserializer)?;
    if zone_ids.is_empty() { Err(D::Error::missing_field("")) } else { Ok(zone_ids) }
}

/// The result of each zone, in the order of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct SyncCompShareCustomImageResponse {
    /// The number of copies made.
    pub success_count: i64,
    /// One entry a zone.
    pub results: Vec<SyncResult>,
}

/// The result of one zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct SyncResult {
    /// 0 for success.
    pub ret_code: i64,
    /// The error; empty for success.
    pub message: String,
    /// The copy; empty after an error.
    pub comp_share_image_id: String,
    /// Extension: the zone's number.
    pub zone_id: i64,
}
