//! Decodes rows: one value from a column, or a type from several.

use super::value::Cell;
use crate::{AccountId, CatalogError, Result};

/// A value of one column.
pub(crate) trait FromCell: Sized {
    /// Returns the value, or what is wrong with the cell.
    fn from_cell(cell: Cell) -> std::result::Result<Self, String>;
}

/// A value of one or more columns.
pub(crate) trait Row: Sized {
    fn read(cells: &mut Cells) -> Read<Self>;
}

pub(crate) type Read<T> = std::result::Result<T, BadCell>;

#[derive(Debug)]
pub(crate) struct BadCell {
    column: usize,
    problem: String,
}

/// Defines a comparable [`Row`] whose fields are columns, and `COLUMNS`, their list for a SELECT. A field without a column
/// is read from the columns that the statement selects in its place.
macro_rules! row {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident {
            $($(#[$doc:meta])* $field_visibility:vis $field:ident: $type:ty $(= $column:literal)?,)+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        $visibility struct $name {
            $($(#[$doc])* $field_visibility $field: $type,)+
        }

        impl $name {
            pub(crate) const COLUMNS: &'static str = $crate::database::columns!($($($column,)?)+);
            /// The number of its columns.
            #[allow(dead_code, reason = "few rows are read with `Cells::nullable_columns`")]
            pub(crate) const WIDTH: usize = [$($($column,)?)+].len();
        }

        impl $crate::database::Row for $name {
            fn read(cells: &mut $crate::database::Cells) -> $crate::database::Read<Self> {
                Ok(Self { $($field: $crate::database::Row::read(cells)?,)+ })
            }
        }
    };
}
pub(crate) use row;

macro_rules! columns {
    ($first:literal, $($other:literal,)*) => { concat!($first $(, ", ", $other)*) };
}
pub(crate) use columns;

impl<T: FromCell> Row for T {
    fn read(cells: &mut Cells) -> Read<Self> {
        T::from_cell(cells.next()).map_err(|problem| BadCell { column: cells.column, problem })
    }
}

macro_rules! tuple {
    ($($value:ident)+) => {
        impl<$($value: Row),+> Row for ($($value,)+) {
            fn read(cells: &mut Cells) -> Read<Self> {
                Ok(($($value::read(cells)?,)+))
            }
        }
    };
}
tuple!(A B);
tuple!(A B C);
tuple!(A B C D);
tuple!(A B C D E);
tuple!(A B C D E F);

/// The rows that a statement returned. The first column is the primary key of the table named when decoding; it
/// identifies the row in errors.
#[derive(Debug)]
pub(crate) struct Rows(pub(super) Vec<Vec<Cell>>);

impl Rows {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values as they are.
    pub(crate) fn into_cells(self) -> Vec<Vec<Cell>> {
        self.0
    }

    /// Decodes the first row, if any. Fails with [`CatalogError::Corrupt`] if a column has a wrong value.
    pub(crate) fn first<T: Row>(self, table: &'static str) -> Result<Option<T>> {
        self.first_with(table, T::read)
    }

    /// Decodes the first row without its first column, which was selected only to identify it in errors.
    pub(crate) fn first_after_key<T: Row>(self, table: &'static str) -> Result<Option<T>> {
        self.first_with(table, |cells| {
            cells.next();
            T::read(cells)
        })
    }

    pub(crate) fn first_with<T>(
        self,
        table: &'static str,
        read: impl Fn(&mut Cells) -> Read<T>,
    ) -> Result<Option<T>> {
        self.0.into_iter().next().map(|row| decode(row, table, &read)).transpose()
    }

    /// Decodes every row, with the errors of [`Rows::first`].
    pub(crate) fn all<T: Row>(self, table: &'static str) -> Result<Vec<T>> {
        self.all_with(table, T::read)
    }

    pub(crate) fn all_with<T>(
        self,
        table: &'static str,
        read: impl Fn(&mut Cells) -> Read<T>,
    ) -> Result<Vec<T>> {
        self.0.into_iter().map(|row| decode(row, table, &read)).collect()
    }
}

fn decode<T>(row: Vec<Cell>, table: &'static str, read: impl Fn(&mut Cells) -> Read<T>) -> Result<T> {
    let key = match row.first() {
        Some(Cell::Integer(key)) => key.to_string(),
        Some(Cell::Text(key)) => key.to_string(),
        Some(Cell::Null) | None => String::new(),
    };
    let mut cells = Cells { cells: row.into_iter(), column: 0 };
    read(&mut cells).map_err(|BadCell { column, problem }| CatalogError::Corrupt {
        table,
        row: key,
        problem: format!("column {column} {problem}"),
    })
}

/// The cells of a row, read in column order.
pub(crate) struct Cells {
    cells: std::vec::IntoIter<Cell>,
    column: usize,
}

impl Cells {
    /// The number in the last column, whatever was read before.
    pub(crate) fn last_integer(&mut self) -> Read<i64> {
        match self.cells.next_back() {
            Some(Cell::Integer(value)) => Ok(value),
            _ => Err(BadCell { column: self.column, problem: "(the last) is not a number".to_owned() }),
        }
    }

    /// Reads a value whose columns are all null if there is none. Its first column is never null otherwise. No other value
    /// can be read after it.
    pub(crate) fn nullable<T: Row>(&mut self) -> Read<Option<T>> {
        if matches!(self.cells.as_slice(), [Cell::Null, ..]) { Ok(None) } else { T::read(self).map(Some) }
    }

    /// Like [`Cells::nullable`], for a value of so many columns that others follow.
    pub(crate) fn nullable_columns<T: Row>(&mut self, width: usize) -> Read<Option<T>> {
        let value = self.nullable()?;
        if value.is_none() {
            for _ in 0..width {
                self.next();
            }
        }
        Ok(value)
    }

    fn next(&mut self) -> Cell {
        self.column += 1;
        self.cells.next().unwrap_or(Cell::Null)
    }
}

impl FromCell for i64 {
    fn from_cell(cell: Cell) -> std::result::Result<Self, String> {
        match cell {
            Cell::Integer(value) => Ok(value),
            Cell::Null => Err("is null".to_owned()),
            Cell::Text(_) => Err("is a text".to_owned()),
        }
    }
}

impl FromCell for String {
    fn from_cell(cell: Cell) -> std::result::Result<Self, String> {
        match cell {
            Cell::Text(value) => Ok(value.into_owned()),
            Cell::Null => Err("is null".to_owned()),
            Cell::Integer(_) => Err("is a number".to_owned()),
        }
    }
}

/// Stored as 0 or 1.
impl FromCell for bool {
    fn from_cell(cell: Cell) -> std::result::Result<Self, String> {
        i64::from_cell(cell).map(|value| value != 0)
    }
}

impl FromCell for AccountId {
    fn from_cell(cell: Cell) -> std::result::Result<Self, String> {
        i64::from_cell(cell).map(AccountId)
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: Cell) -> std::result::Result<Self, String> {
        if matches!(cell, Cell::Null) { Ok(None) } else { T::from_cell(cell).map(Some) }
    }
}

/// Stored as JSON, by [`json_list`](super::json_list).
impl<T: serde::de::DeserializeOwned> FromCell for Vec<T> {
    fn from_cell(cell: Cell) -> std::result::Result<Self, String> {
        let text = String::from_cell(cell)?;
        if text == "[]" {
            return Ok(Vec::new());
        }
        serde_json::from_str(&text).map_err(|error| format!("is not a list: {error}"))
    }
}
