//! A transaction that writes. There is one at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use tokio::sync::OwnedMutexGuard;

use super::connection::{blocking, execute, failure, query};
use super::file::File;
use crate::Result;
use crate::database::row::Rows;
use crate::database::value::Value;

/// A transaction that holds the writing connection.
pub(crate) struct Transaction {
    // Dropped before the connection becomes free for the next change.
    _change: ChangeGuard,
    connection: OwnedMutexGuard<Connection>,
    /// `None` in memory.
    file: Option<Arc<File>>,
}

/// Counts a change in memory when it begins and when it ends. SQLite counts changes in files itself.
pub(super) struct ChangeGuard(Arc<AtomicU64>);

impl ChangeGuard {
    /// Begins a change. The caller holds the connection.
    pub(super) fn begin(changes: &Arc<AtomicU64>) -> Self {
        changes.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(changes))
    }
}

impl Drop for ChangeGuard {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

impl Transaction {
    pub(super) async fn begin(
        change: ChangeGuard,
        connection: OwnedMutexGuard<Connection>,
        file: Option<Arc<File>>,
    ) -> Result<Self> {
        Self { _change: change, connection, file }.run_blocking("BEGIN IMMEDIATE").await
    }

    /// Begins a transaction that sees what was committed before its first statement.
    pub(super) async fn begin_reading(
        change: ChangeGuard,
        connection: OwnedMutexGuard<Connection>,
    ) -> Result<Self> {
        Self { _change: change, connection, file: None }.run_blocking("BEGIN").await
    }

    pub(crate) fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Rows> {
        query(&self.connection, sql, params)
    }

    pub(crate) fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        execute(&self.connection, sql, params)
    }

    pub(crate) fn define(&mut self, sql: &str) -> Result<()> {
        self.connection.execute_batch(sql).map_err(failure)
    }

    pub(crate) async fn commit(self) -> Result<()> {
        self.run_blocking("COMMIT").await.map(drop)
    }

    /// Runs a statement that may wait, for another process or the disk, on a blocking thread. The whole transaction
    /// moves there, so a caller that gives up leaves none open.
    ///
    /// Then fails if the open files are not those in the folder: after BEGIN, so that nothing is changed there; after
    /// COMMIT, so that a lost change is not acknowledged.
    async fn run_blocking(self, sql: &'static str) -> Result<Self> {
        blocking(move || {
            self.connection.execute_batch(sql).map_err(failure)?;
            self.file.as_ref().map_or(Ok(()), |file| file.files.check_writing())?;
            Ok(self)
        })
        .await
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.connection.is_autocommit() {
            // Fails only if SQLite has already rolled back.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}
