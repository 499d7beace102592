//! SQLite: one file, opened by any number of processes, or memory.

mod copy;
mod integrity;
mod log_index;
mod memory_copy;
mod open_files;
mod transaction;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ErrorCode, Statement, ToSql};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::fair_semaphore::Permit;
use super::value::Cell;
use super::{Param, Row};
use crate::{CatalogError, Result};
use log_index::LogIndex;
use open_files::OpenFiles;
use transaction::ChangeGuard;

pub(crate) use memory_copy::{MemoryCopy, not_in_memory};
pub(crate) use transaction::Transaction;

/// How long a statement waits for another process that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a change waits for those before it in this process, should the disk not answer.
pub const WRITER_WAIT_TIMEOUT: Duration = Duration::from_secs(30);
/// Connections kept for reading; more are opened when needed and closed after use.
const IDLE_READERS_MAX: usize = 16;
/// A page of the file, as SQLite makes them.
const PAGE_BYTES: u64 = 4096;
/// Marks a generation that was read from the index of the log, whose own numbers end below.
const OF_INDEX: u128 = 1 << 127;
/// Prepared statements kept by each connection: more than this crate has.
const STATEMENTS_MAX: usize = 128;

/// A SQLite database: one connection that writes, and for a file any number that read.
pub(crate) struct Sqlite {
    writer: Arc<AsyncMutex<Connection>>,
    /// Absent in memory, where the one connection does everything.
    file: Option<Arc<File>>,
    /// In memory: twice the number of changes, one more while a change is under way.
    changes: Arc<AtomicU64>,
}

struct File {
    files: OpenFiles,
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
        let files = OpenFiles::of(path)?;
        let writer = connect(path)?;
        let watcher = Mutex::new(connect(path)?);
        // All of them opened that very file.
        files.check()?;
        let file = File { files, idle_readers: Mutex::default(), watcher };
        Ok(Self {
            writer: Arc::new(AsyncMutex::new(writer)),
            file: Some(Arc::new(file)),
            changes: Arc::default(),
        })
    }

    pub(crate) fn open_in_memory() -> Result<Self> {
        let connection = Connection::open_in_memory().map_err(failure)?;
        prepare(&connection).map_err(failure)?;
        Ok(Self { writer: Arc::new(AsyncMutex::new(connection)), file: None, changes: Arc::default() })
    }

    /// Runs a short statement on the calling thread: that costs less than handing it to another thread.
    pub(crate) async fn query(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        match &self.file {
            Some(file) => file.query(sql, params),
            None => query(&*self.writer().await?, sql, params),
        }
    }

    /// Runs a statement that may take long on a thread that may wait, and holds `permit` until it ends, also when the
    /// caller has given up.
    pub(crate) async fn scan(&self, sql: &str, params: &[Param<'_>], permit: Permit) -> Result<Vec<Row>> {
        let sql = sql.to_owned();
        let params: Vec<Value> = params.iter().map(Value::from).collect();
        let scanned = if let Some(file) = &self.file {
            let file = Arc::clone(file);
            tokio::task::spawn_blocking(move || (file.query(&sql, &params), permit))
        } else {
            let connection = self.writer().await?;
            tokio::task::spawn_blocking(move || (query(&connection, &sql, &params), permit))
        };
        scanned.await.map_err(|error| CatalogError::Unavailable(error.into()))?.0
    }

    /// Fails when the files are not those in the folder.
    pub(crate) async fn check_files(&self) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let file = Arc::clone(file);
        let checked = tokio::task::spawn_blocking(move || file.files.check());
        checked.await.map_err(|error| CatalogError::Unavailable(error.into()))?
    }

    /// Waits for the connection that writes.
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

    /// Writes a compact copy by one statement that reads one moment. The backup interface of SQLite would begin anew
    /// whenever another process writes, and come to no end beside a busy server.
    pub(crate) async fn back_up(&self, path: &Path) -> Result<()> {
        let Some(file) = &self.file else { return Err(not_in_a_file()) };
        let (from, to) = (Arc::clone(file), path.to_owned());
        let copy = move || {
            let unavailable = |error: std::io::Error| CatalogError::Unavailable(error.into());
            let options = OpenOptions::new().create(true).append(true).mode(0o600).open(&to);
            drop(options.map_err(unavailable)?);
            let name = to.to_str().ok_or_else(|| unavailable(std::io::ErrorKind::InvalidFilename.into()))?;
            from.connect()?.execute("VACUUM INTO ?1", [name]).map_err(failure)?;
            // What SQLite writes this way it does not sync.
            std::fs::File::open(&to).and_then(|file| file.sync_all()).map_err(unavailable)
        };
        tokio::task::spawn_blocking(copy).await.map_err(|error| CatalogError::Unavailable(error.into()))?
    }

    pub(crate) fn generation(&self) -> Option<u128> {
        if let Some(file) = &self.file {
            return file.generation();
        }
        let changes = self.changes.load(Ordering::Acquire);
        changes.is_multiple_of(2).then_some(changes.into())
    }
}

impl File {
    /// Runs a statement on a connection of its own. It sees one moment.
    fn query(&self, sql: &str, params: &[impl ToSql]) -> Result<Vec<Row>> {
        let idle = lock(&self.idle_readers).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => self.connect()?,
        };
        let rows = query(&reader, sql, params);
        let mut idle_readers = lock(&self.idle_readers);
        if idle_readers.len() < IDLE_READERS_MAX {
            idle_readers.push(reader);
        }
        rows
    }

    /// SQLite's own number only where the index of the log cannot be read, since it takes locks. The numbers differ, and
    /// never come to mean the same.
    fn generation(&self) -> Option<u128> {
        let of_index = self.files.index().and_then(LogIndex::generation);
        of_index.map(|number| number | OF_INDEX).or_else(|| {
            let watcher = lock(&self.watcher);
            let mut statement = watcher.prepare_cached("PRAGMA data_version").ok()?;
            let version: i64 = statement.query_row([], |row| row.get(0)).ok()?;
            u128::try_from(version).ok()
        })
    }

    /// Opens one more connection to the file that is open already, and not to another one in its place.
    fn connect(&self) -> Result<Connection> {
        self.files.check()?;
        let connection = connect(self.files.path())?;
        self.files.check()?;
        Ok(connection)
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
            // Without a map of the file: an error of the disk would end the process by a signal instead of being returned.
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA mmap_size = 0;
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

fn query(connection: &Connection, sql: &str, params: &[impl ToSql]) -> Result<Vec<Row>> {
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
fn bind(statement: &mut Statement<'_>, params: &[impl ToSql]) -> Result<()> {
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

impl From<&Param<'_>> for Value {
    fn from(param: &Param<'_>) -> Self {
        match *param {
            Param::Null => Self::Null,
            Param::Integer(value) => Self::Integer(value),
            Param::Text(value) => Self::Text(value.to_owned()),
        }
    }
}

impl ToSql for Param<'_> {
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
