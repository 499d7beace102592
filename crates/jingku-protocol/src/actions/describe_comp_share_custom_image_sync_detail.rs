use serde::{Deserialize, Serialize};

use crate::bounded::ImageId;
use crate::image::ImageStatus;
use crate::lenient;
use crate::place::Place;

/// Reports the progress of a copy in another zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCompShareCustomImageSyncDetailRequest {
    /// Where the copy is.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The copy, from [`SyncResult`](crate::actions::SyncResult).
    #[serde(rename = "CompShareImageId")]
    pub image_id: ImageId,
}

/// The progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareCustomImageSyncDetailResponse {
    /// Percent as text, as the real service sends it.
    #[serde(deserialize_with = "lenient::text")]
    pub progress: String,
    /// Extension: the copy's status.
    pub status: ImageStatus,
    /// Extension: the image it was copied from, which may be deleted.
    pub source_comp_share_image_id: String,
}
