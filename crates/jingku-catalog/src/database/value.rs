//! The values that travel between the catalogue and an engine: 64-bit integers and texts, nothing else.

use crate::{CatalogError, Result};

/// A value handed to a statement, for `$1`, `$2`, … in order.
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

/// The form in which a list is kept; [`Cells::list`] reads it.
pub(crate) fn json_list<T: serde::Serialize>(list: &[T]) -> String {
    serde_json::to_string(list).expect("numbers and texts have a JSON form")
}

/// The parameters of a statement whose text is put together.
#[derive(Default)]
pub(crate) struct Params<'a>(Vec<Param<'a>>);

impl<'a> Params<'a> {
    /// Adds a value and returns how the statement names it.
    pub(crate) fn add(&mut self, value: impl Into<Param<'a>>) -> String {
        self.0.push(value.into());
        format!("${}", self.0.len())
    }

    /// Adds values and returns how the statement names them, with commas between.
    pub(crate) fn add_all(&mut self, values: &[&'a str]) -> String {
        values.iter().map(|value| self.add(*value)).collect::<Vec<_>>().join(", ")
    }

    pub(crate) fn as_slice(&self) -> &[Param<'a>] {
        &self.0
    }
}

/// A value that came back.
#[derive(Debug)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Text(String),
}

/// One row that came back.
#[derive(Debug)]
pub(crate) struct Row(Vec<Cell>);

impl Row {
    pub(crate) fn new(cells: Vec<Cell>) -> Self {
        Self(cells)
    }

    /// Reads the row in the order of its columns, of which the first is the primary key of `table`.
    ///
    /// Fails with [`CatalogError::Corrupt`] on a value that `read` cannot take.
    pub(crate) fn decode<T>(
        self,
        table: &'static str,
        read: impl FnOnce(&mut Cells) -> Read<T>,
    ) -> Result<T> {
        let key = match self.0.first() {
            Some(Cell::Integer(key)) => key.to_string(),
            Some(Cell::Text(key)) => key.clone(),
            Some(Cell::Null) | None => String::new(),
        };
        let mut cells = Cells { cells: self.0.into_iter(), column: 0 };
        read(&mut cells).map_err(|BadCell { column, problem }| CatalogError::Corrupt {
            table,
            row: key,
            problem: format!("column {column} {problem}"),
        })
    }
}

/// What reading a cell returns.
pub(crate) type Read<T> = std::result::Result<T, BadCell>;

/// The cells of a row, taken one by one.
pub(crate) struct Cells {
    cells: std::vec::IntoIter<Cell>,
    column: usize,
}

/// Says which column of a row cannot be read and why.
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

    /// A list kept as JSON.
    pub(crate) fn list<T: serde::de::DeserializeOwned>(&mut self) -> Read<Vec<T>> {
        let text = self.text()?;
        if text == "[]" {
            return Ok(Vec::new());
        }
        serde_json::from_str(&text).map_err(|error| self.bad(&format!("is no list: {error}")))
    }

    /// One of the words of an enum.
    pub(crate) fn word<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Read<T> {
        let text = self.text()?;
        parse(&text).ok_or_else(|| self.bad(&format!("is {text:?}")))
    }

    /// The number in the last column, taken from the back.
    pub(crate) fn last_integer(&mut self) -> Read<i64> {
        match self.cells.next_back() {
            Some(Cell::Integer(value)) => Ok(value),
            _ => Err(self.bad("(the last) is no number")),
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
