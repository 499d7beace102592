//! Brings the schema of a database up to what this program knows.
//!
//! A migration is a file under `migrations/`, written in SQLite's spelling (`INTEGER` is 64 bits wide there).
//! It is never changed once released: the database keeps the text it ran and refuses a program that has another.

use super::{Database, Transaction};
use crate::{CatalogError, Result};

/// In order; the version of a migration is its place, from 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/0001_first.sql"),
    include_str!("../../migrations/0002_sharing_and_community.sql"),
    include_str!("../../migrations/0003_key_limits.sql"),
    include_str!("../../migrations/0004_covers.sql"),
    include_str!("../../migrations/0005_trash.sql"),
    include_str!("../../migrations/0006_manifests.sql"),
    include_str!("../../migrations/0007_uploads.sql"),
    include_str!("../../migrations/0011_sparse_uploads.sql"),
];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (
    version INTEGER NOT NULL PRIMARY KEY,
    sql TEXT NOT NULL
)";

/// Runs the migrations that are missing, all or none, while other processes wait.
pub(crate) async fn migrate(database: &Database) -> Result<()> {
    let mut transaction = database.begin().await?;
    transaction.lock_schema().await?;
    run(&mut transaction, MIGRATIONS).await?;
    transaction.commit(()).await
}

async fn run(transaction: &mut Transaction, known: &[&str]) -> Result<()> {
    transaction.define(TABLE).await?;
    let rows = transaction.query("SELECT version, sql FROM migrations ORDER BY version", &[]).await?;
    let mut applied = 0_usize;
    for row in rows {
        let (version, sql) = row.decode("migrations", |cells| Ok((cells.integer()?, cells.text()?)))?;
        match known.get(applied) {
            None => return Err(CatalogError::Newer { found: version, known: known.len() }),
            Some(text) if *text != sql => return Err(CatalogError::Diverged { version }),
            Some(_) => applied += 1,
        }
    }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Catalog, KeyLimits};

    /// What came before limits was good for everything, and stays so.
    #[tokio::test]
    async fn an_old_key_has_no_limits() {
        let database = Database::open_sqlite_in_memory().unwrap();
        let mut transaction = database.begin().await.unwrap();
        run(&mut transaction, &MIGRATIONS[..1]).await.unwrap();
        for sql in [
            "INSERT INTO accounts VALUES (1, 'lab', 'org-lab', 0, 0)",
            "INSERT INTO keys VALUES ('public', 1, 'laptop', 'sealed', 0, NULL)",
        ] {
            transaction.execute(sql, &[]).await.unwrap();
        }
        transaction.commit(()).await.unwrap();
        migrate(&database).await.unwrap();
        let catalog = Catalog { database: Arc::new(database) };
        let (key, account) = catalog.find_key("public").await.unwrap().unwrap();
        assert_eq!((key.limits, account.name.as_str()), (KeyLimits::default(), "lab"));
    }
}
