use std::cmp::Ordering;

use crate::Result;
use crate::cursor::{Cursor, Order, SortValue};
use crate::database::{Cells, Params, Read, Row};

/// Which part of a list is wanted.
#[derive(Clone, Copy, Debug)]
pub enum Paging<'a> {
    /// `limit` rows after the first `offset`. The rows move while others come and go.
    Offset {
        /// Rows to leave out.
        offset: u32,
        /// Rows wanted at most.
        limit: u32,
    },
    /// `limit` rows after a position: none is left out or seen twice while others come and go.
    After {
        /// The position, from [`Page::next`].
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
    pub(crate) fn after(self, order: &Order, params: &mut Params<'a>) -> String {
        match self {
            Self::Offset { .. } => String::new(),
            Self::After { cursor, .. } => order.after(cursor, params),
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
        sorting: &Sorting<T>,
        read: impl Fn(&mut Cells) -> Read<T>,
    ) -> Result<Self> {
        let mut page = Self::read(rows, table, read)?;
        // Both engines return the rows in this order, but a join does not promise it.
        page.items.sort_by(|a, b| sorting.compare(a, b));
        Ok(page.cut(limit, |item| sorting.order.cursor((sorting.position)(item))))
    }

    /// Reads a page as [`Page::decode`] does, from rows that the statement has put in order itself.
    pub(crate) fn decode_sorted(
        rows: Vec<Row>,
        table: &'static str,
        limit: u32,
        order: &Order,
        read: impl Fn(&mut Cells) -> Read<T>,
        position: impl Fn(&T) -> Vec<SortValue>,
    ) -> Result<Self> {
        Ok(Self::read(rows, table, read)?.cut(limit, |item| order.cursor(position(item))))
    }

    fn read(rows: Vec<Row>, table: &'static str, read: impl Fn(&mut Cells) -> Read<T>) -> Result<Self> {
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
        Ok(page)
    }

    /// Leaves out the row that only told that the list goes on.
    fn cut(mut self, limit: u32, cursor: impl Fn(&T) -> Cursor) -> Self {
        if self.items.len() > limit as usize {
            self.items.truncate(limit as usize);
            self.next = self.items.last().map(cursor);
        }
        self
    }
}

/// How rows of a kind are sorted.
pub(crate) struct Sorting<T> {
    pub(crate) order: Order,
    /// Compares two rows by the columns of the order, ascending.
    pub(crate) compare: fn(&T, &T) -> Ordering,
    /// The values of a row in these columns.
    pub(crate) position: fn(&T) -> Vec<SortValue>,
}

impl<T> Sorting<T> {
    fn compare(&self, a: &T, b: &T) -> Ordering {
        if self.order.ascending { (self.compare)(a, b) } else { (self.compare)(b, a) }
    }
}
