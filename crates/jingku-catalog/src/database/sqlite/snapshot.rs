use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::connection::failure;
use crate::Result;

/// A copy of a catalogue in memory at one moment.
pub struct Snapshot(Mutex<Connection>);

impl Snapshot {
    pub(super) fn of(connection: &Connection) -> Result<Self> {
        let mut copy = Connection::open_in_memory().map_err(failure)?;
        copy_all(connection, &mut copy)?;
        Ok(Self(Mutex::new(copy)))
    }

    pub(super) fn restore(&self, connection: &mut Connection) -> Result<()> {
        let newest = "SELECT COALESCE(MAX(revision), 0) FROM accounts";
        let newest: i64 = connection.query_row(newest, [], |row| row.get(0)).map_err(failure)?;
        copy_all(&self.0.lock().unwrap_or_else(PoisonError::into_inner), connection)?;
        // A revision used before the restore must not get another meaning after it.
        // Images of before the restore are gone like purged ones.
        let sql = "UPDATE accounts SET revision = ?1 + 1, purged_changed = ?1 + 1, shares_changed = ?1 + 1";
        connection.execute(sql, [newest]).map(drop).map_err(failure)
    }
}

fn copy_all(from: &Connection, to: &mut Connection) -> Result<()> {
    // All pages in one step: both connections are exclusive.
    Backup::new(from, to).and_then(|backup| backup.step(-1)).map(drop).map_err(failure)
}
