use serde::de::value::{Error, StrDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

use crate::bounded::{Filter, GroupId, ImageId, Word, or_default};
use crate::image::Image;
use crate::list::List;
use crate::paging::Paging;
use crate::place::Place;

/// Which groups of the community, and in what order: what `DescribeCommunityImages` and its two sisters take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct CommunityQuery {
    /// Only versions stored there.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub place: Place,
    /// The group of this image, with that version alone.
    #[serde(rename = "CompShareImageId")]
    pub image_id: Option<ImageId>,
    /// This group.
    pub group_id: Option<GroupId>,
    /// Part of the group's name.
    pub name: Option<Filter>,
    /// The full name of the author.
    pub author: Option<Filter>,
    /// Each word occurs in the name of the group or of its author.
    pub fuzzy_search: Option<Filter>,
    /// All of these are tags of the newest version.
    #[serde(rename = "Tag")]
    pub tags: List<Word>,
    /// Whether the newest version costs nothing.
    pub is_free: Option<bool>,
    /// Whether the platform made it.
    pub is_official: Option<bool>,
    /// Whether the software in the newest version starts automatically.
    #[serde(rename = "IfAutoStart")]
    pub auto_start: Option<bool>,
    /// The order; absent: recommended first, then newest.
    #[serde(rename = "SortCondition.Field", deserialize_with = "known_sort")]
    pub sort: Option<CommunitySort>,
    /// Smallest or oldest first.
    #[serde(rename = "SortCondition.ASC", deserialize_with = "or_default")]
    pub ascending: bool,
    /// Leaves out the readmes, which may be long.
    #[serde(deserialize_with = "or_default")]
    pub exclude_readme: bool,
    /// Which page, counted in groups.
    #[cfg_attr(feature = "schema", schemars(flatten))]
    pub paging: Paging,
}

/// The real service ignores a field that it does not know.
fn known_sort<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<CommunitySort>, D::Error> {
    let field = Option::<Word>::deserialize(deserializer)?;
    Ok(field.and_then(|field| CommunitySort::deserialize(StrDeserializer::<Error>::new(&field)).ok()))
}

/// What groups can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum CommunitySort {
    /// Popularity: recommendation, favourites and use.
    Favor,
    /// When its newest version was published.
    PubTime,
    /// What its newest version costs.
    Price,
    /// Instances started from it.
    CreatedCount,
    /// Hours of use.
    ImageUseTime,
    /// Accounts that have it as a favourite.
    FavoritesCount,
}

/// The versions of one image in the community.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct ImageGroup {
    /// The group's id.
    pub group_id: String,
    /// Its name.
    pub image_name: String,
    /// What it is for.
    pub image_desc: String,
    /// Instances started from its versions.
    pub created_count: i64,
    /// Accounts that have it as a favourite.
    pub favorites_count: i64,
    /// How much the operator recommends it.
    pub recommend_count: i64,
    /// Hours of use of its versions.
    pub image_use_time: i64,
    /// Whether it is a favourite of the caller.
    pub is_favorite: bool,
    /// Whether a version can be used.
    pub status: GroupStatus,
    /// The versions, newest first.
    pub data: Vec<Image>,
}

/// Whether a version of a group can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum GroupStatus {
    /// One can.
    Available,
    /// None can.
    #[default]
    #[serde(other)]
    UnAvailable,
}
