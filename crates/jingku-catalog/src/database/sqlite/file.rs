//! A database file and the connections that read it.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, ToSql};

use super::connection::{connect, failure, query};
use super::log_index;
use super::open_files::OpenFiles;
use crate::Result;
use crate::database::row::Rows;

/// Reading connections kept open; more are opened when needed and closed after use.
const IDLE_READERS_MAX: usize = 16;
/// Marks a generation read from the index of the log; SQLite's own numbers are smaller.
const OF_INDEX: u128 = 1 << 127;

pub(super) struct File {
    pub(super) files: OpenFiles,
    idle_readers: Mutex<Vec<Connection>>,
    /// Never writes, so its `data_version` changes with every commit of every other connection.
    watcher: Mutex<Connection>,
}

impl File {
    /// Opens an existing file and a connection that writes to it.
    pub(super) fn open(path: &Path) -> Result<(Self, Connection)> {
        let files = OpenFiles::of(path)?;
        let writer = connect(path).map_err(failure)?;
        let watcher = Mutex::new(connect(path).map_err(failure)?);
        // All connections opened that very file.
        files.check()?;
        Ok((Self { files, idle_readers: Mutex::default(), watcher }, writer))
    }

    /// Runs a statement on a connection of its own. It sees one snapshot.
    pub(super) fn query(&self, sql: &str, params: &[impl ToSql]) -> Result<Rows> {
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

    /// Uses SQLite's own number, which takes locks, only if the index of the log cannot be read. The two kinds of number
    /// never collide.
    pub(super) fn generation(&self) -> Option<u128> {
        let of_index = self.files.index().and_then(log_index::generation);
        of_index.map(|number| number | OF_INDEX).or_else(|| {
            let watcher = lock(&self.watcher);
            let mut statement = watcher.prepare_cached("PRAGMA data_version").ok()?;
            let version: i64 = statement.query_row([], |row| row.get(0)).ok()?;
            u128::try_from(version).ok()
        })
    }

    /// Opens another connection, and fails if the file was replaced.
    pub(super) fn connect(&self) -> Result<Connection> {
        self.files.check()?;
        let connection = connect(&self.files.path).map_err(failure)?;
        self.files.check()?;
        Ok(connection)
    }
}

/// Nothing panics while one of these locks is held, and the contents are always valid.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
