//! A copy of a database in memory, to restore later.

use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::connection::failure;
use crate::Result;

/// A copy of a database, never written to.
pub(crate) struct MemoryCopy(Mutex<Connection>);

impl MemoryCopy {
    pub(super) fn of(connection: &Connection) -> Result<Self> {
        let mut copy = Connection::open_in_memory().map_err(failure)?;
        copy_all(connection, &mut copy).map_err(failure)?;
        Ok(Self(Mutex::new(copy)))
    }

    pub(super) fn restore(&self, connection: &mut Connection) -> Result<()> {
        let newest = newest_revision(connection).map_err(failure)?;
        let saved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        copy_all(&saved, connection).map_err(failure)?;
        // A revision used before the restore must not get another meaning after it.
        connection.execute("UPDATE accounts SET revision = ?1 + 1", [newest]).map(drop).map_err(failure)
    }
}

/// The largest revision of any account.
fn newest_revision(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT COALESCE(MAX(revision), 0) FROM accounts", [], |row| row.get(0))
}

fn copy_all(from: &Connection, to: &mut Connection) -> rusqlite::Result<()> {
    // All pages in one step: both connections are exclusive.
    Backup::new(from, to)?.step(-1).map(drop)
}
