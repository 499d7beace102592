use serde::{Deserialize, Serialize};

use super::{Action, Place, Request};
use crate::bind::ParamError;
use crate::params::Params;
use crate::tree::Tree;

/// Deletes an image of the caller's own account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TerminateCompShareCustomImageRequest {
    /// Where the image is.
    pub place: Place,
    /// The image.
    pub image_id: String,
}

/// Nothing but success.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminateCompShareCustomImageResponse {}

impl Request for TerminateCompShareCustomImageRequest {
    const ACTION: Action = Action::TerminateCompShareCustomImage;
    type Response = TerminateCompShareCustomImageResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        Ok(Self { place: Place::bind(tree)?, image_id: tree.required_id("CompShareImageId")? })
    }

    fn params(&self) -> Params {
        let params = self.place.add_to(Params::for_action(Self::ACTION.name()));
        params.text("CompShareImageId", Some(&self.image_id))
    }
}
