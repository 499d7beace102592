//! A whole database kept in memory, and put back.

use std::sync::Mutex;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::transaction::ChangeGuard;
use super::{Sqlite, failure, lock};
use crate::{CatalogError, Result};

/// A copy of a database. It is only read from now on.
pub(crate) struct MemoryCopy(Mutex<Connection>);

impl Sqlite {
    pub(crate) async fn save(&self) -> Result<MemoryCopy> {
        if self.file.is_some() {
            return Err(not_in_memory());
        }
        // Whoever has the connection has no transaction open when it lets go.
        let connection = self.writer.lock().await;
        let mut copy = Connection::open_in_memory().map_err(failure)?;
        copy_all(&connection, &mut copy).map_err(failure)?;
        Ok(MemoryCopy(Mutex::new(copy)))
    }

    pub(crate) async fn restore(&self, saved: &MemoryCopy) -> Result<()> {
        if self.file.is_some() {
            return Err(not_in_memory());
        }
        let mut connection = self.writer.lock().await;
        let _change = ChangeGuard::begin(&self.changes);
        let newest = newest_revision(&connection).map_err(failure)?;
        copy_all(&lock(&saved.0), &mut connection).map_err(failure)?;
        // A revision that was used before the restore must not come to mean something else after it.
        connection.execute("UPDATE accounts SET revision = ?1 + 1", [newest]).map_err(failure)?;
        Ok(())
    }
}

/// The largest revision of any account.
fn newest_revision(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT COALESCE(MAX(revision), 0) FROM accounts", [], |row| row.get(0))
}

fn copy_all(from: &Connection, to: &mut Connection) -> rusqlite::Result<()> {
    let backup = Backup::new(from, to)?;
    // All pages in one step: nobody else has either connection.
    backup.step(-1).map(drop)
}

pub(crate) fn not_in_memory() -> CatalogError {
    CatalogError::Bug("only a catalogue in memory is saved and put back".into())
}
