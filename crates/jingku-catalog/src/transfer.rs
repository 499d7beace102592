//! Copies all rows of a catalogue to another one, of either engine, and moves a catalogue there.

mod fence;

use crate::database::{Cell, Database, Transaction, Value};
use crate::migrations::{migrate, require_current};
use crate::{Catalog, CatalogError, Result};

/// Rows read and written at once. A row with a cover has up to about a megabyte.
const BATCH_ROWS: usize = 100;
/// The start of the store id of a catalogue that was moved. The new place follows.
const MOVED: &str = "moved:";

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
            let copied = replace_rows(tables, &mut source, &mut target, store_id).await?;
            source.discard(()).await?;
            target.commit(copied.iter().map(|table| table.rows).sum()).await
        };
        to.database.write(change).await
    }

    /// Waits until no other process changes the catalogue, and lets others wait until the result is dropped.
    pub async fn freeze(&self) -> Result<FrozenCatalog> {
        let tables = tables().await?;
        let mut source = self.database.begin().await?;
        source.lock_schema().await?;
        require_current(&mut source).await?;
        fence::lock(&mut source, &names(&tables)).await?;
        Ok(FrozenCatalog { source, tables })
    }

    /// Returns the place to which the catalogue was moved: see [`FrozenCatalog::retire`].
    pub async fn moved_to(&self) -> Result<Option<String>> {
        Ok(self.store_id().await?.strip_prefix(MOVED).map(str::to_owned))
    }

    /// Makes a catalogue that was moved usable again, with this store id.
    pub async fn reinstate(&self, store_id: &str) -> Result<()> {
        let change = |mut transaction: Transaction| async move {
            fence::lower(&mut transaction).await?;
            transaction.execute("UPDATE counters SET store_id = $1", &[store_id.into()]).await?;
            transaction.commit(()).await
        };
        self.database.write(change).await
    }
}

/// A catalogue that no other process can change until this is dropped.
pub struct FrozenCatalog {
    source: Transaction,
    tables: Vec<Table>,
}

/// A table of which all rows were copied and compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedTable {
    /// Its name.
    pub name: String,
    /// Its number of rows.
    pub rows: u64,
}

impl FrozenCatalog {
    /// Does the same as [`Catalog::copy_to`]. `to` may be a catalogue that was moved. It must not be the same database.
    pub async fn copy_to(&mut self, to: &Catalog, store_id: &str) -> Result<Vec<CopiedTable>> {
        let mut target = to.database.begin().await?;
        target.lock_schema().await?;
        require_current(&mut target).await?;
        fence::lower(&mut target).await?;
        if matches!(target, Transaction::Postgres(_)) {
            // Deleting the rows of an earlier move could take longer than a statement may.
            target.define(&format!("TRUNCATE {}", names(&self.tables).join(", "))).await?;
        }
        let copied = replace_rows(&self.tables, &mut self.source, &mut target, store_id).await?;
        target.commit(copied).await
    }

    /// Records the new place of the catalogue, and rejects every later change, also by processes that wait for this.
    pub async fn retire(self, place: &str) -> Result<()> {
        let Self { mut source, tables } = self;
        let store_id = format!("{MOVED}{place}");
        source.execute("UPDATE counters SET store_id = $1", &[store_id.into()]).await?;
        fence::raise(&mut source, &names(&tables)).await?;
        source.commit(()).await
    }
}

fn names(tables: &[Table]) -> Vec<&str> {
    tables.iter().map(|table| table.name.as_str()).collect()
}

/// Replaces all rows of `target`, compares them with those of `source`, and sets the store id.
async fn replace_rows(
    tables: &[Table],
    source: &mut Transaction,
    target: &mut Transaction,
    store_id: &str,
) -> Result<Vec<CopiedTable>> {
    let newest = "SELECT COALESCE(MAX(revision), 0) FROM accounts";
    let newest: i64 = target.query(newest, &[]).await?.first("accounts")?.unwrap_or_default();
    // A row is inserted after those that it refers to, and removed before them.
    for table in tables.iter().rev() {
        target.execute(&format!("DELETE FROM {}", table.name), &[]).await?;
    }
    let mut copied = Vec::new();
    for table in tables {
        let (mut rows, mut last) = (0, None);
        while let Some(batch) = table.read(source, last.as_deref()).await? {
            table.insert(target, &batch).await?;
            rows += batch.len() as u64;
            last = table.after(batch);
            if last.is_none() {
                break;
            }
        }
        copied.push(CopiedTable { name: table.name.clone(), rows });
    }
    for table in tables {
        table.compare(source, target).await?;
    }
    if newest > 0 {
        let sql = "UPDATE accounts SET revision = revision + $1 + 1";
        target.execute(sql, &[newest.into()]).await?;
    }
    // No server has a lease on the copy.
    target.execute("UPDATE hosts SET lease_until = 0", &[]).await?;
    target.execute("UPDATE tasks SET session = '', lease_until = 0", &[]).await?;
    target.execute("UPDATE counters SET store_id = $1", &[store_id.into()]).await?;
    Ok(copied)
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
