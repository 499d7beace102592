//! Migrates the schema of a database to the version of this program.
//!
//! A migration is a file under `migrations/` that uses SQLite's type names (`INTEGER` has 64 bits there). It is never
//! changed once released: the database stores the text it ran and rejects a program with a different one.
//!
//! A migration that starts with the line [`COMPATIBLE`] only adds what programs without it need not know: tables, indexes
//! that are not unique, and columns that may be null or have a default. Such a program may run, and start, on the newer
//! schema, so that the servers of one database are upgraded one after another. Other migrations wait until no server of an
//! older program has a lease.

use crate::database::{Database, Rows, Transaction};
use crate::{CatalogError, Result};

/// In order; the version of a migration is its index, counted from 1.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_first.sql"),
    include_str!("../migrations/0002_sharing_and_community.sql"),
    include_str!("../migrations/0003_key_limits.sql"),
    include_str!("../migrations/0004_covers.sql"),
    include_str!("../migrations/0005_trash.sql"),
    include_str!("../migrations/0006_manifests.sql"),
    include_str!("../migrations/0007_uploads.sql"),
    include_str!("../migrations/0008_order.sql"),
    include_str!("../migrations/0009_fair_jobs_and_limits.sql"),
    include_str!("../migrations/0010_sparse_uploads.sql"),
    include_str!("../migrations/0011_cautions.sql"),
    include_str!("../migrations/0012_containers.sql"),
    include_str!("../migrations/0013_pods.sql"),
    include_str!("../migrations/0014_list.sql"),
    include_str!("../migrations/0015_store_id.sql"),
    include_str!("../migrations/0016_claims.sql"),
    include_str!("../migrations/0017_hosts.sql"),
    include_str!("../migrations/0018_lists.sql"),
    include_str!("../migrations/0019_pod_ssh_keys.sql"),
    include_str!("../migrations/0020_audit.sql"),
    include_str!("../migrations/0021_usage_samples.sql"),
    include_str!("../migrations/0022_sign_ins_and_transfers.sql"),
    include_str!("../migrations/0023_webhooks.sql"),
    include_str!("../migrations/0024_unique_bytes.sql"),
];

/// The first line of a migration whose schema programs of the version before can use.
pub(crate) const COMPATIBLE: &str = "-- Compatible with programs of the version before.";

/// The version of the schema that first knows the servers of a catalogue.
const FIRST_WITH_HOSTS: usize = 17;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (
    version INTEGER NOT NULL PRIMARY KEY,
    sql TEXT NOT NULL
)";

const APPLIED: &str = "SELECT version, sql FROM migrations ORDER BY version";

/// Runs the missing migrations, all or none, while other processes wait. If none is missing it takes no lock, so a
/// catalogue opens at once beside a busy writer.
pub(crate) async fn migrate(database: &Database) -> Result<()> {
    if is_current(database).await? {
        return Ok(());
    }
    let mut transaction = database.begin().await?;
    transaction.lock_schema().await?;
    require_no_older_server(&mut transaction, database.clock()).await?;
    run(&mut transaction, MIGRATIONS).await?;
    transaction.commit(()).await
}

/// Fails if a server uses the catalogue that cannot use the schema of this program.
async fn require_no_older_server(transaction: &mut Transaction, clock: &str) -> Result<()> {
    transaction.define(TABLE).await?;
    let applied = count_applied(transaction.query(APPLIED, &[]).await?, MIGRATIONS)?;
    // The version that a program must know at least.
    let oldest =
        MIGRATIONS.iter().rposition(|text| text.lines().next() != Some(COMPATIBLE)).map_or(0, |at| at + 1);
    if oldest <= applied || applied < FIRST_WITH_HOSTS {
        return Ok(());
    }
    let oldest = i64::try_from(oldest).unwrap_or(i64::MAX);
    let sql =
        format!("SELECT name FROM hosts WHERE schema_version < $1 AND lease_until > {clock} ORDER BY name");
    let older: Vec<String> = transaction.query(&sql, &[oldest.into()]).await?.all("hosts")?;
    if older.is_empty() { Ok(()) } else { Err(CatalogError::OlderServers(older.join(", "))) }
}

async fn is_current(database: &Database) -> Result<bool> {
    match database.query(APPLIED, &[]).await {
        Ok(rows) => Ok(count_applied(rows, MIGRATIONS)? >= MIGRATIONS.len()),
        // A new database does not have the table. The transaction reports any other problem.
        Err(CatalogError::Bug(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

pub(crate) async fn run(transaction: &mut Transaction, known: &[&str]) -> Result<()> {
    transaction.define(TABLE).await?;
    let applied = count_applied(transaction.query(APPLIED, &[]).await?, known)?;
    for (text, version) in known.iter().zip(1_i64..).skip(applied) {
        transaction.define(text).await?;
        transaction
            .execute(
                "INSERT INTO migrations (version, sql) VALUES ($1, $2)",
                &[version.into(), (*text).into()],
            )
            .await?;
    }
    Ok(())
}

/// Fails if the schema is not exactly the one of this program, so that it has nothing that this program cannot read.
pub(crate) async fn require_current(transaction: &mut Transaction) -> Result<()> {
    let applied = count_applied(transaction.query(APPLIED, &[]).await?, MIGRATIONS)?;
    let (found, known) = (i64::try_from(applied).unwrap_or(i64::MAX), MIGRATIONS.len());
    if applied == known { Ok(()) } else { Err(CatalogError::Newer { found, known }) }
}

/// Returns how many migrations have been applied; rejects those that are not known, unless they are compatible.
fn count_applied(rows: Rows, known: &[&str]) -> Result<usize> {
    let mut applied = 0_usize;
    for (version, sql) in rows.all::<(i64, String)>("migrations")? {
        match known.get(applied) {
            None if sql.lines().next() == Some(COMPATIBLE) => applied += 1,
            None => return Err(CatalogError::Newer { found: version, known: known.len() }),
            Some(text) if *text != sql => return Err(CatalogError::Diverged { version }),
            Some(_) => applied += 1,
        }
    }
    Ok(applied)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The columns of a schema: table, name, type, whether it may be null, default.
    async fn columns(database: &Database) -> Vec<(String, (String, String, i64, String))> {
        let sql = "SELECT t.name, c.name, c.type, c.\"notnull\", COALESCE(c.dflt_value, '')
                   FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'";
        database.query(sql, &[]).await.unwrap().all("columns").unwrap()
    }

    /// What the rows of a table must satisfy besides its columns: each rule starts with the name of the table.
    async fn rules(database: &Database) -> Vec<String> {
        let sql =
            "SELECT t.name || ' unique ' || i.name FROM sqlite_master t JOIN pragma_index_list(t.name) i
                   WHERE t.type = 'table' AND i.\"unique\" = 1
                   UNION ALL SELECT tbl_name || ' trigger ' || name FROM sqlite_master WHERE type = 'trigger'
                   UNION ALL SELECT t.name || ' refers to ' || f.\"table\"
                   FROM sqlite_master t JOIN pragma_foreign_key_list(t.name) f WHERE t.type = 'table'";
        database.query(sql, &[]).await.unwrap().all("rules").unwrap()
    }

    #[tokio::test]
    async fn a_compatible_migration_only_adds_what_older_programs_need_not_know() {
        let database = Database::open_sqlite_in_memory().unwrap();
        let mut compatible = 0;
        for count in 1..=MIGRATIONS.len() {
            let before = if count == 1 {
                (vec![], vec![])
            } else {
                (columns(&database).await, rules(&database).await)
            };
            let mut transaction = database.begin().await.unwrap();
            run(&mut transaction, &MIGRATIONS[..count]).await.unwrap();
            transaction.commit(()).await.unwrap();
            if MIGRATIONS[count - 1].lines().next() != Some(COMPATIBLE) {
                continue;
            }
            compatible += 1;
            let (old_columns, old_rules) = before;
            let new_columns = columns(&database).await;
            let kept = old_columns.iter().all(|column| new_columns.contains(column));
            assert!(kept, "migration {count} changes a column");
            let is_old = |table: &str| old_columns.iter().any(|(old, _)| old == table);
            for (table, (column, _, not_null, default)) in &new_columns {
                let is_new = !old_columns.iter().any(|(old, (name, ..))| (old, name) == (table, column));
                let optional = *not_null == 0 || !default.is_empty();
                assert!(
                    !is_new || optional || !is_old(table),
                    "older programs do not set {column} of {table}"
                );
            }
            for rule in rules(&database).await.iter().filter(|rule| !old_rules.contains(rule)) {
                let table = rule.split(' ').next().unwrap();
                assert!(!is_old(table), "older programs do not know the rule {rule:?}");
            }
        }
        assert!(compatible > 0);
    }

    /// A server of version 17 cannot use version 18, which is not compatible.
    #[tokio::test]
    async fn an_incompatible_migration_waits_for_older_servers() {
        let mut engines = vec![Database::open_sqlite_in_memory().unwrap()];
        if let Some(url) = crate::testing::postgres_database().await {
            engines.push(Database::connect_postgres(&url, None).unwrap());
        }
        for database in engines {
            let clock = database.clock();
            let mut transaction = database.begin().await.unwrap();
            run(&mut transaction, &MIGRATIONS[..FIRST_WITH_HOSTS]).await.unwrap();
            let sql = format!(
                "INSERT INTO hosts
                     (name, node, session, version, schema_version, address, started_at, seen_at, lease_until)
                 VALUES ('older', '', '', '', 17, '', 0, 0, {clock} + 60)"
            );
            transaction.execute(&sql, &[]).await.unwrap();
            transaction.commit(()).await.unwrap();
            let refused = migrate(&database).await.unwrap_err();
            assert!(matches!(&refused, CatalogError::OlderServers(names) if names == "older"), "{refused}");
            assert!(!is_current(&database).await.unwrap());

            let mut transaction = database.begin().await.unwrap();
            transaction.execute("UPDATE hosts SET lease_until = 0", &[]).await.unwrap();
            transaction.commit(()).await.unwrap();
            migrate(&database).await.unwrap();
            assert!(is_current(&database).await.unwrap());
        }
    }

    /// Opening a current schema waits neither for a writer nor for a migrating process.
    #[tokio::test]
    async fn a_current_schema_is_opened_without_a_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.db");
        let mut engines =
            vec![(Database::open_sqlite(&path).unwrap(), Database::open_sqlite(&path).unwrap())];
        if let Some(url) = crate::testing::postgres_database().await {
            let connect = || Database::connect_postgres(&url, None).unwrap();
            engines.push((connect(), connect()));
        }
        for (holder, other) in engines {
            migrate(&holder).await.unwrap();
            let mut holding = holder.begin().await.unwrap();
            holding.lock_schema().await.unwrap();
            // Waiting for a lock fails after 5 s.
            migrate(&other).await.unwrap();
            holding.discard(()).await.unwrap();
        }
    }
}
