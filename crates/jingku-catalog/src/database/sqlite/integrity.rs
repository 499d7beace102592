//! The integrity checks of SQLite.

use rusqlite::{Connection, ErrorCode};

use super::connection::failure;
use crate::Result;

/// The most problems that a check of the catalogue reports. It is also SQLite's own maximum for one check.
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
    let mut statement = connection.prepare(&format!(
        "SELECT {name} FROM pragma_{name} WHERE {name} <> 'ok'
         UNION ALL
         SELECT 'a row of ' || \"table\" || ' refers to a missing row of ' || parent FROM pragma_foreign_key_check
         LIMIT {PROBLEMS_MAX}"
    ))?;
    statement.query_map([], |row| row.get(0))?.collect()
}
