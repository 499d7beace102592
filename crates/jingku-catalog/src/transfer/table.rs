//! A table of the schema, and the statements that copy its rows.

use std::cmp::Ordering;

use crate::database::{Cell, Database, Params, Rows, Transaction, Value};
use crate::migrations::migrate;
use crate::{CatalogError, Result};

/// Rows read and written at once.
const PAGE_ROWS: usize = 100;
/// The same for covers, which have up to about a megabyte.
const PAGE_COVERS: usize = 8;
/// Values that one statement inserts. SQLite looks up the name of each parameter among all of them: with a page of images in one
/// statement, that took three quarters of the time of a move.
const STATEMENT_VALUES: usize = 500;

pub(super) type Row = Vec<Cell>;
/// The values of a primary key; empty in a table without one, which has one row.
pub(super) type Key = Vec<Cell>;

/// A table, with its columns and the places of its primary key among them.
pub(super) struct Table {
    pub(super) name: String,
    columns: Vec<String>,
    key: Vec<usize>,
    /// Columns that have another value in a copy.
    fixed: Vec<(usize, Cell)>,
    /// Texts that are unique, besides the key.
    unique: Vec<usize>,
    /// Whether other tables refer to it.
    pub(super) is_referenced: bool,
}

/// Rows in the order of their keys; by default all.
#[derive(Clone, Debug, Default)]
pub(super) struct Range {
    /// Only these keys, which are as many as a page has rows at most.
    pub(super) only: Option<Vec<Key>>,
    /// They are after this key; `None` from the first row.
    pub(super) after: Option<Key>,
    /// The last key; `None` to the last row.
    pub(super) last: Option<Key>,
}

/// The tables of the current schema, in the order of their creation. The copy of a catalogue gets this store id.
pub(super) async fn tables(store_id: &str) -> Result<Vec<Table>> {
    let empty = Database::open_sqlite_in_memory()?;
    migrate(&empty).await?;
    let sql = "SELECT t.name, c.name, c.pk FROM sqlite_master t JOIN pragma_table_info(t.name) c
               WHERE t.type = 'table' AND t.name <> 'migrations' AND t.name NOT LIKE 'sqlite_%'
               ORDER BY t.rowid, c.cid";
    let columns = empty.query(sql, &[]).await?.all::<(String, (String, i64))>("sqlite_master")?;
    let sql = "SELECT DISTINCT f.\"table\" FROM sqlite_master t JOIN pragma_foreign_key_list(t.name) f
               WHERE t.type = 'table'";
    let referenced: Vec<String> = empty.query(sql, &[]).await?.all("sqlite_master")?;
    let sql = "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_index_list(t.name) i
               JOIN pragma_index_info(i.name) c
               WHERE t.type = 'table' AND i.\"unique\" = 1 AND i.origin <> 'pk'
                   AND c.name NOT IN (SELECT f.\"from\" FROM pragma_foreign_key_list(t.name) f)";
    let unique: Vec<(String, String)> = empty.query(sql, &[]).await?.all("sqlite_master")?;
    let mut tables: Vec<Table> = Vec::new();
    for (name, (column, key)) in columns {
        if tables.last().is_none_or(|table| table.name != name) {
            let is_referenced = referenced.contains(&name);
            let (columns, key, fixed, unique) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            tables.push(Table { name: name.clone(), columns, key, fixed, unique, is_referenced });
        }
        let table = tables.last_mut().expect("it was just added");
        let place = table.columns.len();
        if key > 0 {
            table.key.push(place);
        }
        table.fixed.extend(fixed(&name, &column, store_id).map(|cell| (place, cell)));
        if unique.iter().any(|(of, unique)| (of, unique) == (&name, &column)) {
            table.unique.push(place);
        }
        table.columns.push(column);
    }
    Ok(tables)
}

/// The value of a column in a copy, if it is not that of the original.
fn fixed(table: &str, column: &str, store_id: &str) -> Option<Cell> {
    match (table, column) {
        ("counters", "store_id") => Some(store_id.to_owned().into()),
        // No server has a lease on the copy.
        ("hosts" | "tasks", "lease_until") => Some(0.into()),
        ("tasks", "session") => Some(String::new().into()),
        _ => None,
    }
}

impl Table {
    pub(super) fn page_rows(&self) -> usize {
        if self.name == "covers" { PAGE_COVERS } else { PAGE_ROWS }
    }

    /// Whether it has a primary key. If not, it has one row.
    pub(super) fn has_key(&self) -> bool {
        !self.key.is_empty()
    }

    /// The columns of the primary key.
    pub(super) fn key_columns(&self) -> impl Iterator<Item = &str> {
        self.key.iter().map(|place| self.columns[*place].as_str())
    }

    pub(super) fn key(&self, row: &Row) -> Key {
        self.key.iter().map(|place| row[*place].clone()).collect()
    }

    /// Compares the keys of two rows, as both engines order them.
    pub(super) fn compare_keys(&self, one: &Row, other: &Row) -> Ordering {
        let cells = self.key.iter().map(|place| one[*place].cmp(&other[*place]));
        cells.fold(Ordering::Equal, Ordering::then)
    }

    /// The statement that reads the first page of a range.
    pub(super) fn select<'a>(&self, range: &'a Range) -> (String, Params<'a>) {
        let (mut params, mut conditions) = (Params::default(), Vec::new());
        if let Some(keys) = &range.only {
            let any: Vec<_> = keys.iter().map(|key| self.has(key, &mut params)).collect();
            conditions.push(format!("({})", any.join(" OR ")));
        }
        let key = self.key_columns().collect::<Vec<_>>().join(", ");
        for (operator, bound) in [(">", &range.after), ("<=", &range.last)] {
            let Some(bound) = bound.as_ref().filter(|bound| !bound.is_empty()) else { continue };
            let bound: Vec<_> = bound.iter().map(|cell| params.add(cell.clone())).collect();
            conditions.push(format!("({key}) {operator} ({})", bound.join(", ")));
        }
        let condition =
            if conditions.is_empty() { String::new() } else { format!("WHERE {}", conditions.join(" AND ")) };
        let order = if key.is_empty() { String::new() } else { format!("ORDER BY {key}") };
        let (columns, limit) = (self.columns.join(", "), self.page_rows());
        let sql = format!("SELECT {columns} FROM {} {condition} {order} LIMIT {limit}", self.name);
        (sql, params)
    }

    /// Gives rows of the original the values that they have in a copy.
    pub(super) fn fix(&self, mut rows: Vec<Row>) -> Vec<Row> {
        for row in &mut rows {
            for (place, cell) in &self.fixed {
                row[*place].clone_from(cell);
            }
        }
        rows
    }

    pub(super) async fn insert(&self, to: &mut Transaction, rows: &[Row]) -> Result<()> {
        for rows in self.statements(rows) {
            let (sql, params) = self.insertion(rows);
            to.execute(&sql, params.as_slice()).await?;
        }
        Ok(())
    }

    /// The rows that each statement inserts.
    fn statements<'a>(&self, rows: &'a [Row]) -> impl Iterator<Item = &'a [Row]> + use<'a> {
        rows.chunks((STATEMENT_VALUES / self.columns.len()).max(1))
    }

    /// Inserts rows, or replaces those with the same keys.
    pub(super) async fn put(&self, to: &mut Transaction, rows: &[Row]) -> Result<()> {
        if !self.has_key() {
            to.execute(&format!("DELETE FROM {}", self.name), &[]).await?;
            return self.insert(to, rows).await;
        }
        let changes = self.columns.iter().enumerate().filter(|(place, _)| !self.key.contains(place));
        let changes: Vec<_> = changes.map(|(_, column)| format!("{column} = excluded.{column}")).collect();
        let action = if changes.is_empty() {
            "NOTHING".to_owned()
        } else {
            format!("UPDATE SET {}", changes.join(", "))
        };
        let key: Vec<_> = self.key_columns().collect();
        for rows in self.statements(rows) {
            let (sql, params) = self.insertion(rows);
            let sql = format!("{sql} ON CONFLICT ({}) DO {action}", key.join(", "));
            to.execute(&sql, params.as_slice()).await?;
        }
        Ok(())
    }

    fn insertion<'a>(&self, rows: &'a [Row]) -> (String, Params<'a>) {
        let mut params = Params::default();
        let mut values = |row: &'a Row| {
            let places: Vec<_> = row.iter().map(|cell| params.add(borrowed(cell))).collect();
            format!("({})", places.join(", "))
        };
        let values = rows.iter().map(&mut values).collect::<Vec<_>>().join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES {values}", self.name, self.columns.join(", "));
        (sql, params)
    }

    pub(super) async fn delete(&self, to: &mut Transaction, keys: &[Key]) -> Result<()> {
        let mut params = Params::default();
        let conditions: Vec<_> = keys.iter().map(|key| self.has(key, &mut params)).collect();
        let sql = format!("DELETE FROM {} WHERE {}", self.name, conditions.join(" OR "));
        to.execute(&sql, params.as_slice()).await.map(drop)
    }

    /// Gives the unique texts of rows values that no other row has or gets.
    pub(super) async fn release(&self, to: &mut Transaction, keys: &[Key]) -> Result<()> {
        if self.unique.is_empty() {
            return Ok(());
        }
        for key in keys {
            let mut params = Params::default();
            // Names have no control characters.
            let value = params.add(format!("\u{1}{key:?}"));
            let changes: Vec<_> =
                self.unique.iter().map(|place| format!("{} = {value}", self.columns[*place])).collect();
            let condition = self.has(key, &mut params);
            let sql = format!("UPDATE {} SET {} WHERE {condition}", self.name, changes.join(", "));
            to.execute(&sql, params.as_slice()).await?;
        }
        Ok(())
    }

    /// The condition for the row of a key.
    fn has<'a>(&self, key: &'a Key, params: &mut Params<'a>) -> String {
        let equal = |(place, cell): (&usize, &'a Cell)| {
            format!("{} = {}", self.columns[*place], params.add(borrowed(cell)))
        };
        let equal: Vec<_> = self.key.iter().zip(key).map(equal).collect();
        format!("({})", equal.join(" AND "))
    }

    /// The statement that counts the rows.
    pub(super) fn counting(&self) -> String {
        format!("SELECT COUNT(*) FROM {}", self.name)
    }
}

/// The number of rows, from what [`Table::counting`] returns.
pub(super) fn counted(rows: Rows) -> Result<u64> {
    let count: i64 = rows.first("sqlite_master")?.unwrap_or_default();
    u64::try_from(count).map_err(|error| CatalogError::Damaged(error.into()))
}

fn borrowed(cell: &Cell) -> Value<'_> {
    match cell {
        Value::Null => Value::Null,
        Value::Integer(value) => Value::Integer(*value),
        Value::Text(text) => Value::Text((&**text).into()),
    }
}
