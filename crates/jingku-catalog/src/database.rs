//! The thin layer under every statement: either engine, with the same SQL and the same values.
//!
//! Its futures are boxed here: the compiler repeats the body of an `async fn` in every crate that awaits it.

mod fair_semaphore;
mod postgres;
mod row;
mod sqlite;
mod value;

use std::future::{Future, ready};
use std::path::Path;

use futures::future::BoxFuture;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::{AccountId, CatalogError, Result};
use fair_semaphore::FairSemaphore;

pub use fair_semaphore::{SCAN_WAIT_TIMEOUT, SCANS_WAITING_MAX};
use postgres::Postgres;
pub use postgres::{POSTGRES_ANSWER_TIMEOUT, POSTGRES_CONNECT_TIMEOUT, POSTGRES_CONNECTIONS_MAX};
pub(crate) use row::{Cells, FromCell, Read, Row, Rows, columns, row};
pub use sqlite::{Snapshot, WRITER_WAIT_TIMEOUT};
pub(crate) use sqlite::{Sqlite, is_blank, not_in_memory, sync_file};
pub(crate) use value::{Cell, Params, Value, json_list};

/// How often a change is attempted when PostgreSQL rejects it because of concurrent changes.
const TRIES_MAX: u32 = 8;
/// The most concurrent scans. One core is reserved for short statements.
pub const SCANS_MAX: usize = 8;

/// Frees space on a full disk; returns whether it could.
pub(crate) type OnDiskFull = Box<dyn Fn() -> bool + Send + Sync>;

pub(crate) struct Database {
    engine: Engine,
    /// Called when the disk is full.
    pub(crate) on_disk_full: Option<OnDiskFull>,
    /// The folder of a read-only copy. Rejects all further changes: they would be lost with the copy.
    pub(crate) copy: Option<TempDir>,
    /// Whether all changes are rejected although the database could be changed.
    pub(crate) read_only: bool,
    scans: FairSemaphore,
}

enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Database {
    fn of(engine: Engine) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let scans = match engine {
            Engine::Sqlite(_) => cores.saturating_sub(1).clamp(1, SCANS_MAX),
            // The server does the work. Half of the connections are reserved for short statements.
            Engine::Postgres(_) => SCANS_MAX,
        };
        Self { engine, on_disk_full: None, copy: None, read_only: false, scans: FairSemaphore::new(scans) }
    }

    pub(crate) fn open_sqlite(path: &Path) -> Result<Self> {
        Sqlite::open(path).map(Engine::Sqlite).map(Self::of)
    }

    /// Opens a copy of a file that this process cannot write to, and returns the folder for [`Database::copy`].
    pub(crate) async fn open_sqlite_copy(path: &Path) -> Result<(Self, TempDir)> {
        let (sqlite, folder) = Sqlite::open_copy(path.to_owned()).await?;
        Ok((Self::of(Engine::Sqlite(sqlite)), folder))
    }

    pub(crate) fn open_sqlite_in_memory() -> Result<Self> {
        Sqlite::open_in_memory().map(Engine::Sqlite).map(Self::of)
    }

    pub(crate) fn connect_postgres(url: &str, password_file: Option<&Path>) -> Result<Self> {
        Postgres::new(url, password_file).map(Engine::Postgres).map(Self::of)
    }

    /// Runs a short read-only statement outside any transaction, such as the lookup of a row or page by index. It sees
    /// one snapshot. SQLite runs it on the calling thread.
    pub(crate) fn query<'a>(&'a self, sql: &'a str, params: &'a [Value<'_>]) -> BoxFuture<'a, Result<Rows>> {
        match &self.engine {
            Engine::Sqlite(sqlite) => Box::pin(sqlite.query(sql, params)),
            Engine::Postgres(postgres) => Box::pin(postgres.query(sql, params)),
        }
    }

    /// Runs a read-only statement whose cost grows with the number of rows. Few run at once, shared fairly between
    /// accounts; the operator counts as [`AccountId::PLATFORM`]. Fails with [`CatalogError::Busy`] on timeout.
    pub(crate) fn scan<'a>(
        &'a self,
        account: AccountId,
        sql: &'a str,
        params: &'a [Value<'_>],
    ) -> BoxFuture<'a, Result<Rows>> {
        Box::pin(async move {
            let permit = self.scans.acquire(account).await?;
            match &self.engine {
                Engine::Sqlite(sqlite) => sqlite.scan(sql, params, permit).await,
                Engine::Postgres(postgres) => {
                    let _permit = permit;
                    postgres.query(sql, params).await
                }
            }
        })
    }

    /// Runs `change` in a transaction, which it must commit or discard. On PostgreSQL it may run several times: it must
    /// have no effect except on the transaction.
    pub(crate) async fn write<T, F>(&self, change: impl Fn(Transaction) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let (mut tries, mut freed_space, begun) = (1, false, Instant::now());
        loop {
            let result = match self.begin().await {
                Ok(transaction) => change(transaction).await,
                Err(error) => Err(error),
            };
            match result {
                Err(CatalogError::Contended(_)) if tries < TRIES_MAX => tries += 1,
                Err(error) if Postgres::may_repeat(&error) && begun.elapsed() < POSTGRES_CONNECT_TIMEOUT => {}
                Err(CatalogError::Full(_))
                    if !freed_space && self.on_disk_full.as_ref().is_some_and(|free_space| free_space()) =>
                {
                    freed_space = true;
                }
                result => return result,
            }
        }
    }

    /// Runs one statement in a transaction of its own and returns how many rows it changed.
    pub(crate) fn execute<'a>(&'a self, sql: &'a str, params: &'a [Value<'_>]) -> BoxFuture<'a, Result<u64>> {
        Box::pin(self.write(move |mut transaction| async move {
            match transaction.execute(sql, params).await? {
                0 => transaction.discard(0).await,
                changed => transaction.commit(changed).await,
            }
        }))
    }

    /// Begins a transaction that may write. SQLite runs one at a time.
    pub(crate) fn begin(&self) -> BoxFuture<'_, Result<Transaction>> {
        Box::pin(async {
            if self.copy.is_some() || self.read_only {
                return Err(CatalogError::ReadOnly);
            }
            match &self.engine {
                Engine::Sqlite(sqlite) => sqlite.begin().await.map(Transaction::Sqlite),
                Engine::Postgres(postgres) => postgres.begin().await.map(Transaction::Postgres),
            }
        })
    }

    /// Begins a transaction for several reads of one snapshot. Changes continue meanwhile, except in memory.
    pub(crate) fn begin_snapshot(&self) -> BoxFuture<'_, Result<Transaction>> {
        Box::pin(async {
            match &self.engine {
                Engine::Sqlite(sqlite) => sqlite.begin_snapshot().await.map(Transaction::Sqlite),
                Engine::Postgres(postgres) => postgres.begin_snapshot().await.map(Transaction::Postgres),
            }
        })
    }

    pub(crate) fn postgres(&self) -> Option<&Postgres> {
        match &self.engine {
            Engine::Sqlite(_) => None,
            Engine::Postgres(postgres) => Some(postgres),
        }
    }

    /// Returns the expression for the clock of the database, in Unix seconds: the only one that the engines do not share.
    pub(crate) fn clock(&self) -> &'static str {
        match &self.engine {
            Engine::Sqlite(_) => "unixepoch()",
            Engine::Postgres(_) => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS BIGINT)",
        }
    }

    pub(crate) fn sqlite(&self) -> Option<&Sqlite> {
        match &self.engine {
            Engine::Sqlite(sqlite) => Some(sqlite),
            Engine::Postgres(_) => None,
        }
    }

    /// Returns SQLite's query plan, one step a line.
    #[cfg(test)]
    pub(crate) async fn plan(&self, sql: &str, params: &[Value<'_>]) -> String {
        let rows = self.query(&format!("EXPLAIN QUERY PLAN {sql}"), params).await.unwrap();
        let steps: Vec<(i64, i64, i64, String)> = rows.all("plan").unwrap();
        steps.into_iter().map(|(_, _, _, step)| step).collect::<Vec<_>>().join("\n")
    }
}

/// A transaction that may write. Dropping it rolls it back.
#[expect(clippy::large_enum_variant, reason = "there is one in a future, and it is not moved often")]
pub(crate) enum Transaction {
    Sqlite(sqlite::Transaction),
    Postgres(postgres::Transaction),
}

impl Transaction {
    pub(crate) fn query<'a>(
        &'a mut self,
        sql: &'a str,
        params: &'a [Value<'_>],
    ) -> BoxFuture<'a, Result<Rows>> {
        match self {
            Self::Sqlite(transaction) => Box::pin(ready(transaction.query(sql, params))),
            Self::Postgres(transaction) => Box::pin(transaction.query(sql, params)),
        }
    }

    /// Runs a statement and returns how many rows it changed.
    pub(crate) fn execute<'a>(
        &'a mut self,
        sql: &'a str,
        params: &'a [Value<'_>],
    ) -> BoxFuture<'a, Result<u64>> {
        match self {
            Self::Sqlite(transaction) => Box::pin(ready(transaction.execute(sql, params))),
            Self::Postgres(transaction) => Box::pin(transaction.execute(sql, params)),
        }
    }

    pub(crate) async fn exists(&mut self, sql: &str, params: &[Value<'_>]) -> Result<bool> {
        Ok(!self.query(sql, params).await?.is_empty())
    }

    /// Runs the statements of a migration, which uses SQLite's type names.
    pub(crate) async fn define(&mut self, sql: &str) -> Result<()> {
        match self {
            Self::Sqlite(transaction) => transaction.define(sql),
            Self::Postgres(transaction) => transaction.define(sql).await,
        }
    }

    /// Waits until no other process migrates. The lock ends with the transaction.
    pub(crate) async fn lock_schema(&mut self) -> Result<()> {
        match self {
            // BEGIN IMMEDIATE already excludes every other writer.
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(transaction) => transaction.lock_schema().await,
        }
    }

    /// Makes the changes durable and visible, then returns `outcome`. Changes use `commit`, which also writes the audit log.
    pub(crate) async fn commit_only<T>(self, outcome: T) -> Result<T> {
        self.keep().await?;
        Ok(outcome)
    }

    /// Rolls back and returns `outcome`. On PostgreSQL this keeps the connection, unlike dropping.
    pub(crate) async fn discard<T>(self, outcome: T) -> Result<T> {
        self.roll_back().await?;
        Ok(outcome)
    }

    fn keep(self) -> BoxFuture<'static, Result<()>> {
        match self {
            Self::Sqlite(transaction) => Box::pin(transaction.commit()),
            Self::Postgres(transaction) => Box::pin(transaction.commit()),
        }
    }

    fn roll_back(self) -> BoxFuture<'static, Result<()>> {
        match self {
            Self::Sqlite(transaction) => {
                drop(transaction);
                Box::pin(ready(Ok(())))
            }
            Self::Postgres(transaction) => Box::pin(transaction.roll_back()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "CREATE TABLE IF NOT EXISTS counters (total INTEGER NOT NULL)";
    const COUNT: &str = "UPDATE counters SET total = total + 1";

    /// A database of each available engine, with one counter.
    async fn engines(folder: &Path) -> Vec<Database> {
        let mut engines = vec![
            Database::open_sqlite_in_memory().unwrap(),
            Database::open_sqlite(&folder.join("catalog.db")).unwrap(),
        ];
        if let Some(url) = crate::testing::postgres_database().await {
            engines.push(Database::connect_postgres(&url, None).unwrap());
        }
        for database in &engines {
            let mut transaction = database.begin().await.unwrap();
            transaction.define(TABLE).await.unwrap();
            transaction.execute("INSERT INTO counters VALUES (0)", &[]).await.unwrap();
            transaction.commit(()).await.unwrap();
        }
        engines
    }

    async fn counted(database: &Database) -> i64 {
        let rows = database.query("SELECT total FROM counters", &[]).await.unwrap();
        rows.first("counters").unwrap().unwrap()
    }

    #[tokio::test]
    async fn only_a_committed_transaction_changes_anything() {
        let folder = tempfile::tempdir().unwrap();
        for database in engines(folder.path()).await {
            let mut dropped = database.begin().await.unwrap();
            assert_eq!(dropped.execute(COUNT, &[]).await.unwrap(), 1);
            drop(dropped);
            assert_eq!(counted(&database).await, 0);

            let mut discarded = database.begin().await.unwrap();
            discarded.execute(COUNT, &[]).await.unwrap();
            discarded.discard(()).await.unwrap();
            assert_eq!(counted(&database).await, 0);

            assert_eq!(database.execute(COUNT, &[]).await.unwrap(), 1);
            assert_eq!(counted(&database).await, 1);
        }
    }

    #[tokio::test]
    async fn a_parameter_is_bound_by_its_number() {
        let folder = tempfile::tempdir().unwrap();
        for database in engines(folder.path()).await {
            let sql = "SELECT total - $2 - $3 - $2, $1 FROM counters";
            let rows = database.query(sql, &["text".into(), 10.into(), 200.into()]).await.unwrap();
            assert_eq!(rows.first("counters").unwrap(), Some((-220, "text".to_owned())));
        }
    }

    #[tokio::test]
    async fn a_rejected_statement_is_a_bug_and_a_conflict_is_retried() {
        let folder = tempfile::tempdir().unwrap();
        for database in engines(folder.path()).await {
            let refused = database.query("SELECT nothing FROM counters", &[]).await;
            assert!(matches!(refused, Err(CatalogError::Bug(_))), "{refused:?}");

            let tries = std::cell::Cell::new(0);
            let lost = database.write(|transaction| {
                tries.set(tries.get() + 1);
                async move {
                    transaction.discard(()).await?;
                    Err::<(), _>(CatalogError::Contended("lost".into()))
                }
            });
            assert!(matches!(lost.await, Err(CatalogError::Contended(_))));
            assert_eq!(tries.get(), TRIES_MAX);
        }
    }
}
