//! SQLite: one file, opened by any number of processes, or memory.

mod copy;
mod integrity;
mod saved;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, Statement};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::value::Cell;
use super::{Param, Row};
use crate::{CatalogError, Result};

pub(crate) use saved::{Saved, not_in_memory};

/// How long a statement waits for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Connections kept for reading; more are opened when needed and closed after use.
const IDLE_READERS_MAX: usize = 16;
/// A page of the file, as SQLite makes them.
const PAGE_BYTES: u64 = 4096;
/// Prepared statements kept by each connection: more than this crate has.
const STATEMENTS_MAX: usize = 128;

/// A SQLite database: one connection that writes, and for a file any number that read.
pub(crate) struct Sqlite {
    writer: Arc<AsyncMutex<Connection>>,
    /// Absent in memory, where the one connection does everything.
    file: Option<File>,
    /// How often something saved was put back, which SQLite does not count as a change.
    restores: AtomicU64,
}

struct File {
    path: PathBuf,
    idle_readers: Mutex<Vec<Connection>>,
    /// Never writes, so that its `data_version` moves with every commit of every other connection.
    watcher: Mutex<Connection>,
}

impl Sqlite {
    /// Opens the file, or creates it readable for its owner only.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        // SQLite would create it with the umask; its -wal and -shm take over the mode of the file.
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| CatalogError::Unavailable(error.into()))?;
        let file = File {
            path: path.to_owned(),
            idle_readers: Mutex::default(),
            watcher: Mutex::new(connect(path)?),
        };
        Ok(Self {
            writer: Arc::new(AsyncMutex::new(connect(path)?)),
            file: Some(file),
            restores: AtomicU64::new(0),
        })
    }

    pub(crate) fn open_in_memory() -> Result<Self> {
        let connection = Connection::open_in_memory().map_err(failure)?;
        prepare(&connection).map_err(failure)?;
        Ok(Self { writer: Arc::new(AsyncMutex::new(connection)), file: None, restores: AtomicU64::new(0) })
    }

    /// Runs the statement on the calling thread: a page costs less than handing it to another thread.
    pub(crate) async fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        let Some(file) = &self.file else {
            return query(&*self.writer.lock().await, sql, params);
        };
        let idle = lock(&file.idle_readers).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => connect(&file.path)?,
        };
        let rows = query(&reader, sql, params);
        let mut idle_readers = lock(&file.idle_readers);
        if idle_readers.len() < IDLE_READERS_MAX {
            idle_readers.push(reader);
        }
        rows
    }

    pub(crate) async fn begin(&self) -> Result<Transaction> {
        let connection = Arc::clone(&self.writer).lock_owned().await;
        Transaction { connection }.run_blocking("BEGIN IMMEDIATE").await
    }

    /// Writes a compact copy by one statement that reads one moment. The backup interface of SQLite would begin anew
    /// whenever another process writes, and come to no end beside a busy server.
    pub(crate) async fn back_up(&self, path: &Path) -> Result<()> {
        let Some(file) = &self.file else { return Err(not_in_a_file()) };
        let (from, to) = (file.path.clone(), path.to_owned());
        let copy = move || {
            let unavailable = |error: std::io::Error| CatalogError::Unavailable(error.into());
            let options = OpenOptions::new().create(true).append(true).mode(0o600).open(&to);
            drop(options.map_err(unavailable)?);
            let name = to.to_str().ok_or_else(|| unavailable(std::io::ErrorKind::InvalidFilename.into()))?;
            connect(&from)?.execute("VACUUM INTO ?1", [name]).map_err(failure)?;
            // What SQLite writes this way it does not sync.
            std::fs::File::open(&to).and_then(|file| file.sync_all()).map_err(unavailable)
        };
        tokio::task::spawn_blocking(copy).await.map_err(|error| CatalogError::Unavailable(error.into()))?
    }

    pub(crate) fn generation(&self) -> Option<u64> {
        match &self.file {
            Some(file) => lock(&file.watcher)
                .prepare_cached("PRAGMA data_version")
                .and_then(|mut statement| statement.query_row([], |row| row.get::<_, i64>(0)))
                .ok()
                .and_then(|version| u64::try_from(version).ok()),
            // While a transaction holds the connection the number is not known.
            None => self.writer.try_lock().ok().map(|connection| {
                // No process lives to see 2^40 changes.
                (self.restores.load(Ordering::Relaxed) << 40) | connection.total_changes()
            }),
        }
    }
}

/// A transaction that holds the writing connection.
pub(crate) struct Transaction {
    connection: OwnedMutexGuard<Connection>,
}

impl Transaction {
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
    async fn run_blocking(self, sql: &'static str) -> Result<Self> {
        let run = move || self.connection.execute_batch(sql).map(|()| self).map_err(failure);
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

/// Whether the file is not there, or is the first page of a catalogue whose log is lost; creates nothing.
///
/// A young catalogue is all in its log. Whatever else is wrong is told when it is opened.
pub(crate) fn is_blank(path: &Path) -> bool {
    let tables = |connection: Connection| {
        connection.query_row("SELECT COUNT(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0))
    };
    match path.metadata().map_or(0, |file| file.len()) {
        0 => true,
        PAGE_BYTES => connect(path).is_ok_and(|connection| matches!(tables(connection), Ok(0))),
        _ => false,
    }
}

fn connect(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).map_err(failure)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failure)?;
    // synchronous = FULL makes a commit durable before it returns; NORMAL would lose the last ones in a crash.
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA mmap_size = 1073741824;
             PRAGMA journal_size_limit = 67108864;",
        )
        .map_err(failure)?;
    prepare(&connection).map_err(failure)?;
    Ok(connection)
}

/// Sets what a connection needs wherever the data is.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA foreign_keys = ON")?;
    // Plans do not depend on the values bound. Otherwise SQLite, as it is built here, plans a statement anew
    // after each binding, which doubles the cost of a page.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(())
}

fn query(connection: &Connection, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    bind(&mut statement, params)?;
    let columns = statement.column_count();
    let mut found = Vec::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(failure)? {
        let mut cells = Vec::with_capacity(columns);
        for column in 0..columns {
            cells.push(cell(row.get_ref(column).map_err(failure)?)?);
        }
        found.push(Row::new(cells));
    }
    Ok(found)
}

fn cell(value: ValueRef<'_>) -> Result<Cell> {
    match value {
        ValueRef::Null => Ok(Cell::Null),
        ValueRef::Integer(value) => Ok(Cell::Integer(value)),
        ValueRef::Text(_) => value
            .as_str()
            .map(|text| Cell::Text(text.to_owned()))
            .map_err(|error| CatalogError::Damaged(error.into())),
        ValueRef::Real(_) | ValueRef::Blob(_) => {
            Err(CatalogError::Damaged(format!("a column holds a {}", value.data_type()).into()))
        }
    }
}

/// Binds by name: to SQLite `$2` is the parameter called "$2", numbered by its first appearance.
fn bind(statement: &mut Statement<'_>, params: &[Param<'_>]) -> Result<()> {
    if statement.parameter_count() != params.len() {
        return Err(CatalogError::Bug("a statement got more or fewer parameters than it names".into()));
    }
    for index in 1..=params.len() {
        let named = statement.parameter_name(index).and_then(|name| name.strip_prefix('$')?.parse().ok());
        let param = named.and_then(|number: usize| params.get(number.checked_sub(1)?));
        let param =
            param.ok_or_else(|| CatalogError::Bug("a statement names an unknown parameter".into()))?;
        statement.raw_bind_parameter(index, param).map_err(failure)?;
    }
    Ok(())
}

impl rusqlite::ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Param::Null => ValueRef::Null,
            Param::Integer(value) => ValueRef::Integer(value),
            Param::Text(value) => ValueRef::Text(value.as_bytes()),
        }))
    }
}

fn failure(error: rusqlite::Error) -> CatalogError {
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::CannotOpen
            | ErrorCode::PermissionDenied
            | ErrorCode::ReadOnly
            | ErrorCode::SystemIoFailure
            | ErrorCode::OutOfMemory,
        ) => CatalogError::Unavailable(error.into()),
        Some(ErrorCode::DiskFull) => CatalogError::Full(error.into()),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => CatalogError::Damaged(error.into()),
        _ => CatalogError::Bug(error.into()),
    }
}

pub(crate) fn not_in_a_file() -> CatalogError {
    CatalogError::Bug("only a catalogue in a file of SQLite is backed up".into())
}

/// Nothing panics while one of these locks is held, and what they guard is whole at any moment anyway.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
