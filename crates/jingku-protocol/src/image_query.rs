use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::bounded::{Filter, Word, is_default, or_default};
use crate::image::{Image, ImageStatus};
use crate::list::List;

/// Extension: filters and order for the caller's own images. The real service has none of this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "PascalCase")]
pub struct ImageQuery {
    /// Part of the name.
    pub name: Option<Filter>,
    /// In one of these states.
    #[serde(rename = "Status", deserialize_with = "statuses")]
    pub statuses: Vec<ImageStatus>,
    /// With every one of these tags.
    #[serde(rename = "Tag")]
    pub tags: List<Word>,
    /// Unix seconds: created then or later.
    pub created_from: Option<i64>,
    /// Unix seconds: created earlier.
    pub created_before: Option<i64>,
    /// MB: this large or larger.
    pub size_from: Option<u32>,
    /// MB: smaller.
    pub size_below: Option<u32>,
    /// Absent: by time of creation.
    #[serde(
        rename = "SortCondition.Field",
        deserialize_with = "or_default",
        skip_serializing_if = "is_default"
    )]
    pub sort: ImageSort,
    /// Smallest or oldest first.
    #[serde(rename = "SortCondition.ASC", deserialize_with = "or_default")]
    pub ascending: bool,
}

/// Unlike a reply, a request cannot have an unknown status.
fn statuses<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ImageStatus>, D::Error> {
    let statuses: Vec<_> = List::<ImageStatus>::deserialize(deserializer)?.into_iter().collect();
    let unknown = statuses.contains(&ImageStatus::Unknown);
    if unknown { Err(D::Error::custom("no such status")) } else { Ok(statuses) }
}

/// What images can be sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ImageSort {
    /// When it was created.
    #[default]
    CreateTime,
    /// When it was last changed.
    UpdateTime,
    /// Its size.
    Size,
    /// Its name, by code point.
    Name,
}

impl ImageQuery {
    /// Whether these rows can come from a server that knows this extension. Another one answers with all images in its
    /// own order.
    pub fn is_answered_by(&self, images: &[Image]) -> bool {
        images.iter().all(|image| self.matches(image)) && images.is_sorted_by(|a, b| self.in_order(a, b))
    }

    fn matches(&self, image: &Image) -> bool {
        // The server also matches full-width letters, which this simple comparison cannot.
        let name = self.name.as_ref().filter(|name| name.is_ascii());
        name.is_none_or(|name| image.name.to_ascii_lowercase().contains(&name.to_ascii_lowercase()))
            && (self.statuses.is_empty() || self.statuses.contains(&image.status))
            && self.tags.iter().all(|tag| image.tags.iter().any(|of_image| **tag == **of_image))
            && self.created_from.is_none_or(|from| image.create_time >= from)
            && self.created_before.is_none_or(|before| image.create_time < before)
            && self.size_from.is_none_or(|from| image.size >= from.into())
            && self.size_below.is_none_or(|below| image.size < below.into())
    }

    fn in_order(&self, a: &Image, b: &Image) -> bool {
        let (a, b) = if self.ascending { (a, b) } else { (b, a) };
        match self.sort {
            // Every known server answers in this order; none promises it.
            ImageSort::CreateTime => !self.ascending || a.create_time <= b.create_time,
            ImageSort::UpdateTime => a.update_time <= b.update_time,
            ImageSort::Size => a.size <= b.size,
            ImageSort::Name => a.name <= b.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_from_a_server_that_ignores_the_query_are_detected() {
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
