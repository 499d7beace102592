use crate::Result;
use crate::cursor::{Cursor, Order};
use crate::database::{Params, Row, Rows, Value};

/// A part of a list.
#[derive(Clone, Copy, Debug)]
pub enum Paging<'a> {
    /// `limit` rows after the first `offset`. Rows shift while others are added and removed.
    Offset {
        /// Rows to skip.
        offset: u32,
        /// The most rows to return.
        limit: u32,
    },
    /// `limit` rows after a position: no row is skipped or repeated while others are added and removed.
    After {
        /// The position, from [`Page::next`].
        cursor: &'a Cursor,
        /// The most rows to return.
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

    /// Returns the condition, to append to others, for rows after the cursor.
    pub(crate) fn after(self, order: &Order, params: &mut Params<'a>) -> String {
        match self {
            Self::Offset { .. } => String::new(),
            Self::After { cursor, .. } => order.after(cursor, params),
        }
    }

    /// Returns the clauses that sort and cut the page, plus one row that shows whether the list continues.
    pub(crate) fn window(self, order: &Order, params: &mut Params<'a>) -> String {
        let limit = params.add(i64::from(self.limit()) + 1);
        let offset = params.add(i64::from(self.offset()));
        format!("{} LIMIT {limit} OFFSET {offset}", order.clause())
    }
}

/// A part of a list, and the length of the whole list at the same moment.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// The length of the whole list.
    pub total: i64,
    /// Where the list continues; `None` at its end.
    pub next: Option<Cursor>,
}

impl Rows {
    /// Decodes a page whose statement uses [`Paging::window`]. The last column is the total; all others are null if
    /// there are no rows. `position` returns the values of a row in the columns of the order.
    pub(crate) fn page<T: Row>(
        self,
        table: &'static str,
        limit: u32,
        order: &Order,
        position: impl Fn(&T) -> Vec<Value<'static>>,
    ) -> Result<Page<T>> {
        let rows = self.all_with(table, |cells| Ok((cells.last_integer()?, cells.nullable()?)))?;
        let total = rows.last().map_or(0, |(total, _)| *total);
        let mut items: Vec<T> = rows.into_iter().filter_map(|(_, item)| item).collect();
        // Both engines return the rows in this order, but a join does not guarantee it.
        items.sort_by_cached_key(&position);
        if !order.ascending {
            items.reverse();
        }
        // The row beyond the limit shows that the list continues.
        let continues = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| continues).map(|item| order.cursor(position(item)));
        Ok(Page { items, total, next })
    }
}
