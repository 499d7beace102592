//! Notes which rows of a catalogue change while it is copied, so that what is copied while nothing may change is little.
//!
//! Triggers write the key of each row that is added, changed or removed to a table, once. They slow changes down a little,
//! and are removed with the table when the catalogue has moved. A move that was killed leaves both, and the next one replaces
//! them: the table never has more rows than all others together had.

use std::collections::BTreeMap;

use super::table::{Key, Table};
use crate::database::{Cell, Transaction};
use crate::{CatalogError, Result};

/// The name of the table, and the start of the names of triggers and functions.
const NAME: &str = "catalogue_changes";

/// Begins to note changes, in place of what was noted before. The row without a name of a table has this mark.
pub(super) async fn open(transaction: &mut Transaction, tables: &[Table], mark: &str) -> Result<()> {
    close(transaction, tables).await?;
    let mut sql =
        format!("CREATE TABLE {NAME} (name TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (name, key));");
    for table in tables {
        sql += &match transaction {
            Transaction::Sqlite(_) => sqlite_triggers(table),
            Transaction::Postgres(_) => postgres_trigger(table),
        };
    }
    transaction.define(&sql).await?;
    let insert = format!("INSERT INTO {NAME} (name, key) VALUES ('', $1)");
    transaction.execute(&insert, &[mark.into()]).await.map(drop)
}

/// Stops. Does nothing if no changes are noted.
pub(super) async fn close(transaction: &mut Transaction, tables: &[Table]) -> Result<()> {
    let drop = |table: &Table| match transaction {
        Transaction::Sqlite(_) => {
            let drop = |change| format!("DROP TRIGGER IF EXISTS {NAME}_{}_{change};", table.name);
            CHANGES.map(drop).concat()
        }
        // With its trigger.
        Transaction::Postgres(_) => format!("DROP FUNCTION IF EXISTS {NAME}_{}() CASCADE;", table.name),
    };
    let drops: String = tables.iter().map(drop).collect();
    transaction.define(&format!("{drops} DROP TABLE IF EXISTS {NAME};")).await
}

/// The keys of rows that have changed since [`open`], by table. Fails if that was called again meanwhile.
pub(super) async fn read(
    transaction: &mut Transaction,
    tables: &[Table],
    mark: &str,
) -> Result<Vec<(usize, Vec<Key>)>> {
    let sql = format!("SELECT name, key FROM {NAME}");
    let rows: Vec<(String, String)> = transaction.query(&sql, &[]).await?.all(NAME)?;
    let mut changed: BTreeMap<usize, Vec<Key>> = BTreeMap::new();
    let mut is_own = false;
    for (name, key) in rows {
        if let Some(table) = tables.iter().position(|table| table.name == name) {
            changed.entry(table).or_default().push(parse(&key)?);
        } else {
            is_own = key == mark;
        }
    }
    if !is_own {
        return Err(CatalogError::Contended("another process is moving the catalogue".into()));
    }
    Ok(changed.into_iter().collect())
}

const CHANGES: [&str; 3] = ["INSERT", "UPDATE", "DELETE"];

/// Whether a change has a row before and after it, by the names that triggers have for them.
fn rows(change: &str) -> &'static [&'static str] {
    match change {
        "INSERT" => &["NEW"],
        "DELETE" => &["OLD"],
        _ => &["OLD", "NEW"],
    }
}

fn sqlite_triggers(table: &Table) -> String {
    let name = &table.name;
    let note = |row: &&str| {
        let key = format!("json_array({})", of_row(table, row));
        // A clause for conflicts would be that of the statement that fires the trigger.
        format!(
            "INSERT INTO {NAME} SELECT '{name}', {key}
             WHERE NOT EXISTS (SELECT 1 FROM {NAME} WHERE name = '{name}' AND key = {key});"
        )
    };
    let trigger = |change| {
        let notes: String = rows(change).iter().map(note).collect();
        format!("CREATE TRIGGER {NAME}_{name}_{change} AFTER {change} ON {name} BEGIN {notes} END;")
    };
    CHANGES.map(trigger).concat()
}

fn postgres_trigger(table: &Table) -> String {
    let name = &table.name;
    let note = |row: &&str| {
        let key = of_row(table, row);
        format!(
            "INSERT INTO {NAME} VALUES ('{name}', jsonb_build_array({key})::text) ON CONFLICT DO NOTHING;"
        )
    };
    let [insert, update, delete] = CHANGES.map(|change| rows(change).iter().map(note).collect::<String>());
    format!(
        "CREATE FUNCTION {NAME}_{name}() RETURNS trigger LANGUAGE plpgsql AS $jingku$ BEGIN
             IF TG_OP = 'INSERT' THEN {insert} ELSIF TG_OP = 'UPDATE' THEN {update} ELSE {delete} END IF;
             RETURN NULL;
         END $jingku$;
         CREATE TRIGGER {NAME} AFTER INSERT OR UPDATE OR DELETE ON {name}
         FOR EACH ROW EXECUTE FUNCTION {NAME}_{name}();"
    )
}

/// The columns of the primary key in a row of a trigger.
fn of_row(table: &Table, row: &str) -> String {
    table.key_columns().map(|column| format!("{row}.{column}")).collect::<Vec<_>>().join(", ")
}

fn parse(key: &str) -> Result<Key> {
    let bad = || CatalogError::Damaged(format!("{key} was noted as the key of a row").into());
    let values: Vec<serde_json::Value> = serde_json::from_str(key).map_err(|_| bad())?;
    let cells = values.into_iter().map(|value| match value {
        serde_json::Value::String(text) => Ok(Cell::from(text)),
        serde_json::Value::Number(number) => number.as_i64().map(Cell::from).ok_or_else(bad),
        _ => Err(bad()),
    });
    cells.collect()
}
