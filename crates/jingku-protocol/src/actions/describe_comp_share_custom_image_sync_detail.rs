use serde::{Deserialize, Serialize};

use super::{Action, Place, Request};
use crate::bind::ParamError;
use crate::image::ImageStatus;
use crate::lenient;
use crate::params::Params;
use crate::tree::Tree;

/// Asks how far a copy in another zone is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescribeCompShareCustomImageSyncDetailRequest {
    /// Where the copy is.
    pub place: Place,
    /// The copy, from [`SyncResult`](super::SyncResult).
    pub image_id: String,
}

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareCustomImageSyncDetailResponse {
    /// Percent as text, as the real service sends it.
    #[serde(deserialize_with = "lenient::text")]
    pub progress: String,
    /// Extension: the copy's status.
    pub status: ImageStatus,
    /// Extension: the image it was copied from, which may be gone.
    pub source_comp_share_image_id: String,
}

impl Request for DescribeCompShareCustomImageSyncDetailRequest {
    const ACTION: Action = Action::DescribeCompShareCustomImageSyncDetail;
    type Response = DescribeCompShareCustomImageSyncDetailResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        let image_id = tree.required_id("CompShareImageId")?;
        Ok(Self { place: Place::bind(tree)?, image_id })
    }

    fn params(&self) -> Params {
        self.place
            .add_to(Params::for_action(Self::ACTION.name()))
            .text("CompShareImageId", Some(&self.image_id))
    }
}
