use serde::{Deserialize, Serialize};

use super::{Action, Request};
use crate::bind::ParamError;
use crate::params::Params;
use crate::tree::Tree;

/// Marks the group of a published image no longer. Newer documents have it; the real service answers 161.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoveFavoriteImageRequest {
    /// Any version of the group.
    pub image_id: String,
}

/// Nothing but success.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoveFavoriteImageResponse {}

impl Request for RemoveFavoriteImageRequest {
    const ACTION: Action = Action::RemoveFavoriteImage;
    type Response = RemoveFavoriteImageResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        Ok(Self { image_id: tree.required_id("CompShareImageId")? })
    }

    fn params(&self) -> Params {
        Params::for_action(Self::ACTION.name()).text("CompShareImageId", Some(&self.image_id))
    }
}
