use serde::{Deserialize, Serialize};

use super::{Action, Paging, Place, Request};
use crate::bind::{MAX_LIST_ITEMS, ParamError};
use crate::image::{Image, PlatformType};
use crate::params::Params;
use crate::tree::Tree;

/// Lists the platform's images.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DescribeCompShareImagesRequest {
    /// Narrows the list to images held there.
    pub place: Place,
    /// Images of this type. Absent, a page has rows of every type, offset and limit counting for each: the real
    /// service does so, whatever the documents say.
    pub image_type: Option<PlatformType>,
    /// Exactly this image.
    pub image_id: Option<String>,
    /// Part of the name.
    pub name: Option<String>,
    /// The author's name, whole.
    pub author: Option<String>,
    /// Tags that the image has, every one of them.
    pub tags: Vec<String>,
    /// Which page. A token goes with one type.
    pub paging: Paging,
}

/// A page of images.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct DescribeCompShareImagesResponse {
    /// Images that match, on all pages.
    pub total_count: i64,
    /// The images of this page.
    pub image_set: Vec<Image>,
    /// Extension: where the next page of the type starts; empty on the last one, and without a type.
    pub next_token: String,
}

impl Request for DescribeCompShareImagesRequest {
    const ACTION: Action = Action::DescribeCompShareImages;
    type Response = DescribeCompShareImagesResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        Ok(Self {
            place: Place::bind(tree)?,
            image_type: tree.one_of("ImageType", PlatformType::parse)?,
            image_id: tree.id("CompShareImageId")?,
            name: tree.filter("Name")?,
            author: tree.filter("Author")?,
            tags: tree.words("Tag", MAX_LIST_ITEMS)?.unwrap_or_default(),
            paging: Paging::bind(tree)?,
        })
    }

    fn params(&self) -> Params {
        let params = self.place.add_to(Params::for_action(Self::ACTION.name()));
        let params = params
            .text("ImageType", self.image_type.map(PlatformType::as_str))
            .text("CompShareImageId", self.image_id.as_deref())
            .text("Name", self.name.as_deref())
            .text("Author", self.author.as_deref())
            .list("Tag", &self.tags);
        self.paging.add_to(params)
    }
}
