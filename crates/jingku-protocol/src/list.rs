//! Lists of bounded length.

use std::ops::Deref;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// The most entries in a list of GPU models, applications or ports. Ours.
pub(crate) const MAX_LIST_ITEMS: usize = 32;

/// At most `MAX` items. `From` does not check the bound; the server does when it reads the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct List<T, const MAX: usize = MAX_LIST_ITEMS>(Vec<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let items = Vec::deserialize(deserializer)?;
        if items.len() <= MAX { Ok(Self(items)) } else { Err(D::Error::custom("too many items")) }
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema, const MAX: usize> schemars::JsonSchema for List<T, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("List_{}_{MAX}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "array", "items": generator.subschema_for::<T>(), "maxItems": MAX })
    }
}

impl<T, const MAX: usize> Deref for List<T, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T, U: Into<T>, const MAX: usize> FromIterator<U> for List<T, MAX> {
    fn from_iter<I: IntoIterator<Item = U>>(items: I) -> Self {
        Self(items.into_iter().map(Into::into).collect())
    }
}

impl<T, U: Into<T>, const MAX: usize> From<Vec<U>> for List<T, MAX> {
    fn from(items: Vec<U>) -> Self {
        items.into_iter().collect()
    }
}

impl<T, U: Into<T>, const MAX: usize, const N: usize> From<[U; N]> for List<T, MAX> {
    fn from(items: [U; N]) -> Self {
        items.into_iter().collect()
    }
}

impl<T, const MAX: usize> IntoIterator for List<T, MAX> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// Reads a list and keeps each item once.
pub(crate) fn without_repeats<'de, D, T, const MAX: usize>(deserializer: D) -> Result<List<T, MAX>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + PartialEq,
{
    let mut kept = Vec::new();
    for item in List::<T, MAX>::deserialize(deserializer)? {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    Ok(List(kept))
}
