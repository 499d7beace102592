//! The integrity checks of SQLite.

use rusqlite::{Connection, ErrorCode};

use super::connection::failure;
use crate::Result;

/// The most problems that a check of the catalogue reports.
const PROBLEMS_MAX: usize = 100;

/// Returns what the check finds, one line per problem.
pub(super) fn problems(connection: &Connection, thorough: bool) -> Result<Vec<String>> {
    let name = if thorough { "integrity_check" } else { "quick_check" };
    run(connection, name).or_else(|error| match error.sqlite_error_code() {
        // The damage prevents the check itself.
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Ok(vec![error.to_string()]),
        _ => Err(failure(error)),
    })
}

fn run(connection: &Connection, name: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA {name}({PROBLEMS_MAX})"))?;
    let lines = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    let mut problems: Vec<String> = lines.into_iter().filter(|line| line != "ok").collect();
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let orphan = |row: &rusqlite::Row<'_>| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        Ok(format!("a row of {table} refers to a missing row of {parent}"))
    };
    for orphan in statement.query_map([], orphan)? {
        if problems.len() >= PROBLEMS_MAX {
            break;
        }
        problems.push(orphan?);
    }
    Ok(problems)
}
