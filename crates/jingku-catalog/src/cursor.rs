use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::database::{Params, Value};

/// The position of a row in a sorted list.
///
/// Its text form is a token without spaces, valid for lists in the same order. It is not secret and grants nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    format: u32,
    order: String,
    ascending: bool,
    position: Vec<Value<'static>>,
}

/// A text is not a [`Cursor`] of a list in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a page token")]
pub struct InvalidCursor;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    Integer(&'static str),
    Text(&'static str),
}

/// The order of a list: by columns that are unique together, all in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [Column],
    /// The columns in a token of [`LEGACY_FORMAT`].
    pub(crate) legacy: &'static [Column],
    pub(crate) ascending: bool,
}

impl Column {
    const fn name(self) -> &'static str {
        match self {
            Self::Integer(name) | Self::Text(name) => name,
        }
    }

    const fn holds(self, key: &Value) -> bool {
        matches!((self, key), (Self::Integer(_), Value::Integer(_)) | (Self::Text(_), Value::Text(_)))
    }
}

impl Cursor {
    /// Returns its values in the columns of its order; `None` if it has those of an old format.
    pub(crate) fn values(&self) -> Option<&[Value<'static>]> {
        (self.format == FORMAT).then_some(self.position.as_slice())
    }
}

impl Order {
    pub(crate) fn columns(&self) -> String {
        names(self.columns)
    }

    pub(crate) fn clause(&self) -> String {
        let direction = if self.ascending { "ASC" } else { "DESC" };
        let columns = self.columns.iter().map(|column| format!("{} {direction}", column.name()));
        format!("ORDER BY {}", columns.collect::<Vec<_>>().join(", "))
    }

    /// Returns the condition, to append to others, for rows after the cursor.
    pub(crate) fn after<'a>(&self, cursor: &'a Cursor, params: &mut Params<'a>) -> String {
        let past = if self.ascending { '>' } else { '<' };
        let position: Vec<_> = cursor.position.iter().map(|value| params.add(value.clone())).collect();
        format!(" AND ({}) {past} ({})", names(self.columns_of(cursor.format)), position.join(", "))
    }

    /// Returns the position of a row with these values in the columns.
    pub(crate) fn cursor(&self, position: Vec<Value<'static>>) -> Cursor {
        Cursor { format: FORMAT, order: self.name.to_owned(), ascending: self.ascending, position }
    }

    pub(crate) fn parse(&self, token: &str) -> Result<Cursor, InvalidCursor> {
        let json = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidCursor)?;
        let (format, order, ascending, position): (u32, String, bool, Vec<Value<'static>>) =
            serde_json::from_slice(&json).map_err(|_| InvalidCursor)?;
        let cursor = Cursor { format, order, ascending, position };
        let is_valid = matches!(format, FORMAT | LEGACY_FORMAT) && self.matches(&cursor);
        is_valid.then_some(cursor).ok_or(InvalidCursor)
    }

    fn matches(&self, cursor: &Cursor) -> bool {
        // PostgreSQL rejects texts with a zero byte.
        let clean = |key: &Value| !matches!(key, Value::Text(text) if text.contains('\0'));
        let columns = self.columns_of(cursor.format);
        let fits = columns.iter().zip(&cursor.position).all(|(column, key)| column.holds(key) && clean(key));
        let same = (self.name, self.ascending) == (&*cursor.order, cursor.ascending);
        same && fits && columns.len() == cursor.position.len()
    }

    fn columns_of(&self, format: u32) -> &'static [Column] {
        if format == LEGACY_FORMAT { self.legacy } else { self.columns }
    }
}

/// The version of the format, the first number of a token.
const FORMAT: u32 = 2;
/// Tokens from when lists were sorted by time, then id. They stay valid: rows of that time keep their order.
const LEGACY_FORMAT: u32 = 1;

fn names(columns: &[Column]) -> String {
    columns.iter().map(|column| column.name()).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(&(self.format, &self.order, self.ascending, &self.position));
        f.write_str(&URL_SAFE_NO_PAD.encode(json.map_err(|_| fmt::Error)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: Order = Order {
        name: "newest",
        columns: &[Column::Integer("seq")],
        legacy: &[Column::Integer("create_time"), Column::Text("id")],
        ascending: false,
    };

    #[test]
    fn a_cursor_round_trips_through_its_token() {
        let cursor = ORDER.cursor(vec![1_700.into()]);
        assert_eq!(ORDER.parse(&cursor.to_string()), Ok(cursor));
    }

    #[test]
    fn a_legacy_token_uses_the_legacy_columns() {
        let token = URL_SAFE_NO_PAD.encode(r#"[1,"newest",false,[5,"image-a"]]"#);
        let cursor = ORDER.parse(&token).unwrap();
        assert_eq!(cursor.to_string(), token);
        let mut params = Params::default();
        assert_eq!(ORDER.after(&cursor, &mut params), " AND (create_time, id) < ($1, $2)");
        let mut params = Params::default();
        let cursor = ORDER.cursor(vec![7.into()]);
        assert_eq!(ORDER.after(&cursor, &mut params), " AND (seq) < ($1)");
    }

    #[test]
    fn a_token_is_valid_for_its_order_only() {
        let token = ORDER.cursor(vec![5.into()]).to_string();
        for other in [
            Order { name: "oldest", ..ORDER },
            Order { ascending: true, ..ORDER },
            Order { columns: &[Column::Text("name")], ..ORDER },
            Order { columns: &[Column::Integer("create_time"), Column::Integer("ordinal")], ..ORDER },
        ] {
            assert_eq!(other.parse(&token), Err(InvalidCursor), "{other:?}");
        }
    }

    #[test]
    fn other_texts_are_rejected() {
        let json = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for text in [
            "",
            "abc",
            "=",
            "镜库",
            &json(r#"[2,"newest",false,[5,"a"]]"#),
            &json(r#"[3,"newest",false,[5]]"#),
            &json(r#"[2,"newest",false,[]]"#),
            &json(r#"[1,"newest",false,["5","a"]]"#),
            &json(r#"[1,"newest",false,[5,"a\u0000"]]"#),
            &json(r#"[1,"newest",false,[5]]"#),
        ] {
            assert_eq!(ORDER.parse(text), Err(InvalidCursor), "{text}");
        }
    }
}
