use serde::{Deserialize, Serialize};

use crate::bounded::GroupId;

pub use crate::done::Done as DeleteCompShareImageFavoriteResponse;

/// Removes a group from the caller's favourites. The official CLI sends this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DeleteCompShareImageFavoriteRequest {
    /// The group.
    pub group_id: GroupId,
}
