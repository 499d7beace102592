//! One SQLite connection: its settings, statements and errors.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::ffi::SQLITE_CONSTRAINT_TRIGGER;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, Statement, ToSql};

use crate::database::row::Rows;
use crate::database::value::{Cell, Value};
use crate::{CatalogError, Result};

/// How long a statement waits for another process that locks the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The page size of the file, SQLite's default.
const PAGE_BYTES: u64 = 4096;
/// Prepared statements cached per connection: more than this crate has.
const STATEMENTS_MAX: usize = 128;

/// Returns whether the file is missing, or is the first page of a catalogue whose log is lost: a new catalogue is
/// entirely in its log. Creates nothing. Opening the file reports anything else that is wrong.
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

pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // synchronous = FULL makes a commit durable before it returns; NORMAL would lose the last ones in a crash.
    // mmap_size = 0: with a mapped file, a disk error would kill the process by a signal instead of being returned.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA mmap_size = 0;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    prepare(&connection)?;
    Ok(connection)
}

/// Applies the settings common to files and memory.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA foreign_keys = ON")?;
    // Query plans must not depend on bound values. Otherwise this build of SQLite replans a statement after each
    // binding, which doubles the cost of a page.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(())
}

pub(super) fn query(connection: &Connection, sql: &str, params: &[impl ToSql]) -> Result<Rows> {
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
        found.push(cells);
    }
    Ok(Rows(found))
}

pub(super) fn execute(connection: &Connection, sql: &str, params: &[Value<'_>]) -> Result<u64> {
    let mut statement = connection.prepare_cached(sql).map_err(failure)?;
    bind(&mut statement, params)?;
    statement.raw_execute().map(|rows| rows as u64).map_err(failure)
}

fn cell(value: ValueRef<'_>) -> Result<Cell> {
    match value {
        ValueRef::Null => Ok(Cell::Null),
        ValueRef::Integer(value) => Ok(Cell::Integer(value)),
        ValueRef::Text(_) => value
            .as_str()
            .map(|text| Cell::Text(text.to_owned().into()))
            .map_err(|error| CatalogError::Damaged(error.into())),
        ValueRef::Real(_) | ValueRef::Blob(_) => {
            Err(CatalogError::Damaged(format!("a column holds a {}", value.data_type()).into()))
        }
    }
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| CatalogError::Unavailable(error.into()))?
}

/// Binds by name: SQLite takes `$2` as a parameter named "$2" and numbers it by its first appearance.
fn bind(statement: &mut Statement<'_>, params: &[impl ToSql]) -> Result<()> {
    if statement.parameter_count() != params.len() {
        return Err(CatalogError::Bug("the parameters do not match the statement".into()));
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

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Integer(value) => ValueRef::Integer(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
        }))
    }
}

pub(super) fn failure(error: rusqlite::Error) -> CatalogError {
    if let rusqlite::Error::SqliteFailure(code, Some(message)) = &error
        && code.extended_code == SQLITE_CONSTRAINT_TRIGGER
        && let Some(moved) = CatalogError::moved(message)
    {
        return moved;
    }
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
