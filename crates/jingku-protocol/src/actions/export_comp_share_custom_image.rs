use serde::{Deserialize, Serialize};

use super::{Action, Request};
use crate::bind::ParamError;
use crate::params::Params;
use crate::tree::Tree;

/// Extension: gives back the bits of an image of the caller's own account.
///
/// On success the reply is no JSON but the disk itself, holes as zeros: `application/octet-stream` with its
/// `Content-Length`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportCompShareCustomImageRequest {
    /// The image, which must be `Available`.
    pub image_id: String,
}

/// Never sent: success is the disk itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportCompShareCustomImageResponse {}

impl Request for ExportCompShareCustomImageRequest {
    const ACTION: Action = Action::ExportCompShareCustomImage;
    type Response = ExportCompShareCustomImageResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        Ok(Self { image_id: tree.required_id("CompShareImageId")? })
    }

    fn params(&self) -> Params {
        Params::for_action(Self::ACTION.name()).text("CompShareImageId", Some(&self.image_id))
    }
}
