//! Copies all rows of a catalogue to another one, of either engine, and moves a catalogue there.

mod fence;
mod journal;
mod pass;
mod table;

use std::sync::Arc;

use crate::database::{Database, Transaction};
use crate::migrations::require_current;
use crate::{Catalog, CatalogError, Result};
use pass::Pass;
use table::{Range, Row, Table, counted, tables};

/// How often all tables are locked, if that conflicts with changes.
const LOCK_TRIES_MAX: u32 = 8;
/// Ends the connections of all programs of this role to a database, so that they look where it is.
const DISCONNECT_OTHERS: &str = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND application_name = 'jingku'
        AND pid <> pg_backend_pid()";

impl Catalog {
    /// Replaces all rows of `to` by those of this catalogue, and sets its store id. Returns the number of rows.
    ///
    /// The rows are those of one moment. They are read again from `to` and compared before its transaction commits, so `to`
    /// has either all of them or what it had before. Revisions that accounts of `to` have had get no other meaning, and what
    /// this handle has in memory is not used any more.
    pub async fn copy_to(&self, to: &Self, store_id: &str) -> Result<u64> {
        let tables = tables(store_id).await?;
        let (tables, from) = (&tables, &self.database);
        let change = |mut target: Transaction| async move {
            target.lock_schema().await?;
            require_current(&mut target).await?;
            let mut source = from.begin_snapshot().await?;
            require_current(&mut source).await?;
            let copied = replace_rows(tables, &mut source, &mut target).await?;
            source.discard(()).await?;
            target.commit(copied).await
        };
        let copied = to.database.write(change).await?;
        to.group_orders.forget();
        Ok(copied)
    }

    /// Writes the rows of this catalogue to `to` that differ there, in transactions of a bounded size. Returns their
    /// number.
    ///
    /// The rows are those of one moment. Changes of this catalogue continue meanwhile; there must be none of `to`, and no
    /// caches of it. `to` keeps this store id. `watch` is called with the number of rows after each transaction.
    pub async fn copy_changes(&self, to: &Self, store_id: &str, watch: &(dyn Fn(u64) + Sync)) -> Result<u64> {
        let tables = tables(store_id).await?;
        require_current_schema(&to.database).await?;
        let mut source = self.database.begin_snapshot().await?;
        require_current(&mut source).await?;
        let mut pass = Pass { tables: &tables, source: &mut source, target: &to.database, watch };
        let (written, _) = pass.run().await?;
        source.discard(written).await
    }

    /// Does the same as [`Catalog::copy_changes`], compares what it has written, and notes which rows change from then on,
    /// under a mark that no other process uses.
    pub async fn copy_and_note_changes(
        &self,
        to: &Self,
        store_id: &str,
        mark: &str,
        watch: &(dyn Fn(u64) + Sync),
    ) -> Result<u64> {
        let tables = tables(store_id).await?;
        let mut source = self.lock_all(&tables).await?;
        journal::open(&mut source, &tables, mark).await?;
        source.commit(()).await?;
        require_current_schema(&to.database).await?;
        let mut source = self.database.begin_snapshot().await?;
        require_current(&mut source).await?;
        let mut pass = Pass { tables: &tables, source: &mut source, target: &to.database, watch };
        let (written, differences) = pass.run().await?;
        pass.verify(&differences).await?;
        source.discard(written).await
    }

    /// Stops noting changes. Does nothing if no changes are noted.
    pub async fn forget_changes(&self) -> Result<()> {
        let tables = tables("").await?;
        let mut source = self.lock_all(&tables).await?;
        journal::close(&mut source, &tables).await?;
        source.commit(()).await
    }

    /// Waits until no other process changes the catalogue, and lets others wait until the result is dropped.
    pub async fn freeze(&self) -> Result<FrozenCatalog> {
        let source = self.lock_all(&tables("").await?).await?;
        Ok(FrozenCatalog { source, database: Arc::clone(&self.database) })
    }

    /// Begins a transaction that holds all tables, so that nobody else changes a row.
    async fn lock_all(&self, tables: &[Table]) -> Result<Transaction> {
        let mut tries = 1;
        loop {
            match self.try_to_lock(tables).await {
                // A busy file, or a deadlock with a change.
                Err(error) if error.is_transient() && tries < LOCK_TRIES_MAX => tries += 1,
                locked => return locked,
            }
        }
    }

    async fn try_to_lock(&self, tables: &[Table]) -> Result<Transaction> {
        let mut transaction = self.database.begin().await?;
        transaction.lock_schema().await?;
        require_current(&mut transaction).await?;
        fence::lock(&mut transaction, &names(tables)).await?;
        Ok(transaction)
    }

    /// Returns the place to which the catalogue was moved: see [`FrozenCatalog::retire`].
    pub async fn moved_to(&self) -> Result<Option<String>> {
        match self.store_id().await {
            Ok(id) => Ok(id.strip_prefix(CatalogError::MOVED_STORE).map(str::to_owned)),
            // A new connection has found out.
            Err(CatalogError::Moved(place)) => Ok(Some(place)),
            Err(error) => Err(error),
        }
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
    database: Arc<Database>,
}

/// A table of which all rows were copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedTable {
    /// Its name.
    pub name: String,
    /// Its number of rows.
    pub rows: u64,
}

impl FrozenCatalog {
    /// Copies and compares the rows that have changed since [`Catalog::copy_and_note_changes`] was called with this mark,
    /// and compares the number of rows. Also returns what `to` has.
    pub async fn complete(
        &mut self,
        to: &Catalog,
        store_id: &str,
        mark: &str,
        watch: &(dyn Fn(u64) + Sync),
    ) -> Result<(u64, Vec<CopiedTable>)> {
        let tables = tables(store_id).await?;
        require_current_schema(&to.database).await?;
        let changed = journal::read(&mut self.source, &tables, mark).await?;
        let mut pass = Pass { tables: &tables, source: &mut self.source, target: &to.database, watch };
        let (written, differences) = pass.run_on(&changed).await?;
        pass.verify(&differences).await?;
        let mut copied = Vec::new();
        for table in &tables {
            let rows = counted(to.database.query(&table.counting(), &[]).await?)?;
            if counted(self.source.query(&table.counting(), &[]).await?)? != rows {
                let why = format!("the copy has not as many rows of {}", table.name);
                return Err(CatalogError::Damaged(why.into()));
            }
            copied.push(CopiedTable { name: table.name.clone(), rows });
        }
        Ok((written, copied))
    }

    /// Records the new place of the catalogue, and rejects every later change, also by processes that wait for this.
    /// PostgreSQL also closes the connections of other processes, so that none continues to read.
    pub async fn retire(self, place: &str) -> Result<()> {
        let Self { mut source, database } = self;
        let tables = tables("").await?;
        let store_id = format!("{}{place}", CatalogError::MOVED_STORE);
        journal::close(&mut source, &tables).await?;
        source.execute("UPDATE counters SET store_id = $1", &[store_id.into()]).await?;
        fence::raise(&mut source, &names(&tables), place).await?;
        source.commit(()).await?;
        if database.postgres().is_some() {
            // A server that keeps its connections asks for the store id once a second.
            let _ = database.query(DISCONNECT_OTHERS, &[]).await;
        }
        Ok(())
    }
}

fn names(tables: &[Table]) -> Vec<&str> {
    tables.iter().map(|table| table.name.as_str()).collect()
}

async fn require_current_schema(database: &Database) -> Result<()> {
    let mut transaction = database.begin().await?;
    require_current(&mut transaction).await?;
    transaction.discard(()).await
}

/// Replaces all rows of `target`, compares them with those of `source`, and returns their number.
async fn replace_rows(tables: &[Table], source: &mut Transaction, target: &mut Transaction) -> Result<u64> {
    let newest = "SELECT COALESCE(MAX(revision), 0) FROM accounts";
    let newest: i64 = target.query(newest, &[]).await?.first("accounts")?.unwrap_or_default();
    // A row is inserted after those that it refers to, and removed before them.
    for table in tables.iter().rev() {
        target.execute(&format!("DELETE FROM {}", table.name), &[]).await?;
    }
    let mut copied = 0;
    for table in tables {
        let mut rest = Some(Range::default());
        while let Some(range) = rest {
            let rows = table.fix(read(table, source, &range).await?);
            if !rows.is_empty() {
                table.insert(target, &rows).await?;
            }
            copied += rows.len() as u64;
            rest = after(table, &rows);
        }
    }
    for table in tables {
        compare(table, source, target).await?;
    }
    if newest > 0 {
        // What a server has in memory of the earlier rows is read again.
        let sql = "UPDATE accounts SET revision = revision + $1 + 1, purged_changed = revision + $1 + 1,
                       shares_changed = revision + $1 + 1";
        target.execute(sql, &[newest.into()]).await?;
    }
    Ok(copied)
}

async fn read(table: &Table, from: &mut Transaction, range: &Range) -> Result<Vec<Row>> {
    let (sql, params) = table.select(range);
    Ok(from.query(&sql, params.as_slice()).await?.into_cells())
}

/// The rows after these, if there may be more.
fn after(table: &Table, rows: &[Row]) -> Option<Range> {
    let last = rows.last().filter(|_| table.has_key())?;
    Some(Range { after: Some(table.key(last)), ..Range::default() })
}

async fn compare(table: &Table, source: &mut Transaction, target: &mut Transaction) -> Result<()> {
    let mut rest = Some(Range::default());
    while let Some(range) = rest {
        let rows = table.fix(read(table, source, &range).await?);
        if read(table, target, &range).await? != rows {
            let why = format!("a row of {} changed while it was copied", table.name);
            return Err(CatalogError::Damaged(why.into()));
        }
        rest = after(table, &rows);
    }
    Ok(())
}
