//! SQLite: one file, opened by any number of processes, or memory.

mod connection;
mod copy;
mod file;
mod integrity;
mod log_index;
mod open_files;
mod snapshot;
mod transaction;

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, OwnedSemaphorePermit};

use super::row::Rows;
use super::value::Value;
use crate::{CatalogError, Result};
use connection::{blocking, failure, prepare, query};
use file::File;
use transaction::ChangeGuard;

pub(crate) use connection::is_blank;
pub use snapshot::Snapshot;
pub(crate) use transaction::Transaction;

/// How long a change waits for earlier ones in this process if the disk does not respond.
pub const WRITER_WAIT_TIMEOUT: Duration = Duration::from_secs(30);

/// A SQLite database: one connection that writes and, for a file, any number that read.
pub(crate) struct Sqlite {
    writer: Arc<AsyncMutex<Connection>>,
    /// `None` in memory, where one connection does everything.
    file: Option<Arc<File>>,
    /// In memory: twice the number of changes, plus one during a change.
    changes: Arc<AtomicU64>,
}

impl Sqlite {
    /// Opens the file, or creates it with mode 0600.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        // SQLite would create it with the umask; its -wal and -shm files inherit the mode.
        create_if_missing(path).map_err(unavailable)?;
        let (file, writer) = File::open(path)?;
        Ok(Self {
            writer: Arc::new(AsyncMutex::new(writer)),
            file: Some(Arc::new(file)),
            changes: Arc::default(),
        })
    }

    /// Copies the file to a temporary folder and opens the copy. Dropping the folder removes it.
    pub(crate) async fn open_copy(path: PathBuf) -> Result<(Self, TempDir)> {
        blocking(move || {
            let (copy, folder) = copy::copy_to_temporary(&path)?;
            Ok((Self::open(&copy)?, folder))
        })
        .await
    }

    pub(crate) fn open_in_memory() -> Result<Self> {
        let connection = Connection::open_in_memory().map_err(failure)?;
        prepare(&connection).map_err(failure)?;
        Ok(Self { writer: Arc::new(AsyncMutex::new(connection)), file: None, changes: Arc::default() })
    }

    /// Runs a short statement on the calling thread: cheaper than handing it to another.
    pub(crate) async fn query(&self, sql: &str, params: &[Value<'_>]) -> Result<Rows> {
        match &self.file {
            Some(file) => file.query(sql, params),
            None => query(&*self.writer().await?, sql, params),
        }
    }

    /// Runs a long statement on a blocking thread. Holds `permit` until it ends, even if the caller has given up.
    pub(crate) async fn scan(
        &self,
        sql: &str,
        params: &[Value<'_>],
        permit: OwnedSemaphorePermit,
    ) -> Result<Rows> {
        let sql = sql.to_owned();
        let params: Vec<Value<'static>> = params.iter().map(Value::to_static).collect();
        if let Some(file) = self.file.clone() {
            blocking(move || (file.query(&sql, &params), permit).0).await
        } else {
            let connection = self.writer().await?;
            blocking(move || (query(&connection, &sql, &params), permit).0).await
        }
    }

    /// Fails if the open files are no longer those in the folder.
    pub(crate) async fn check_files(&self) -> Result<()> {
        match self.file.clone() {
            Some(file) => blocking(move || file.files.check()).await,
            None => Ok(()),
        }
    }

    async fn writer(&self) -> Result<OwnedMutexGuard<Connection>> {
        if let Ok(writer) = Arc::clone(&self.writer).try_lock_owned() {
            return Ok(writer);
        }
        let writer = tokio::time::timeout(WRITER_WAIT_TIMEOUT, Arc::clone(&self.writer).lock_owned());
        writer.await.map_err(|error| CatalogError::Unavailable(error.into()))
    }

    pub(crate) async fn begin(&self) -> Result<Transaction> {
        let connection = self.writer().await?;
        let change = ChangeGuard::begin(&self.changes);
        Transaction::begin(change, connection, self.file.clone()).await
    }

    /// Begins a transaction that only reads, on a connection of its own.
    pub(crate) async fn begin_snapshot(&self) -> Result<Transaction> {
        let Some(file) = self.file.clone() else { return self.begin().await };
        let change = ChangeGuard::begin(&self.changes);
        let connection = blocking(move || file.connect()).await?;
        let connection = Arc::new(AsyncMutex::new(connection)).lock_owned().await;
        Transaction::begin_reading(change, connection).await
    }

    /// Writes a compact copy with one statement, which reads one snapshot. SQLite's backup API restarts whenever another
    /// process writes, and might never finish beside a busy server.
    pub(crate) async fn back_up(&self, path: &Path) -> Result<()> {
        let Some(from) = self.file.clone() else { return Err(not_in_a_file()) };
        let to = path.to_owned();
        blocking(move || {
            create_if_missing(&to).map_err(unavailable)?;
            let name = to.to_str().ok_or_else(|| unavailable(io::ErrorKind::InvalidFilename.into()))?;
            from.connect()?.execute("VACUUM INTO ?1", [name]).map_err(failure)?;
            Ok(())
        })
        .await?;
        // VACUUM INTO does not sync.
        sync_file(path).await
    }

    /// Checks on a connection and a thread of its own: it may take long, and readers and writers continue.
    pub(crate) async fn check(&self, thorough: bool) -> Result<Vec<String>> {
        match self.file.clone() {
            Some(file) => blocking(move || integrity::problems(&file.connect()?, thorough)).await,
            None => integrity::problems(&*self.writer.lock().await, thorough),
        }
    }

    pub(crate) async fn save(&self) -> Result<Snapshot> {
        if self.file.is_some() {
            return Err(not_in_memory());
        }
        // No transaction is open while the connection is free.
        Snapshot::of(&*self.writer.lock().await)
    }

    pub(crate) async fn restore(&self, saved: &Snapshot) -> Result<()> {
        if self.file.is_some() {
            return Err(not_in_memory());
        }
        let mut connection = self.writer.lock().await;
        let _change = ChangeGuard::begin(&self.changes);
        saved.restore(&mut connection)
    }

    pub(crate) fn generation(&self) -> Option<u128> {
        if let Some(file) = &self.file {
            return file.generation();
        }
        let changes = self.changes.load(Ordering::Acquire);
        changes.is_multiple_of(2).then_some(changes.into())
    }
}

/// Makes a file durable.
pub(crate) async fn sync_file(path: &Path) -> Result<()> {
    let path = path.to_owned();
    blocking(move || fs::File::open(path).and_then(|file| file.sync_all()).map_err(unavailable)).await
}

/// Creates a file with mode 0600 unless it exists.
fn create_if_missing(path: &Path) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(drop)
}

fn unavailable(error: io::Error) -> CatalogError {
    CatalogError::Unavailable(error.into())
}

fn not_in_a_file() -> CatalogError {
    CatalogError::Bug("only a catalogue in a SQLite file can be backed up".into())
}

pub(crate) fn not_in_memory() -> CatalogError {
    CatalogError::Bug("only a catalogue in memory can be saved and restored".into())
}
