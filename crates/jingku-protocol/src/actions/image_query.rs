use crate::bind::{MAX_LIST_ITEMS, ParamError};
use crate::image::ImageStatus;
use crate::params::Params;
use crate::tree::Tree;

/// The most bytes in a text that is looked for.
const MAX_SOUGHT_BYTES: usize = 256;

/// Extension: which of the caller's own images, and in what order. The real service has none of this, and no client of
/// it sends or sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ImageQuery {
    /// `Name`: part of the name.
    pub name: Option<String>,
    /// `Status.N`: in one of these states.
    pub statuses: Vec<ImageStatus>,
    /// `Tag.N`: with every one of these tags.
    pub tags: Vec<String>,
    /// `CreatedFrom`, Unix seconds: created then or later.
    pub created_from: Option<i64>,
    /// `CreatedBefore`, Unix seconds: created earlier.
    pub created_before: Option<i64>,
    /// `SizeFrom`, MB: this large or larger.
    pub size_from: Option<u32>,
    /// `SizeBelow`, MB: smaller.
    pub size_below: Option<u32>,
    /// `SortCondition.Field`; absent: by time of creation.
    pub sort: ImageSort,
    /// `SortCondition.ASC`: smallest or oldest first.
    pub ascending: bool,
}

/// What images can be sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ImageSort {
    /// When it was asked for.
    #[default]
    CreateTime,
    /// When something about it changed last.
    UpdateTime,
    /// How large it is.
    Size,
    /// Its name, by the numbers of its characters.
    Name,
}

impl ImageSort {
    /// Every one.
    pub const ALL: &[Self] = &[Self::CreateTime, Self::UpdateTime, Self::Size, Self::Name];

    /// The spelling on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateTime => "CreateTime",
            Self::UpdateTime => "UpdateTime",
            Self::Size => "Size",
            Self::Name => "Name",
        }
    }

    /// The order of this spelling.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|sort| sort.as_str() == word)
    }
}

impl ImageQuery {
    pub(super) fn bind(tree: &Tree) -> Result<Self, ParamError> {
        let statuses = tree.words("Status", MAX_LIST_ITEMS)?.unwrap_or_default();
        let status =
            |word: &String| ImageStatus::parse(word).ok_or_else(|| ParamError::not_available("Status"));
        let sort = tree.filled_text("SortCondition.Field");
        let unknown = || ParamError::not_available("SortCondition.Field");
        let name = tree.filled_text("Name");
        if name.as_ref().is_some_and(|name| name.len() > MAX_SOUGHT_BYTES) {
            return Err(ParamError::not_available("Name"));
        }
        Ok(Self {
            name,
            statuses: statuses.iter().map(status).collect::<Result<_, _>>()?,
            tags: tree.words("Tag", MAX_LIST_ITEMS)?.unwrap_or_default(),
            created_from: tree.parsed("CreatedFrom")?,
            created_before: tree.parsed("CreatedBefore")?,
            size_from: tree.parsed("SizeFrom")?,
            size_below: tree.parsed("SizeBelow")?,
            sort: sort
                .map(|word| ImageSort::parse(&word).ok_or_else(unknown))
                .transpose()?
                .unwrap_or_default(),
            ascending: tree.flag("SortCondition.ASC")?.unwrap_or(false),
        })
    }

    pub(super) fn add_to(&self, params: Params) -> Params {
        let statuses: Vec<_> = self.statuses.iter().map(|status| status.as_str()).collect();
        let sorted = self.sort != ImageSort::default();
        params
            .text("Name", self.name.as_deref())
            .list("Status", &statuses)
            .list("Tag", &self.tags)
            .number("CreatedFrom", self.created_from)
            .number("CreatedBefore", self.created_before)
            .number("SizeFrom", self.size_from)
            .number("SizeBelow", self.size_below)
            .text("SortCondition.Field", sorted.then(|| self.sort.as_str()))
            .number("SortCondition.ASC", self.ascending.then_some(true))
    }
}
