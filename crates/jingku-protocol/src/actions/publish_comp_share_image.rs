use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::bounded::{Cover, Description, GroupId, ImageId, MAX_TAGS, Price, Readme, Word, clearable};
use crate::image::Softwares;
use crate::list::List;
use crate::place::Place;

/// Publishes an image as a version in the community.
///
/// The sources disagree on what is required: the documents require a price and have no version name, newer ones require
/// a version name, and the typed Python SDK drops it. Both are optional here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct PublishCompShareImageRequest {
    /// Where the image is.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The image.
    #[serde(rename = "CompShareImageId")]
    pub image_id: ImageId,
    /// The group to add a version to; absent: a new group.
    pub group_id: Option<GroupId>,
    /// The group's name; absent: unchanged, or the image's name for a new group.
    #[serde(rename = "CommunityImageName")]
    pub community_name: Option<Word>,
    /// Such as `v1.0`, unique in the group; absent: the next free `vN.0`.
    pub version_name: Option<Word>,
    /// What is new in it.
    #[serde(default, deserialize_with = "clearable")]
    pub version_desc: Option<Description>,
    /// CNY per hour; absent: 0, which is free.
    #[serde(default, deserialize_with = "whole_cents")]
    pub price: Option<Price>,
    /// A picture as Base64 text; empty clears, absent: unchanged.
    #[serde(default, deserialize_with = "clearable")]
    pub cover: Option<Cover>,
    /// At most [`MAX_TAGS`]; absent: unchanged.
    #[serde(default, deserialize_with = "clearable")]
    pub tags: Option<List<Word, MAX_TAGS>>,
    /// Free text; absent: unchanged.
    #[serde(default, deserialize_with = "clearable")]
    pub description: Option<Description>,
    /// Markdown; absent: unchanged.
    #[serde(default, deserialize_with = "clearable")]
    pub readme: Option<Readme>,
    /// Recommended GPU models; absent: unchanged.
    #[serde(default, deserialize_with = "clearable")]
    pub supported_gpu_types: Option<List<Word>>,
    /// Whether the software starts automatically; absent: unchanged.
    pub auto_start: Option<bool>,
    /// What is installed; absent: unchanged.
    #[serde(default, with = "crate::softwares")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::softwares::SoftwaresParam>"))]
    pub softwares: Option<Softwares>,
}

/// The image and the group it is a version of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct PublishCompShareImageResponse {
    /// Extension, from an example in the documents: the image that is reviewed, which is the one that was named.
    pub new_comp_share_image_id: String,
    /// Extension: the group.
    pub group_id: String,
}

/// How far a price may differ from a whole number of cents: `0.29` is not exactly 29 hundredths.
const ROUNDING: f64 = 1e-6;

/// Newer documents name steps of 0.01.
fn whole_cents<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Price>, D::Error> {
    let price = Option::<Price>::deserialize(deserializer)?;
    let cents = price.unwrap_or_default().0 * 100.0;
    if (cents - cents.round()).abs() > ROUNDING {
        return Err(D::Error::custom("not a whole number of cents"));
    }
    Ok(price)
}
