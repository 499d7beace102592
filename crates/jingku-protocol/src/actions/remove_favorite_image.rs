use serde::{Deserialize, Serialize};

use crate::bounded::ImageId;

pub use crate::done::Done as RemoveFavoriteImageResponse;

/// Removes the group of a published image from the caller's favourites. Newer documents have it; the real service answers 161.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct RemoveFavoriteImageRequest {
    /// Any version of the group.
    #[serde(rename = "CompShareImageId")]
    pub image_id: ImageId,
}
