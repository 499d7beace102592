use serde::{Deserialize, Serialize};

use crate::bounded::ImageId;
use crate::image::ImageStatus;
use crate::list::List;
use crate::paging::Paging;
use crate::place::Place;

/// The most images that one call names.
pub const MAX_TRASHED_IDS: usize = 100;

/// Extension: lists the deleted images of the caller's own account that are still kept, last deleted first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct DescribeCompShareTrashedImagesRequest {
    /// Narrows the list to images of this place.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// Only these, at most [`MAX_TRASHED_IDS`]; empty for all.
    #[serde(default, rename = "CompShareImageIds")]
    pub image_ids: List<ImageId, MAX_TRASHED_IDS>,
    /// Which page.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub paging: Paging,
}

/// A page of the trash.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareTrashedImagesResponse {
    /// Images that match, on all pages.
    pub total_count: i64,
    /// The images of this page.
    pub image_set: Vec<TrashedImage>,
    /// Where the next page starts; empty on the last one.
    pub next_token: String,
}

/// A deleted image that is still kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct TrashedImage {
    /// The image's id.
    pub comp_share_image_id: String,
    /// Its name, which another image may have by now.
    pub name: String,
    /// Its status when it was deleted.
    pub status: ImageStatus,
    /// Whether it can be restored: not if it was deleted while it was being made.
    pub restorable: bool,
    /// Its unpacked size in MB.
    pub size: i64,
    /// Its zone.
    pub zone: String,
    /// When it was created, in Unix seconds.
    pub create_time: i64,
    /// When it was deleted, in Unix seconds.
    pub delete_time: i64,
    /// When it is purged at the earliest, in Unix seconds.
    pub expire_time: i64,
}
