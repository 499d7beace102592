use serde::{Deserialize, Serialize};

use crate::bounded::ImageId;
use crate::place::Place;

pub use crate::done::Done as TerminateCompShareCustomImageResponse;

/// Deletes an image of the caller's own account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct TerminateCompShareCustomImageRequest {
    /// Where the image is.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The image.
    #[serde(rename = "CompShareImageId")]
    pub image_id: ImageId,
}
