use serde::{Deserialize, Serialize};

use crate::bounded::{Filter, ImageId, Word};
use crate::image::{Image, PlatformType};
use crate::list::List;
use crate::paging::Paging;
use crate::place::Place;

/// Lists the platform's images.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCompShareImagesRequest {
    /// Narrows the list to images held there.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// Images of this type. Absent: rows of every type, with offset and limit applied to each, as the real service does
    /// against its documents.
    pub image_type: Option<PlatformType>,
    /// Exactly this image.
    #[serde(rename = "CompShareImageId")]
    pub image_id: Option<ImageId>,
    /// Part of the name.
    pub name: Option<Filter>,
    /// The author's name, whole.
    pub author: Option<Filter>,
    /// Tags that the image has, every one of them.
    #[serde(default, rename = "Tag")]
    pub tags: List<Word>,
    /// Which page. A token goes with one type.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub paging: Paging,
}

/// A page of images.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareImagesResponse {
    /// Images that match, on all pages.
    pub total_count: i64,
    /// The images of this page.
    pub image_set: Vec<Image>,
    /// Extension: where the next page of the type starts; empty on the last one, and without a type.
    pub next_token: String,
}
