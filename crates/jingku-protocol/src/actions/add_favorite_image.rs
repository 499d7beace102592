use serde::{Deserialize, Serialize};

use super::{Action, Request};
use crate::bind::ParamError;
use crate::params::Params;
use crate::tree::Tree;

/// Marks the group of a published image as a favourite of the caller. Newer documents have it; the real service answers 161.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddFavoriteImageRequest {
    /// Any version of the group.
    pub image_id: String,
}

/// Nothing but success.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddFavoriteImageResponse {}

impl Request for AddFavoriteImageRequest {
    const ACTION: Action = Action::AddFavoriteImage;
    type Response = AddFavoriteImageResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        Ok(Self { image_id: tree.required_id("CompShareImageId")? })
    }

    fn params(&self) -> Params {
        Params::for_action(Self::ACTION.name()).text("CompShareImageId", Some(&self.image_id))
    }
}
