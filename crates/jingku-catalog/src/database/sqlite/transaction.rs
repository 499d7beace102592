//! One change at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use tokio::sync::OwnedMutexGuard;

use super::{File, bind, failure, query};
use crate::database::{Param, Row};
use crate::{CatalogError, Result};

/// A transaction that holds the writing connection.
pub(crate) struct Transaction {
    // Ends before the connection is free for the next change.
    _change: ChangeGuard,
    connection: OwnedMutexGuard<Connection>,
    /// Absent in memory.
    file: Option<Arc<File>>,
}

/// A change in memory, until dropped. Of those in a file SQLite keeps count.
pub(super) struct ChangeGuard(Arc<AtomicU64>);

impl ChangeGuard {
    /// Begins a change. The connection must be held: there is one change at a time.
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

    pub(crate) fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        query(&self.connection, sql, params)
    }

    pub(crate) fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failure)?;
        bind(&mut statement, params)?;
        let rows = statement.raw_execute().map_err(failure)?;
        Ok(rows as u64)
    }

    pub(crate) fn define(&mut self, sql: &str) -> Result<()> {
        self.connection.execute_batch(sql).map_err(failure)
    }

    pub(crate) async fn commit(self) -> Result<()> {
        self.run_blocking("COMMIT").await.map(drop)
    }

    /// Runs a statement that may wait, for another process or for the disk, on a thread that may wait.
    /// The whole transaction moves there, so that a caller who gives up meanwhile leaves none open.
    ///
    /// Fails after it when the files are not those in the folder: at the beginning, so that nothing is changed there,
    /// and at the end, so that what is lost is not acknowledged.
    async fn run_blocking(self, sql: &'static str) -> Result<Self> {
        let run = move || {
            self.connection.execute_batch(sql).map_err(failure)?;
            self.file.as_ref().map_or(Ok(()), |file| file.files.check_writing())?;
            Ok(self)
        };
        tokio::task::spawn_blocking(run).await.map_err(|error| CatalogError::Unavailable(error.into()))?
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.connection.is_autocommit() {
            // Fails only when SQLite has rolled back by itself.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}
