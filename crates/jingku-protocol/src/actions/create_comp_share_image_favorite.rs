use serde::{Deserialize, Serialize};

use crate::bounded::GroupId;

pub use crate::done::Done as CreateCompShareImageFavoriteResponse;

/// Marks a group of the community as a favourite of the caller. The official CLI sends this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct CreateCompShareImageFavoriteRequest {
    /// The group.
    pub group_id: GroupId,
}
