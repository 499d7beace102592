use serde::{Deserialize, Serialize};

use crate::bounded::ImageId;
use crate::image::Image;
use crate::paging::Paging;
use crate::place::Place;

/// Lists the images that others share with the caller, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCompShareSharingImagesRequest {
    /// Narrows the list to images held there.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// Exactly this image, with its readme.
    #[serde(rename = "CompShareImageId")]
    pub image_id: Option<ImageId>,
    /// Which page.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub paging: Paging,
}

/// A page of images; the owner of each is the account that shares it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareSharingImagesResponse {
    /// Images that match, on all pages.
    pub total_count: i64,
    /// The images of this page.
    pub image_set: Vec<Image>,
    /// Extension: where the next page starts; empty on the last one.
    pub next_token: String,
}
