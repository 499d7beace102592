use serde::{Deserialize, Serialize};

use crate::bounded::{ImageId, ImageName};
use crate::place::Place;

/// Copies an image within the caller's account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct CopyCompShareCustomImageRequest {
    /// Where the image is.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The image.
    #[serde(rename = "CompShareImageId")]
    pub image_id: ImageId,
    /// The copy's name; see [`is_image_name`](crate::actions::is_image_name). Absent: made from the name of the image.
    #[serde(rename = "TargetImageName")]
    pub target_name: Option<ImageName>,
}

/// The copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct CopyCompShareCustomImageResponse {
    /// The copy's id.
    pub new_comp_share_image_id: String,
}
