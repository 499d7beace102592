use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::bounded::{Cover, Description, GroupId, ImageId, MAX_TAGS, Price, Readme, Word, clearable};
use crate::image::Softwares;
use crate::list::List;
use crate::place::Place;

/// Hands an image in to become a version in the community.
///
/// The sources disagree about what is required: the documents ask for a price and know no version name, newer ones ask
/// for a version name, and the typed Python SDK drops the latter. Neither is needed here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PublishCompShareImageRequest {
    /// Where the image is.
    #[serde(rename = "+place")]
    pub place: Place,
    /// The image.
    #[serde(rename = "CompShareImageId")]
    pub image_id: ImageId,
    /// The group to add a version to; absent: a group of its own.
    pub group_id: Option<GroupId>,
    /// What the group is called; absent: as it is, or else as the image.
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
    /// A picture as Base64 text; empty clears, absent: as it is.
    #[serde(default, deserialize_with = "clearable")]
    pub cover: Option<Cover>,
    /// At most [`MAX_TAGS`]; absent: as they are.
    #[serde(default, deserialize_with = "clearable")]
    pub tags: Option<List<Word, MAX_TAGS>>,
    /// Free text; absent: as it is.
    #[serde(default, deserialize_with = "clearable")]
    pub description: Option<Description>,
    /// Markdown; absent: as it is.
    #[serde(default, deserialize_with = "clearable")]
    pub readme: Option<Readme>,
    /// A recommendation; absent: as it is.
    #[serde(default, deserialize_with = "clearable")]
    pub supported_gpu_types: Option<List<Word>>,
    /// Whether the software inside starts by itself; absent: as it is.
    pub auto_start: Option<bool>,
    /// What is installed; absent: as it is.
    #[serde(default, with = "crate::softwares")]
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

/// How far a price may be from a whole number of cents and be meant as one: `0.29` is not exactly 29 hundredths.
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
