use serde::{Deserialize, Serialize};

use super::update_comp_share_image::bind_price;
use super::{Action, MAX_TAGS, Place, Request};
use crate::bind::{MAX_LIST_ITEMS, ParamError};
use crate::image::Softwares;
use crate::params::Params;
use crate::tree::Tree;

/// Hands an image in to become a version in the community.
///
/// The sources disagree about what is required: the documents ask for a price and know no version name, newer ones ask
/// for a version name, and the typed Python SDK drops the latter. Neither is needed here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PublishCompShareImageRequest {
    /// Where the image is.
    pub place: Place,
    /// The image.
    pub image_id: String,
    /// The group to add a version to; absent: a group of its own.
    pub group_id: Option<String>,
    /// What the group is called; absent: as it is, or else as the image.
    pub community_name: Option<String>,
    /// Such as `v1.0`, unique in the group; absent: the next free `vN.0`.
    pub version_name: Option<String>,
    /// What is new in it.
    pub version_desc: Option<String>,
    /// CNY per hour; absent: 0, which is free.
    pub price: Option<f64>,
    /// A picture as Base64 text; empty clears, absent: as it is.
    pub cover: Option<String>,
    /// At most [`MAX_TAGS`]; absent: as they are.
    pub tags: Option<Vec<String>>,
    /// Free text; absent: as it is.
    pub description: Option<String>,
    /// Markdown; absent: as it is.
    pub readme: Option<String>,
    /// A recommendation; absent: as it is.
    pub supported_gpu_types: Option<Vec<String>>,
    /// Whether the software inside starts by itself; absent: as it is.
    pub auto_start: Option<bool>,
    /// What is installed; absent: as it is.
    pub softwares: Option<Softwares>,
}

/// The image and the group it is a version of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct PublishCompShareImageResponse {
    /// Extension, from an example in the documents: the image that is reviewed, which is the one that was named.
    pub new_comp_share_image_id: String,
    /// Extension: the group.
    pub group_id: String,
}

impl Request for PublishCompShareImageRequest {
    const ACTION: Action = Action::PublishCompShareImage;
    type Response = PublishCompShareImageResponse;

    fn bind(tree: &Tree) -> Result<Self, ParamError> {
        let image_id = tree.required_id("CompShareImageId")?;
        let filled = |word: Option<String>| word.filter(|word| !word.is_empty());
        Ok(Self {
            place: Place::bind(tree)?,
            image_id,
            group_id: tree.id("GroupId")?,
            community_name: filled(tree.word("CommunityImageName")?),
            version_name: filled(tree.word("VersionName")?),
            version_desc: tree.description("VersionDesc")?,
            price: bind_whole_price(tree)?,
            cover: tree.cover("Cover")?,
            tags: tree.words("Tags", MAX_TAGS)?,
            description: tree.description("Description")?,
            readme: tree.readme("Readme")?,
            supported_gpu_types: tree.words("SupportedGpuTypes", MAX_LIST_ITEMS)?,
            auto_start: tree.flag("AutoStart")?,
            softwares: Softwares::bind(tree, "Softwares")?,
        })
    }

    fn params(&self) -> Params {
        let params = self
            .place
            .add_to(Params::for_action(Self::ACTION.name()))
            .text("CompShareImageId", Some(&self.image_id))
            .text("GroupId", self.group_id.as_deref())
            .text("CommunityImageName", self.community_name.as_deref())
            .text("VersionName", self.version_name.as_deref())
            .text("VersionDesc", self.version_desc.as_deref())
            .number("Price", self.price)
            .text("Cover", self.cover.as_deref())
            .optional_list("Tags", self.tags.as_deref())
            .text("Description", self.description.as_deref())
            .text("Readme", self.readme.as_deref())
            .optional_list("SupportedGpuTypes", self.supported_gpu_types.as_deref())
            .number("AutoStart", self.auto_start);
        match &self.softwares {
            Some(softwares) => softwares.add_to(params),
            None => params,
        }
    }
}

/// How far a price may be from a whole number of cents and be meant as one: `0.29` is not exactly 29 hundredths.
const ROUNDING: f64 = 1e-6;

/// A price in steps of 0.01, which newer documents name.
fn bind_whole_price(tree: &Tree) -> Result<Option<f64>, ParamError> {
    let price = bind_price(tree)?;
    let cents = price.unwrap_or_default() * 100.0;
    if (cents - cents.round()).abs() > ROUNDING {
        return Err(ParamError::not_available("Price"));
    }
    Ok(price)
}
