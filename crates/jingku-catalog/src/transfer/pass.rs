//! One pass of a copy: makes the rows of a target those of a snapshot of the source, and writes only those that differ.
//!
//! 1. Tables in reverse order, so that a row is removed before those that it refers to: rows that the source does not
//!    have are removed, and rows that differ are removed or release their unique texts. Ranges with differences are noted.
//! 2. Tables in order, only these ranges: missing and different rows are written.
//!
//! Each transaction of the target is of a bounded size. A pass that was interrupted leaves rows that differ, which the next
//! one writes.

use std::collections::VecDeque;
use std::mem::take;

use super::table::{Key, Range, Row, Table};
use crate::database::{Cell, Database, Transaction};
use crate::{CatalogError, Result};

/// The most rows written in one transaction: each waits for the disk.
const TRANSACTION_ROWS_MAX: usize = 1000;
/// A transaction ends when its rows have so many bytes of texts.
const TRANSACTION_BYTES: usize = 4 << 20;

/// A pass that runs.
pub(super) struct Pass<'a> {
    pub(super) tables: &'a [Table],
    pub(super) source: &'a mut Transaction,
    pub(super) target: &'a Database,
    /// Called with the number of rows after each transaction.
    pub(super) watch: &'a (dyn Fn(u64) + Sync),
}

/// The ranges of a table in which rows differed.
pub(super) struct Differences<'a> {
    table: &'a Table,
    ranges: Vec<Range>,
}

impl<'a> Pass<'a> {
    /// Returns the number of written rows, and where.
    pub(super) async fn run(&mut self) -> Result<(u64, Vec<Differences<'a>>)> {
        let mut found = Vec::new();
        for table in self.tables.iter().rev() {
            found.push(Differences { table, ranges: self.clear(table, &Range::default()).await? });
        }
        self.fill_all(found).await
    }

    /// The same, with only these keys of tables by their places. All other rows are equal.
    pub(super) async fn run_on(&mut self, keys: &[(usize, Vec<Key>)]) -> Result<(u64, Vec<Differences<'a>>)> {
        let mut found = Vec::new();
        for (table, keys) in keys.iter().rev() {
            let (table, mut ranges) = (&self.tables[*table], Vec::new());
            for keys in keys.chunks(table.page_rows()) {
                // The row of a table without a key has no condition.
                let only = table.has_key().then(|| keys.to_vec());
                ranges.extend(self.clear(table, &Range { only, ..Range::default() }).await?);
            }
            found.push(Differences { table, ranges });
        }
        self.fill_all(found).await
    }

    /// Writes the rows of what was found in reverse order of the tables.
    async fn fill_all(&mut self, mut found: Vec<Differences<'a>>) -> Result<(u64, Vec<Differences<'a>>)> {
        found.reverse();
        let mut written = 0;
        for Differences { table, ranges } in &found {
            for range in ranges {
                written += self.fill(table, range).await?;
            }
        }
        Ok((written, found))
    }

    /// Compares the rows that were written. All others were equal before.
    pub(super) async fn verify(&mut self, written: &[Differences<'_>]) -> Result<()> {
        for Differences { table, ranges } in written {
            for range in ranges {
                let mut walk = Walk::new(table, range);
                while let Some(pair) = walk.next(self.source, self.target).await? {
                    if pair.source != pair.target {
                        let why = format!("a row of {} changed while it was copied", table.name);
                        return Err(CatalogError::Damaged(why.into()));
                    }
                }
            }
        }
        Ok(())
    }

    /// Removes what is in the way of rows within a range, and returns where rows differ.
    async fn clear(&mut self, table: &Table, within: &Range) -> Result<Vec<Range>> {
        let mut walk = Walk::new(table, within);
        let mut ranges: Vec<Range> = Vec::new();
        let (mut before, mut equal) = (None, 0);
        let (mut removed, mut released) = (Vec::new(), Vec::new());
        while let Some(pair) = walk.next(self.source, self.target).await? {
            let key = pair.key(table);
            if pair.source == pair.target {
                equal += 1;
                before = Some(key);
                continue;
            }
            match ranges.last_mut().filter(|_| equal < table.page_rows()) {
                _ if within.only.is_some() => ranges = vec![within.clone()],
                Some(range) => range.last = Some(key.clone()),
                None => ranges.push(Range { after: before.clone(), last: Some(key.clone()), only: None }),
            }
            equal = 0;
            before = Some(key.clone());
            if pair.target.is_none() {
                if walk.target.has_ended() && within.only.is_none() {
                    // All the rest is missing.
                    ranges.last_mut().expect("it was just added").last = None;
                    break;
                }
            } else if pair.source.is_some() && table.is_referenced {
                released.push(key);
            } else if table.has_key() {
                removed.push(key);
            }
            if removed.len() + released.len() >= table.page_rows() {
                self.give_way(table, &take(&mut removed), &take(&mut released)).await?;
            }
        }
        self.give_way(table, &removed, &released).await?;
        Ok(ranges)
    }

    /// Removes rows of the target, and lets others release their unique texts.
    async fn give_way(&self, table: &Table, removed: &[Key], released: &[Key]) -> Result<()> {
        if removed.is_empty() && released.is_empty() {
            return Ok(());
        }
        let change = |mut target: Transaction| async move {
            if !removed.is_empty() {
                table.delete(&mut target, removed).await?;
            }
            table.release(&mut target, released).await?;
            target.commit(()).await
        };
        self.target.write(change).await
    }

    async fn fill(&mut self, table: &Table, range: &Range) -> Result<u64> {
        let mut walk = Walk::new(table, range);
        let (mut written, mut bytes, mut rows) = (0, 0, Vec::new());
        while let Some(pair) = walk.next(self.source, self.target).await? {
            let Some(row) = pair.source.filter(|row| pair.target.as_ref() != Some(row)) else { continue };
            bytes += text_bytes(&row);
            rows.push(row);
            if rows.len() >= TRANSACTION_ROWS_MAX || bytes >= TRANSACTION_BYTES {
                written += self.put(table, &take(&mut rows)).await?;
                bytes = 0;
            }
        }
        Ok(written + self.put(table, &rows).await?)
    }

    async fn put(&self, table: &Table, rows: &[Row]) -> Result<u64> {
        if rows.is_empty() {
            return Ok(0);
        }
        let change = |mut target: Transaction| async move {
            for page in rows.chunks(table.page_rows()) {
                table.put(&mut target, page).await?;
            }
            target.commit(()).await
        };
        self.target.write(change).await?;
        (self.watch)(rows.len() as u64);
        Ok(rows.len() as u64)
    }
}

fn text_bytes(row: &Row) -> usize {
    row.iter().map(|cell| if let Cell::Text(text) = cell { text.len() } else { 0 }).sum()
}

/// Reads the rows of a range from both sides, in the order of their keys.
struct Walk<'a> {
    table: &'a Table,
    source: Side,
    target: Side,
}

/// Rows with the same key.
struct Pair {
    source: Option<Row>,
    target: Option<Row>,
}

impl Pair {
    fn key(&self, table: &Table) -> Key {
        let row = self.source.as_ref().or(self.target.as_ref());
        table.key(row.expect("a pair has at least one row"))
    }
}

/// The rows of one side.
struct Side {
    page: VecDeque<Row>,
    /// What was not read yet.
    rest: Option<Range>,
}

impl Side {
    fn new(range: &Range) -> Self {
        Self { page: VecDeque::new(), rest: Some(range.clone()) }
    }

    /// The range whose first page must be read next.
    fn wanted(&self) -> Option<&Range> {
        self.rest.as_ref().filter(|_| self.page.is_empty())
    }

    fn add(&mut self, table: &Table, rows: Vec<Row>) {
        let is_last = rows.len() < table.page_rows() || !table.has_key();
        let last = rows.last().map(|row| table.key(row)).filter(|_| !is_last);
        self.rest = self.rest.take().zip(last).map(|(rest, last)| Range { after: Some(last), ..rest });
        self.page = rows.into();
    }

    fn has_ended(&self) -> bool {
        self.page.is_empty() && self.rest.is_none()
    }
}

impl<'a> Walk<'a> {
    fn new(table: &'a Table, range: &Range) -> Self {
        Self { table, source: Side::new(range), target: Side::new(range) }
    }

    async fn next(&mut self, source: &mut Transaction, target: &Database) -> Result<Option<Pair>> {
        let table = self.table;
        if let Some(range) = self.source.wanted() {
            let (sql, params) = table.select(range);
            let rows = source.query(&sql, params.as_slice()).await?.into_cells();
            self.source.add(table, table.fix(rows));
        }
        if let Some(range) = self.target.wanted() {
            let (sql, params) = table.select(range);
            let rows = target.query(&sql, params.as_slice()).await?.into_cells();
            self.target.add(table, rows);
        }
        let (of_source, of_target) = match (self.source.page.front(), self.target.page.front()) {
            (None, None) => return Ok(None),
            (Some(source), Some(target)) => {
                let order = table.compare_keys(source, target);
                (order.is_le(), order.is_ge())
            }
            (source, target) => (source.is_some(), target.is_some()),
        };
        let take = |side: &mut Side, is_first: bool| is_first.then(|| side.page.pop_front()).flatten();
        let (source, target) = (take(&mut self.source, of_source), take(&mut self.target, of_target));
        Ok(Some(Pair { source, target }))
    }
}
