use serde::{Deserialize, Serialize};

use super::{Action, Paging, Place, Request};
use crate::bind::ParamError;
use crate::image::Image;
use crate::params::Params;
use crate::tree::Tree;

/// Lists the images that others share with the caller, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DescribeCompShareSharingImagesRequest {
    /// Narrows the list to images held there.
    pub place: Place,
    /// Exactly this image, with its readme.
    pub image_id: Option<String>,
    /// Which page.
    pub paging: Paging,
}

/// A page of images; the owner of each is who shares it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareSharingImagesResponse {
    /// Images that match, on all pages.
    pub total_count: i64,
    /// The images of this page.
    pub image_set: Vec<Image>,
    /// Extension: where the next page starts; empty on the last one.
    pub next_token: String,
}

impl Request for DescribeCompShareSharingImagesRequest {
    const ACTION: Action = Action::DescribeCompShareSharingImages;
    type Response = DescribeCompShareSharingImagesResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        Ok(Self {
            place: Place::bind(tree)?,
            image_id: tree.id("CompShareImageId")?,
            paging: Paging::bind(tree)?,
        })
    }

    fn params(&self) -> Params {
        let params = self.place.add_to(Params::for_action(Self::ACTION.name()));
        self.paging.add_to(params.text("CompShareImageId", self.image_id.as_deref()))
    }
}
