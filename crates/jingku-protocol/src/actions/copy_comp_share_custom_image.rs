use serde::{Deserialize, Serialize};

use super::{Action, Place, Request};
use crate::bind::ParamError;
use crate::params::Params;
use crate::tree::Tree;

/// Makes another image of the same bits in the caller's account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyCompShareCustomImageRequest {
    /// Where the image is.
    pub place: Place,
    /// The image.
    pub image_id: String,
    /// The copy's name; see [`is_image_name`](super::is_image_name). Absent: made from the name of the image.
    pub target_name: Option<String>,
}

/// The copy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CopyCompShareCustomImageResponse {
    /// The copy's id.
    pub new_comp_share_image_id: String,
}

impl Request for CopyCompShareCustomImageRequest {
    const ACTION: Action = Action::CopyCompShareCustomImage;
    type Response = CopyCompShareCustomImageResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        let image_id = tree.required_id("CompShareImageId")?;
        let target_name = tree.image_name("TargetImageName")?;
        Ok(Self { place: Place::bind(tree)?, image_id, target_name })
    }

    fn params(&self) -> Params {
        self.place
            .add_to(Params::for_action(Self::ACTION.name()))
            .text("CompShareImageId", Some(&self.image_id))
            .text("TargetImageName", self.target_name.as_deref())
    }
}
