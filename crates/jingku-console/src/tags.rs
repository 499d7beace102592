//! Tags as people write them.

use jingku_protocol::actions::{List, MAX_TAGS, Word};

/// The tags of a text, with commas between them, also Chinese ones.
pub(crate) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '，', '、']).map(str::trim).filter(|tag| !tag.is_empty())
}

/// The tags of an image.
pub(crate) fn read(text: &str) -> List<Word, MAX_TAGS> {
    split(text).collect()
}
