use serde::{Deserialize, Serialize};

use super::{Action, Place, Request};
use crate::bind::{MAX_LIST_ITEMS, ParamError};
use crate::image::Softwares;
use crate::params::Params;
use crate::tree::Tree;

/// The most tags on an image.
pub const MAX_TAGS: usize = 3;
/// The highest price, in CNY per hour. Ours: the documents name none.
const MAX_PRICE: f64 = 1_000_000.0;

/// Changes facts about an image. What is absent stays as it is, so a call with only the id changes nothing: the typed
/// Python and Go SDKs cannot send all of these.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpdateCompShareImageRequest {
    /// Where the image is.
    pub place: Place,
    /// The image.
    pub image_id: String,
    /// A new name; see [`is_image_name`](super::is_image_name).
    pub name: Option<String>,
    /// Free text; empty clears.
    pub description: Option<String>,
    /// `true` for public.
    pub public: Option<bool>,
    /// A picture as Base64 text; empty clears.
    pub cover: Option<String>,
    /// Markdown; empty clears.
    pub readme: Option<String>,
    /// At most [`MAX_TAGS`].
    pub tags: Option<Vec<String>>,
    /// The community group.
    pub group_id: Option<String>,
    /// CNY per hour.
    pub price: Option<f64>,
    /// Such as `v1.0`.
    pub version_name: Option<String>,
    /// Free text.
    pub version_desc: Option<String>,
    /// A recommendation.
    pub supported_gpu_types: Option<Vec<String>>,
    /// Whether the software inside starts by itself.
    pub auto_start: Option<bool>,
}

/// Nothing but success.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateCompShareImageResponse {}

impl Request for UpdateCompShareImageRequest {
    const ACTION: Action = Action::UpdateCompShareImage;
    type Response = UpdateCompShareImageResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        let image_id = tree.required_id("CompShareImageId")?;
        // Texts of older clients: of any content, never used.
        tree.scalar("Framework")?;
        Softwares::bind(tree, "Softwares")?;
        Ok(Self {
            place: Place::bind(tree)?,
            image_id,
            name: tree.image_name("Name")?,
            description: tree.description("Description")?,
            public: tree.flag("Visibility")?,
            cover: tree.cover("Cover")?,
            readme: tree.readme("Readme")?,
            tags: tree.words("Tags", MAX_TAGS)?,
            group_id: tree.word("GroupId")?.filter(|id| !id.is_empty()),
            price: bind_price(tree)?,
            version_name: tree.word("VersionName")?,
            version_desc: tree.description("VersionDesc")?,
            supported_gpu_types: tree.words("SupportedGpuTypes", MAX_LIST_ITEMS)?,
            auto_start: tree.flag("AutoStart")?,
        })
    }

    fn params(&self) -> Params {
        self.place
            .add_to(Params::for_action(Self::ACTION.name()))
            .text("CompShareImageId", Some(&self.image_id))
            .text("Name", self.name.as_deref())
            .text("Description", self.description.as_deref())
            .number("Visibility", self.public.map(u8::from))
            .text("Cover", self.cover.as_deref())
            .text("Readme", self.readme.as_deref())
            .optional_list("Tags", self.tags.as_deref())
            .text("GroupId", self.group_id.as_deref())
            .number("Price", self.price)
            .text("VersionName", self.version_name.as_deref())
            .text("VersionDesc", self.version_desc.as_deref())
            .optional_list("SupportedGpuTypes", self.supported_gpu_types.as_deref())
            .number("AutoStart", self.auto_start)
    }
}

/// A price in CNY per hour.
pub(super) fn bind_price(tree: &Tree) -> Result<Option<f64>, ParamError> {
    let price = tree.parsed("Price")?;
    if price.is_some_and(|price| !(0.0..=MAX_PRICE).contains(&price)) {
        return Err(ParamError::not_available("Price"));
    }
    Ok(price)
}
