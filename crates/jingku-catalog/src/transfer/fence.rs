//! Rejects every change of a catalogue that was moved, also by processes that opened it before.

use crate::database::Transaction;
use crate::{CatalogError, Result};

/// The start of the names of triggers in SQLite, and the name of the function and its triggers in PostgreSQL.
const NAME: &str = "catalogue_moved";

/// Waits until no other transaction changes one of the tables. Others wait until this one ends.
pub(super) async fn lock(transaction: &mut Transaction, tables: &[&str]) -> Result<()> {
    match transaction {
        // BEGIN IMMEDIATE excludes every other writer.
        Transaction::Sqlite(_) => Ok(()),
        Transaction::Postgres(_) => {
            let mut tables = tables.to_vec();
            tables.sort_by_key(|table| place(table));
            let sql = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", tables.join(", "));
            transaction.define(&sql).await
        }
    }
}

/// The place of a table in the order in which changes lock rows. In another order, this and a change would wait for each
/// other, and PostgreSQL ends what has waited longest, which is this.
fn place(table: &str) -> u8 {
    match table {
        "accounts" => 0,
        "counters" => 2,
        "audit_head" => 3,
        _ => 1,
    }
}

/// Rejects every change after the end of this transaction, also those that wait for it.
pub(super) async fn raise(transaction: &mut Transaction, tables: &[&str], place: &str) -> Result<()> {
    let reason = format!("'{}{}'", CatalogError::MOVED_TO, place.replace('\'', "''"));
    let sql = match transaction {
        Transaction::Sqlite(_) => {
            let trigger = |table: &str, change: &str| {
                format!(
                    "CREATE TRIGGER {NAME}_{table}_{change} BEFORE {change} ON {table}
                     BEGIN SELECT RAISE(ABORT, {reason}); END;"
                )
            };
            let changes =
                |table| ["INSERT", "UPDATE", "DELETE"].map(|change| trigger(table, change)).concat();
            tables.iter().copied().map(changes).collect::<Vec<_>>().concat()
        }
        Transaction::Postgres(_) => {
            let function = format!(
                "CREATE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql
                 AS $jingku$ BEGIN RAISE EXCEPTION USING MESSAGE = {reason}; END $jingku$;"
            );
            let trigger = |table: &&str| {
                format!(
                    "CREATE TRIGGER {NAME} BEFORE INSERT OR UPDATE OR DELETE ON {table}
                     FOR EACH STATEMENT EXECUTE FUNCTION {NAME}();"
                )
            };
            function + &tables.iter().map(trigger).collect::<Vec<_>>().concat()
        }
    };
    transaction.define(&sql).await
}

/// Allows changes again. Does nothing if they are allowed.
pub(super) async fn lower(transaction: &mut Transaction) -> Result<()> {
    let sql = match transaction {
        Transaction::Sqlite(_) => {
            let sql = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE $1";
            let names: Vec<String> =
                transaction.query(sql, &[format!("{NAME}%").into()]).await?.all("sqlite_master")?;
            names.iter().map(|name| format!("DROP TRIGGER {name};")).collect::<Vec<_>>().concat()
        }
        // With its triggers.
        Transaction::Postgres(_) => format!("DROP FUNCTION IF EXISTS {NAME}() CASCADE"),
    };
    transaction.define(&sql).await
}
