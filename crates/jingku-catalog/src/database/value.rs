//! The values exchanged with an engine: 64-bit integers and texts, nothing else.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::AccountId;

/// A parameter of a statement, or a value in a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Value<'a> {
    Null,
    Integer(i64),
    Text(Cow<'a, str>),
}

pub(crate) type Cell = Value<'static>;

impl Value<'_> {
    pub(super) fn to_static(&self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(value) => Value::Integer(*value),
            Self::Text(text) => text.clone().into_owned().into(),
        }
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Integer(value.into())
    }
}

impl From<AccountId> for Value<'_> {
    fn from(id: AccountId) -> Self {
        Self::Integer(id.0)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value.into())
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::Text(value.into())
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

pub(crate) fn json_list<T: serde::Serialize>(list: &[T]) -> String {
    serde_json::to_string(list).expect("numbers and texts have a JSON form")
}

/// The parameters of a generated statement.
#[derive(Default)]
pub(crate) struct Params<'a>(Vec<Value<'a>>);

impl<'a> Params<'a> {
    /// Adds a value and returns its placeholder.
    pub(crate) fn add(&mut self, value: impl Into<Value<'a>>) -> String {
        self.0.push(value.into());
        format!("${}", self.0.len())
    }

    /// Adds values and returns what is between the parentheses of IN: their placeholders or, without values, NULL, which
    /// nothing is equal to.
    pub(crate) fn add_all<T: Into<Value<'a>> + Copy>(&mut self, values: &[T]) -> String {
        if values.is_empty() {
            return "NULL".to_owned();
        }
        values.iter().map(|value| self.add(*value)).collect::<Vec<_>>().join(", ")
    }

    /// Does the same for up to some hundred values, and repeats the last of them up to one of few lengths: a statement for
    /// each number of values would fill the caches of prepared statements.
    pub(crate) fn add_several<T: Into<Value<'a>> + Copy>(&mut self, values: &[T]) -> String {
        const LENGTHS: [usize; 4] = [1, 8, 32, 128];
        let Some(last) = values.last() else { return self.add_all(values) };
        let length = LENGTHS.into_iter().find(|length| *length >= values.len()).unwrap_or(values.len());
        let padding = std::iter::repeat_n(*last, length - values.len());
        self.add_all(&values.iter().copied().chain(padding).collect::<Vec<_>>())
    }

    pub(crate) fn as_slice(&self) -> &[Value<'a>] {
        &self.0
    }
}
