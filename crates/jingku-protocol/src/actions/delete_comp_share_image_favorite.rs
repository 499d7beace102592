use serde::{Deserialize, Serialize};

use crate::bounded::GroupId;

/// Marks a group no longer. The official CLI sends this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteCompShareImageFavoriteRequest {
    /// The group.
    pub group_id: GroupId,
}

/// Nothing but success.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteCompShareImageFavoriteResponse {}
