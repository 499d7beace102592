use serde::{Deserialize, Serialize};

use super::{Action, Request};
use crate::bind::ParamError;
use crate::params::Params;
use crate::tree::Tree;

/// Marks a group no longer. The official CLI sends this.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteCompShareImageFavoriteRequest {
    /// The group.
    pub group_id: String,
}

/// Nothing but success.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteCompShareImageFavoriteResponse {}

impl Request for DeleteCompShareImageFavoriteRequest {
    const ACTION: Action = Action::DeleteCompShareImageFavorite;
    type Response = DeleteCompShareImageFavoriteResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        Ok(Self { group_id: tree.required_id("GroupId")? })
    }

    fn params(&self) -> Params {
        Params::for_action(Self::ACTION.name()).text("GroupId", Some(&self.group_id))
    }
}
