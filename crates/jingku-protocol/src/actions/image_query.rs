use crate::bind::{MAX_LIST_ITEMS, ParamError};
use crate::image::{Image, ImageStatus};
use crate::params::Params;
use crate::tree::Tree;

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
    /// Whether these rows can be what a server answers that knows this extension: one that does not, answers with all
    /// of its images in its own order.
    pub fn is_answered_by(&self, images: &[Image]) -> bool {
        images.iter().all(|image| self.matches(image)) && images.is_sorted_by(|a, b| self.in_order(a, b))
    }

    fn matches(&self, image: &Image) -> bool {
        let mb = |bound: Option<u32>| bound.map(i64::from);
        // A full-width letter finds a plain one, which no comparison as simple as this sees.
        let plain = |name: &&String| name.is_ascii();
        self.name
            .as_ref()
            .filter(plain)
            .is_none_or(|name| image.name.to_ascii_lowercase().contains(&name.to_ascii_lowercase()))
            && (self.statuses.is_empty() || self.statuses.contains(&image.status))
            && self.tags.iter().all(|tag| image.tags.contains(tag))
            && self.created_from.is_none_or(|from| image.create_time >= from)
            && self.created_before.is_none_or(|before| image.create_time < before)
            && mb(self.size_from).is_none_or(|from| image.size >= from)
            && mb(self.size_below).is_none_or(|below| image.size < below)
    }

    fn in_order(&self, a: &Image, b: &Image) -> bool {
        let (a, b) = if self.ascending { (a, b) } else { (b, a) };
        match self.sort {
            // The order that every server has been seen to answer in, and none promises.
            ImageSort::CreateTime => !self.ascending || a.create_time <= b.create_time,
            ImageSort::UpdateTime => a.update_time <= b.update_time,
            ImageSort::Size => a.size <= b.size,
            ImageSort::Name => a.name <= b.name,
        }
    }

    pub(super) fn bind(tree: &Tree) -> Result<Self, ParamError> {
        let statuses = tree.words("Status", MAX_LIST_ITEMS)?.unwrap_or_default();
        let status =
            |word: &String| ImageStatus::parse(word).ok_or_else(|| ParamError::not_available("Status"));
        Ok(Self {
            name: tree.filter("Name")?,
            statuses: statuses.iter().map(status).collect::<Result<_, _>>()?,
            tags: tree.words("Tag", MAX_LIST_ITEMS)?.unwrap_or_default(),
            created_from: tree.parsed("CreatedFrom")?,
            created_before: tree.parsed("CreatedBefore")?,
            size_from: tree.parsed("SizeFrom")?,
            size_below: tree.parsed("SizeBelow")?,
            sort: tree.one_of("SortCondition.Field", ImageSort::parse)?.unwrap_or_default(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_server_that_ignores_the_query_are_told() {
        let image = |name: &str, size| Image { name: name.into(), size, ..Image::default() };
        let rows = [image("PyTorch", 3), image("llm", 2), image("环境", 5)];
        let none = ImageQuery::default();
        assert!(none.is_answered_by(&rows));
        let by_size = ImageQuery { sort: ImageSort::Size, ..none.clone() };
        assert!(!by_size.is_answered_by(&rows) && by_size.is_answered_by(&rows[..2]));
        assert!(!ImageQuery { ascending: true, ..by_size }.is_answered_by(&rows[..2]));
        let named = ImageQuery { name: Some("pytorch".into()), ..none.clone() };
        assert!(named.is_answered_by(&rows[..1]) && !named.is_answered_by(&rows));
        let large = ImageQuery { size_from: Some(3), ..none };
        assert!(large.is_answered_by(&rows[..1]) && !large.is_answered_by(&rows));
    }
}
