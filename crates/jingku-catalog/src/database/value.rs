//! The values exchanged with an engine: 64-bit integers and texts, nothing else.

use std::borrow::Cow;

use crate::AccountId;

/// The value of `$1`, `$2`, … in a statement.
#[derive(Clone, Debug)]
pub(crate) enum Param<'a> {
    Null,
    Integer(i64),
    Text(Cow<'a, str>),
}

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for Param<'_> {
    fn from(value: bool) -> Self {
        Self::Integer(value.into())
    }
}

impl From<AccountId> for Param<'_> {
    fn from(id: AccountId) -> Self {
        Self::Integer(id.0)
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value.into())
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for Param<'_> {
    fn from(value: String) -> Self {
        Self::Text(value.into())
    }
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Encodes a list as JSON.
pub(crate) fn json_list<T: serde::Serialize>(list: &[T]) -> String {
    serde_json::to_string(list).expect("numbers and texts have a JSON form")
}

/// The parameters of a generated statement.
#[derive(Default)]
pub(crate) struct Params<'a>(Vec<Param<'a>>);

impl<'a> Params<'a> {
    /// Adds a value and returns its placeholder.
    pub(crate) fn add(&mut self, value: impl Into<Param<'a>>) -> String {
        self.0.push(value.into());
        format!("${}", self.0.len())
    }

    /// Adds values and returns their placeholders, separated by commas.
    pub(crate) fn add_all<T: Into<Param<'a>> + Copy>(&mut self, values: &[T]) -> String {
        values.iter().map(|value| self.add(*value)).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn as_slice(&self) -> &[Param<'a>] {
        &self.0
    }
}

/// A value in a row.
#[derive(Debug)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Text(String),
}
