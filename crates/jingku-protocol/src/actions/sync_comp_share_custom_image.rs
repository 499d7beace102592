use serde::{Deserialize, Serialize};

use super::{Action, Place, Request};
use crate::bind::{MAX_LIST_ITEMS, ParamError};
use crate::params::Params;
use crate::tree::Tree;

/// Makes copies of an image in other zones. Not in the documents; newer products of the real service send it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncCompShareCustomImageRequest {
    /// Where the image is.
    pub place: Place,
    /// The image.
    pub source_image_id: String,
    /// The copies' name; see [`is_image_name`](super::is_image_name). Absent: made from the name of the image.
    pub target_name: Option<String>,
    /// The numbers of the zones, each at most once.
    pub target_zone_ids: Vec<i64>,
    /// The copies' description; absent: that of the image.
    pub target_description: Option<String>,
}

/// What came of each zone, in the order of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SyncCompShareCustomImageResponse {
    /// How many copies there are now.
    pub success_count: i64,
    /// One entry a zone.
    pub results: Vec<SyncResult>,
}

/// What came of one zone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SyncResult {
    /// 0 for success.
    pub ret_code: i64,
    /// Why not; empty for success.
    pub message: String,
    /// The copy; empty when there is none.
    pub comp_share_image_id: String,
    /// Extension: the zone's number.
    pub zone_id: i64,
}

impl Request for SyncCompShareCustomImageRequest {
    const ACTION: Action = Action::SyncCompShareCustomImage;
    type Response = SyncCompShareCustomImageResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        let source_image_id = tree.required_id("SourceCompShareImageId")?;
        let target_name = tree.image_name("TargetImageName")?;
        let target_zone_ids = tree.integers("TargetZoneIds", MAX_LIST_ITEMS)?;
        if target_zone_ids.is_empty() {
            return Err(ParamError::Missing("TargetZoneIds".to_owned()));
        }
        Ok(Self {
            place: Place::bind(tree)?,
            source_image_id,
            target_name,
            target_zone_ids,
            target_description: tree.description("TargetImageDescription")?,
        })
    }

    fn params(&self) -> Params {
        self.place
            .add_to(Params::for_action(Self::ACTION.name()))
            .text("SourceCompShareImageId", Some(&self.source_image_id))
            .text("TargetImageName", self.target_name.as_deref())
            .list("TargetZoneIds", &self.target_zone_ids)
            .text("TargetImageDescription", self.target_description.as_deref())
    }
}
