use serde::{Deserialize, Serialize};

use super::{Action, ImageQuery, Paging, Place, Request};
use crate::bind::ParamError;
use crate::image::Image;
use crate::params::Params;
use crate::tree::Tree;

/// Lists the images of the caller's own account, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DescribeCompShareCustomImagesRequest {
    /// Narrows the list to images held there.
    pub place: Place,
    /// Exactly this image, with its readme.
    pub image_id: Option<String>,
    /// Extension: which of the images, and in what order.
    pub query: ImageQuery,
    /// Which page.
    pub paging: Paging,
}

/// A page of images.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareCustomImagesResponse {
    /// Images that match, on all pages.
    pub total_count: i64,
    /// The images of this page.
    pub image_set: Vec<Image>,
    /// Extension: where the next page starts; empty on the last one.
    pub next_token: String,
}

impl Request for DescribeCompShareCustomImagesRequest {
    const ACTION: Action = Action::DescribeCompShareCustomImages;
    type Response = DescribeCompShareCustomImagesResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        Ok(Self {
            place: Place::bind(tree)?,
            image_id: tree.id("CompShareImageId")?,
            query: ImageQuery::bind(tree)?,
            paging: Paging::bind(tree)?,
        })
    }

    fn params(&self) -> Params {
        let params = self.place.add_to(Params::for_action(Self::ACTION.name()));
        let params = self.query.add_to(params.text("CompShareImageId", self.image_id.as_deref()));
        self.paging.add_to(params)
    }
}
