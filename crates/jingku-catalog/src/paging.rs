use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Result;
use crate::database::{Cells, Params, Read, Row};

/// Which part of a list, newest first, is wanted.
#[derive(Clone, Copy, Debug)]
pub enum Paging<'a> {
    /// `limit` rows after the first `offset`. The rows move while others come and go.
    Offset {
        /// Rows to leave out.
        offset: u32,
        /// Rows wanted at most.
        limit: u32,
    },
    /// `limit` rows after a place: none is left out or seen twice while others come and go.
    After {
        /// The place, from [`Page::next`].
        cursor: &'a Cursor,
        /// Rows wanted at most.
        limit: u32,
    },
}

impl<'a> Paging<'a> {
    /// The first `limit` rows.
    pub const fn first(limit: u32) -> Self {
        Self::Offset { offset: 0, limit }
    }

    pub(crate) const fn limit(&self) -> u32 {
        match *self {
            Self::Offset { limit, .. } | Self::After { limit, .. } => limit,
        }
    }

    pub(crate) const fn offset(&self) -> u32 {
        match *self {
            Self::Offset { offset, .. } => offset,
            Self::After { .. } => 0,
        }
    }

    /// The condition, to be put after others, that lets through what is past the cursor.
    pub(crate) fn after(self, time_column: &str, params: &mut Params<'a>) -> String {
        match self {
            Self::Offset { .. } => String::new(),
            Self::After { cursor, .. } => {
                format!(
                    " AND ({time_column}, id) < ({}, {})",
                    params.add(cursor.time),
                    params.add(&cursor.id)
                )
            }
        }
    }
}

/// Part of a list, and how long the whole list is at the same moment.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The length of the whole list, wherever the page begins.
    pub total: i64,
    /// Where the list goes on; `None` at its end.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// The page of a list without rows.
    pub(crate) const fn empty() -> Self {
        Self { items: Vec::new(), total: 0, next: None }
    }

    /// Reads a page from rows whose last column is the total, and whose other columns are all null when
    /// there is no row. The statement asks for one row more than `limit`, to know whether the list goes on.
    pub(crate) fn decode(
        rows: Vec<Row>,
        table: &'static str,
        limit: u32,
        read: impl Fn(&mut Cells) -> Read<T>,
        place: impl Fn(&T) -> (i64, &str),
    ) -> Result<Self> {
        let mut page = Self::empty();
        for row in rows {
            let (total, item) = row.decode(table, |cells| {
                let total = cells.last_integer()?;
                let item = if cells.next_is_null() { None } else { Some(read(cells)?) };
                Ok((total, item))
            })?;
            page.total = total;
            page.items.extend(item);
        }
        // Both engines return the rows in this order, but a join does not promise it.
        page.items.sort_by(|a, b| place(b).cmp(&place(a)));
        if page.items.len() > limit as usize {
            page.items.truncate(limit as usize);
            page.next = page.items.last().map(|item| {
                let (time, id) = place(item);
                Cursor { time, id: id.to_owned() }
            });
        }
        Ok(page)
    }
}

/// The place of a row in a list, newest first: its time and id.
///
/// Its text is a token without spaces. What it holds is no secret and gives no right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) time: i64,
    pub(crate) id: String,
}

/// Says that a text is no [`Cursor`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token of a page")]
pub struct InvalidCursor;

/// The first word of a token, so that a later form can be told from this one.
const FORM: &str = "1";

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(format!("{FORM} {} {}", self.time, self.id)))
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(token: &str) -> std::result::Result<Self, InvalidCursor> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidCursor)?;
        let text = str::from_utf8(&bytes).map_err(|_| InvalidCursor)?;
        // PostgreSQL takes no text with a zero byte.
        if text.contains('\0') {
            return Err(InvalidCursor);
        }
        let mut words = text.splitn(3, ' ');
        match (words.next(), words.next().and_then(|time| time.parse().ok()), words.next()) {
            (Some(FORM), Some(time), Some(id)) => Ok(Self { time, id: id.to_owned() }),
            _ => Err(InvalidCursor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_token() {
        let cursor = Cursor { time: 1_700_000_000, id: "compshareImage-1minbz219ceq".to_owned() };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", "abc", "=", "镜库", &URL_SAFE_NO_PAD.encode("2 5 a"), &URL_SAFE_NO_PAD.encode("1 5 a\0")]
        {
            assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text}");
        }
    }
}
