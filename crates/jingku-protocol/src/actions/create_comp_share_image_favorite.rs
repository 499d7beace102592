use serde::{Deserialize, Serialize};

use super::{Action, Request};
use crate::bind::ParamError;
use crate::params::Params;
use crate::tree::Tree;

/// Marks a group of the community as a favourite of the caller. The official CLI sends this.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreateCompShareImageFavoriteRequest {
    /// The group.
    pub group_id: String,
}

/// Nothing but success.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateCompShareImageFavoriteResponse {}

impl Request for CreateCompShareImageFavoriteRequest {
    const ACTION: Action = Action::CreateCompShareImageFavorite;
    type Response = CreateCompShareImageFavoriteResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        Ok(Self { group_id: tree.required_id("GroupId")? })
    }

    fn params(&self) -> Params {
        Params::for_action(Self::ACTION.name()).text("GroupId", Some(&self.group_id))
    }
}
