//! Copies all rows of a catalogue to another one, of either engine.

use crate::database::{Cell, Database, Transaction, Value};
use crate::migrations::{migrate, require_current};
use crate::{Catalog, CatalogError, Result};

/// Rows read and written at once. A row with a cover has up to about a megabyte.
const BATCH_ROWS: usize = 100;

/// A table, with its columns and the places of its primary key among them.
struct Table {
    name: String,
    columns: Vec<String>,
    key: Vec<usize>,
}

type Row = Vec<Cell>;

impl Catalog {
    /// Replaces all rows of `to` by those of this catalogue, and sets its store id. Returns the number of rows.
    ///
    /// The rows are those of one moment. They are read again from `to` and compared before its transaction commits, so `to`
    /// has either all of them or what it had before. Revisions that accounts of `to` have had get no other meaning.
    pub async fn copy_to(&self, to: &Self, store_id: &str) -> Result<u64> {
        let tables = tables().await?;
        let (tables, from) = (&tables, &self.database);
        let change = |mut target: Transaction| async move {
            target.lock_schema().await?;
            require_current(&mut target).await?;
            let mut source = from.begin_snapshot().await?;
            require_current(&mut source).await?;
            let newest = "SELECT COALESCE(MAX(revision), 0) FROM accounts";
            let newest: i64 = target.query(newest, &[]).await?.first("accounts")?.unwrap_or_default();
            // A row is inserted after those that it refers to, and removed before them.
            for table in tables.iter().rev() {
                target.execute(&format!("DELETE FROM {}", table.name), &[]).await?;
            }
            let mut count = 0;
            for table in tables {
                let mut last = None;
                while let Some(rows) = table.read(&mut source, last.as_deref()).await? {
                    table.insert(&mut target, &rows).await?;
                    count += rows.len() as u64;
                    last = table.after(rows);
                    if last.is_none() {
                        break;
                    }
                }
            }
            for table in tables {
                table.compare(&mut source, &mut target).await?;
            }
            source.discard(()).await?;
            if newest > 0 {
                let sql = "UPDATE accounts SET revision = revision + $1 + 1";
                target.execute(sql, &[newest.into()]).await?;
            }
            // No server has a lease on the copy.
            target.execute("UPDATE hosts SET lease_until = 0", &[]).await?;
            target.execute("UPDATE tasks SET session = '', lease_until = 0", &[]).await?;
            target.execute("UPDATE counters SET store_id = $1", &[store_id.into()]).await?;
            target.commit(count).await
        };
        to.database.write(change).await
    }
}

/// The tables of the current schema, in the order of their creation.
async fn tables() -> Result<Vec<Table>> {
    let empty = Database::open_sqlite_in_memory()?;
    migrate(&empty).await?;
    let sql = "SELECT t.name, c.name, c.pk FROM sqlite_master t JOIN pragma_table_info(t.name) c
               WHERE t.type = 'table' AND t.name <> 'migrations' AND t.name NOT LIKE 'sqlite_%'
               ORDER BY t.rowid, c.cid";
    let mut tables: Vec<Table> = Vec::new();
    for (name, (column, key)) in
        empty.query(sql, &[]).await?.all::<(String, (String, i64))>("sqlite_master")?
    {
        if tables.last().is_none_or(|table| table.name != name) {
            tables.push(Table { name, columns: Vec::new(), key: Vec::new() });
        }
        let table = tables.last_mut().expect("it was just added");
        if key > 0 {
            table.key.push(table.columns.len());
        }
        table.columns.push(column);
    }
    Ok(tables)
}

impl Table {
    /// Reads the rows after a key, in its order; `None` if there are none.
    async fn read(&self, from: &mut Transaction, after: Option<&[Cell]>) -> Result<Option<Vec<Row>>> {
        let key = self.key.iter().map(|place| self.columns[*place].as_str()).collect::<Vec<_>>().join(", ");
        let (name, columns) = (&self.name, self.columns.join(", "));
        let order = if key.is_empty() { String::new() } else { format!("ORDER BY {key}") };
        let condition = after.map_or_else(String::new, |after| {
            let after = (1..=after.len()).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ");
            format!("WHERE ({key}) > ({after})")
        });
        let sql = format!("SELECT {columns} FROM {name} {condition} {order} LIMIT {BATCH_ROWS}");
        let rows = from.query(&sql, after.unwrap_or_default()).await?.into_cells();
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }

    /// The key of the last of these rows; `None` if the table has no key, and so no further rows.
    fn after(&self, rows: Vec<Row>) -> Option<Vec<Cell>> {
        let last = rows.into_iter().next_back()?;
        let key: Vec<Cell> = self.key.iter().map(|place| last[*place].clone()).collect();
        Some(key).filter(|key| !key.is_empty())
    }

    async fn insert(&self, to: &mut Transaction, rows: &[Row]) -> Result<()> {
        let mut number = 0;
        let mut place = || {
            number += 1;
            format!("${number}")
        };
        let mut values = |row: &Row| {
            let places = row.iter().map(|_| place()).collect::<Vec<_>>().join(", ");
            format!("({places})")
        };
        let values = rows.iter().map(&mut values).collect::<Vec<_>>().join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES {values}", self.name, self.columns.join(", "));
        let params: Vec<Value<'_>> = rows.concat();
        to.execute(&sql, &params).await.map(drop)
    }

    async fn compare(&self, source: &mut Transaction, target: &mut Transaction) -> Result<()> {
        let mut last: Option<Vec<Cell>> = None;
        loop {
            let rows = self.read(source, last.as_deref()).await?;
            if self.read(target, last.as_deref()).await? != rows {
                let why = format!("a row of {} changed while it was copied", self.name);
                return Err(CatalogError::Damaged(why.into()));
            }
            last = rows.and_then(|rows| self.after(rows));
            if last.is_none() {
                return Ok(());
            }
        }
    }
}
