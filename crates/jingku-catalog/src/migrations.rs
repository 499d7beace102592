//! Migrates the schema of a database to the version of this program.
//!
//! A migration is a file under `migrations/` that uses SQLite's type names (`INTEGER` has 64 bits there). It is never
//! changed once released: the database stores the text it ran and rejects a program with a different one.

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
    include_str!("../migrations/0015_claims.sql"),
];

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
    run(&mut transaction, MIGRATIONS).await?;
    transaction.commit(()).await
}

async fn is_current(database: &Database) -> Result<bool> {
    match database.query(APPLIED, &[]).await {
        Ok(rows) => Ok(count_applied(rows, MIGRATIONS)? == MIGRATIONS.len()),
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

/// Returns how many of the known migrations have been applied; rejects others.
fn count_applied(rows: Rows, known: &[&str]) -> Result<usize> {
    let mut applied = 0_usize;
    for (version, sql) in rows.all::<(i64, String)>("migrations")? {
        match known.get(applied) {
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

    /// Opening a current schema waits neither for a writer nor for a migrating process.
    #[tokio::test]
    async fn a_current_schema_is_opened_without_a_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.db");
        let mut engines =
            vec![(Database::open_sqlite(&path).unwrap(), Database::open_sqlite(&path).unwrap())];
        if let Some(url) = crate::testing::postgres_database().await {
            engines
                .push((Database::connect_postgres(&url).unwrap(), Database::connect_postgres(&url).unwrap()));
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
