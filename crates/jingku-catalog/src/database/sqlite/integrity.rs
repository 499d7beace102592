//! Whether a file is what SQLite wrote.

use std::sync::Arc;

use rusqlite::{Connection, ErrorCode};

use super::{Sqlite, failure};
use crate::{CatalogError, Result};

/// The most problems that a check of the catalogue reports.
const PROBLEMS_MAX: usize = 100;

impl Sqlite {
    /// Looks on a connection and a thread of its own: it may take long, and others go on reading and writing.
    pub(crate) async fn check(&self, thorough: bool) -> Result<Vec<String>> {
        let Some(file) = &self.file else {
            return problems(&*self.writer.lock().await, thorough);
        };
        let file = Arc::clone(file);
        let look = move || problems(&file.connect()?, thorough);
        tokio::task::spawn_blocking(look).await.map_err(|error| CatalogError::Unavailable(error.into()))?
    }
}

fn problems(connection: &Connection, thorough: bool) -> Result<Vec<String>> {
    let name = if thorough { "integrity_check" } else { "quick_check" };
    match look(connection, name) {
        Ok(problems) => Ok(problems),
        // Worse than what the check puts into words.
        Err(error)
            if matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
            ) =>
        {
            Ok(vec![error.to_string()])
        }
        Err(error) => Err(failure(error)),
    }
}

fn look(connection: &Connection, name: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA {name}({PROBLEMS_MAX})"))?;
    let told = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    let mut problems: Vec<String> = told.into_iter().filter(|line| line != "ok").collect();
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let orphan = |row: &rusqlite::Row<'_>| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        Ok(format!("a row of {table} belongs to one of {parent} that is not there"))
    };
    for orphan in statement.query_map([], orphan)? {
        if problems.len() >= PROBLEMS_MAX {
            break;
        }
        problems.push(orphan?);
    }
    Ok(problems)
}
