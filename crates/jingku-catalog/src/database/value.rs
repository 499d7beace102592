//! The values exchanged with an engine: 64-bit integers and texts, nothing else.

use crate::{AccountId, CatalogError, Result};

/// The value of `$1`, `$2`, … in a statement.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Param<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
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
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a, T: Into<Param<'a>>> From<Option<T>> for Param<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Encodes a list as JSON; [`Cells::list`] decodes it.
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

/// The rows that a statement returned. The first column is the primary key of the table named when decoding; it
/// identifies the row in errors.
#[derive(Debug)]
pub(crate) struct Rows(Vec<Vec<Cell>>);

impl Rows {
    pub(super) fn new(rows: Vec<Vec<Cell>>) -> Self {
        Self(rows)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Decodes the first row, if any. Fails with [`CatalogError::Corrupt`] if `read` rejects a value.
    pub(crate) fn first<T>(
        self,
        table: &'static str,
        read: impl Fn(&mut Cells) -> Read<T>,
    ) -> Result<Option<T>> {
        self.0.into_iter().next().map(|row| decode(row, table, &read)).transpose()
    }

    /// Decodes every row, with the errors of [`Rows::first`].
    pub(crate) fn all<T>(self, table: &'static str, read: impl Fn(&mut Cells) -> Read<T>) -> Result<Vec<T>> {
        self.0.into_iter().map(|row| decode(row, table, &read)).collect()
    }
}

fn decode<T>(row: Vec<Cell>, table: &'static str, read: impl Fn(&mut Cells) -> Read<T>) -> Result<T> {
    let key = match row.first() {
        Some(Cell::Integer(key)) => key.to_string(),
        Some(Cell::Text(key)) => key.clone(),
        Some(Cell::Null) | None => String::new(),
    };
    let mut cells = Cells { cells: row.into_iter(), column: 0 };
    read(&mut cells).map_err(|BadCell { column, problem }| CatalogError::Corrupt {
        table,
        row: key,
        problem: format!("column {column} {problem}"),
    })
}

/// Reads a row whose first column is selected only to identify it in errors.
pub(crate) fn after_key<T>(read: impl Fn(&mut Cells) -> Read<T>) -> impl Fn(&mut Cells) -> Read<T> {
    move |cells: &mut Cells| {
        cells.next();
        read(cells)
    }
}

/// The result of reading a cell.
pub(crate) type Read<T> = std::result::Result<T, BadCell>;

/// The cells of a row, read in column order.
pub(crate) struct Cells {
    cells: std::vec::IntoIter<Cell>,
    column: usize,
}

/// A column that cannot be read, and why.
#[derive(Debug)]
pub(crate) struct BadCell {
    column: usize,
    problem: String,
}

impl Cells {
    pub(crate) fn integer(&mut self) -> Read<i64> {
        self.optional_integer()?.ok_or_else(|| self.bad("is null"))
    }

    pub(crate) fn optional_integer(&mut self) -> Read<Option<i64>> {
        match self.next() {
            Cell::Null => Ok(None),
            Cell::Integer(value) => Ok(Some(value)),
            Cell::Text(_) => Err(self.bad("is a text")),
        }
    }

    /// A boolean, stored as 0 or 1.
    pub(crate) fn flag(&mut self) -> Read<bool> {
        self.integer().map(|value| value != 0)
    }

    pub(crate) fn account(&mut self) -> Read<AccountId> {
        self.integer().map(AccountId)
    }

    pub(crate) fn text(&mut self) -> Read<String> {
        self.optional_text()?.ok_or_else(|| self.bad("is null"))
    }

    pub(crate) fn optional_text(&mut self) -> Read<Option<String>> {
        match self.next() {
            Cell::Null => Ok(None),
            Cell::Text(value) => Ok(Some(value)),
            Cell::Integer(_) => Err(self.bad("is a number")),
        }
    }

    /// A list stored as JSON.
    pub(crate) fn list<T: serde::de::DeserializeOwned>(&mut self) -> Read<Vec<T>> {
        let text = self.text()?;
        if text == "[]" {
            return Ok(Vec::new());
        }
        serde_json::from_str(&text).map_err(|error| self.bad(&format!("is not a list: {error}")))
    }

    /// An enum stored as a word.
    pub(crate) fn word<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Read<T> {
        let text = self.text()?;
        parse(&text).ok_or_else(|| self.bad(&format!("is {text:?}")))
    }

    /// The number in the last column, whatever was read before.
    pub(crate) fn last_integer(&mut self) -> Read<i64> {
        match self.cells.next_back() {
            Some(Cell::Integer(value)) => Ok(value),
            _ => Err(self.bad("(the last) is not a number")),
        }
    }

    pub(crate) fn next_is_null(&self) -> bool {
        matches!(self.cells.as_slice(), [Cell::Null, ..])
    }

    fn next(&mut self) -> Cell {
        self.column += 1;
        self.cells.next().unwrap_or(Cell::Null)
    }

    fn bad(&self, problem: &str) -> BadCell {
        BadCell { column: self.column, problem: problem.to_owned() }
    }
}
