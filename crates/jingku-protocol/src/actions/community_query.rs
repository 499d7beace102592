use serde::{Deserialize, Serialize};

use super::{Paging, Place};
use crate::bind::{MAX_LIST_ITEMS, ParamError};
use crate::image::Image;
use crate::params::Params;
use crate::tree::Tree;

/// Which groups of the community, and in what order: what `DescribeCommunityImages` and its two sisters take.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CommunityQuery {
    /// Narrows the versions to images held there.
    pub place: Place,
    /// The group of this image, with that version alone.
    pub image_id: Option<String>,
    /// This group.
    pub group_id: Option<String>,
    /// Part of the group's name.
    pub name: Option<String>,
    /// The author's name, whole.
    pub author: Option<String>,
    /// Words, each part of the group's name or of its author's.
    pub fuzzy_search: Option<String>,
    /// Tags that the newest version has, every one of them.
    pub tags: Vec<String>,
    /// Whether the newest version costs nothing.
    pub is_free: Option<bool>,
    /// Whether the platform made it.
    pub is_official: Option<bool>,
    /// Whether the software in the newest version starts by itself.
    pub auto_start: Option<bool>,
    /// The order; absent: recommended first, then newest.
    pub sort: Option<CommunitySort>,
    /// Whether it is the other way round: smallest or oldest first.
    pub ascending: bool,
    /// Leaves out the readmes, which may be long.
    pub exclude_readme: bool,
    /// Which page, counted in groups.
    pub paging: Paging,
}

/// What groups can be sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommunitySort {
    /// How much it is liked: recommendation, favourites and use.
    Favor,
    /// When its newest version was published.
    PubTime,
    /// What its newest version costs.
    Price,
    /// Instances started from it.
    CreatedCount,
    /// Hours it has been in use.
    ImageUseTime,
    /// Accounts that favour it.
    FavoritesCount,
}

impl CommunitySort {
    /// Every one.
    pub const ALL: &[Self] = &[
        Self::Favor,
        Self::PubTime,
        Self::Price,
        Self::CreatedCount,
        Self::ImageUseTime,
        Self::FavoritesCount,
    ];

    /// The spelling on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Favor => "Favor",
            Self::PubTime => "PubTime",
            Self::Price => "Price",
            Self::CreatedCount => "CreatedCount",
            Self::ImageUseTime => "ImageUseTime",
            Self::FavoritesCount => "FavoritesCount",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|sort| sort.as_str() == word)
    }
}

impl CommunityQuery {
    pub(super) fn bind(tree: &Tree) -> Result<Self, ParamError> {
        Ok(Self {
            place: Place::bind(tree)?,
            image_id: tree.id("CompShareImageId")?,
            group_id: tree.id("GroupId")?,
            name: tree.filter("Name")?,
            author: tree.filter("Author")?,
            fuzzy_search: tree.filter("FuzzySearch")?,
            tags: tree.words("Tag", MAX_LIST_ITEMS)?.unwrap_or_default(),
            is_free: tree.flag("IsFree")?,
            is_official: tree.flag("IsOfficial")?,
            auto_start: tree.flag("IfAutoStart")?,
            // The real service ignores a field that it does not know.
            sort: tree.word("SortCondition.Field")?.as_deref().and_then(CommunitySort::parse),
            ascending: tree.flag("SortCondition.ASC")?.unwrap_or(false),
            exclude_readme: tree.flag("ExcludeReadme")?.unwrap_or(false),
            paging: Paging::bind(tree)?,
        })
    }

    pub(super) fn add_to(&self, params: Params) -> Params {
        let params = self
            .place
            .add_to(params)
            .text("CompShareImageId", self.image_id.as_deref())
            .text("GroupId", self.group_id.as_deref())
            .text("Name", self.name.as_deref())
            .text("Author", self.author.as_deref())
            .text("FuzzySearch", self.fuzzy_search.as_deref())
            .list("Tag", &self.tags)
            .number("IsFree", self.is_free)
            .number("IsOfficial", self.is_official)
            .number("IfAutoStart", self.auto_start)
            .text("SortCondition.Field", self.sort.map(CommunitySort::as_str))
            .number("SortCondition.ASC", self.ascending.then_some(true))
            .number("ExcludeReadme", self.exclude_readme.then_some(true));
        self.paging.add_to(params)
    }
}

/// The versions of one image in the community.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
    /// Accounts that favour it.
    pub favorites_count: i64,
    /// How much the operator recommends it.
    pub recommend_count: i64,
    /// Hours its versions have been in use.
    pub image_use_time: i64,
    /// Whether the caller favours it.
    pub is_favorite: bool,
    /// Whether a version can be used.
    pub status: GroupStatus,
    /// The versions, newest first.
    pub data: Vec<Image>,
}

/// Whether a version of a group can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum GroupStatus {
    /// One can.
    Available,
    /// None can.
    #[default]
    #[serde(other)]
    UnAvailable,
}
