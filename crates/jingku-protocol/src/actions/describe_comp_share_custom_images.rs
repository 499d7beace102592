use serde::{Deserialize, Serialize};

use crate::bounded::ImageId;
use crate::image::Image;
use crate::image_query::ImageQuery;
use crate::paging::Paging;
use crate::place::Place;

/// Lists the images of the caller's own account, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCompShareCustomImagesRequest {
    /// Narrows the list to images held there.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// Exactly this image, with its readme.
    #[serde(rename = "CompShareImageId")]
    pub image_id: Option<ImageId>,
    /// Extension: which of the images, and in what order.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub query: ImageQuery,
    /// Which page.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub paging: Paging,
}

/// A page of images.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareCustomImagesResponse {
    /// Images that match, on all pages.
    pub total_count: i64,
    /// The images of this page.
    pub image_set: Vec<Image>,
    /// Extension: where the next page starts; empty on the last one.
    pub next_token: String,
}
