//! Brings the schema of a database up to what this program knows.
//!
//! A migration is a file under `migrations/`, written in SQLite's spelling (`INTEGER` is 64 bits wide there).
//! It is never changed once released: the database keeps the text it ran and refuses a program that has another.

use super::{Database, Row, Transaction};
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
    include_str!("../../migrations/0008_order.sql"),
    include_str!("../../migrations/0009_fair_jobs_and_limits.sql"),
    include_str!("../../migrations/0010_sparse_uploads.sql"),
    include_str!("../../migrations/0011_cautions.sql"),
];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (
    version INTEGER NOT NULL PRIMARY KEY,
    sql TEXT NOT NULL
)";

const APPLIED: &str = "SELECT version, sql FROM migrations ORDER BY version";

/// Runs the migrations that are missing, all or none, while other processes wait. Takes no lock where none is missing, so
/// that a catalogue opens at once beside a busy writer.
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
        // A new database does not have the table. Anything else that is wrong shows in the transaction.
        Err(CatalogError::Bug(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn run(transaction: &mut Transaction, known: &[&str]) -> Result<()> {
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

/// How many of the known migrations have been applied; refuses others.
fn count_applied(rows: Vec<Row>, known: &[&str]) -> Result<usize> {
    let mut applied = 0_usize;
    for row in rows {
        let (version, sql) = row.decode("migrations", |cells| Ok((cells.integer()?, cells.text()?)))?;
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
    use std::sync::Arc;

    use super::*;
    use crate::{AccountLimits, Catalog, KeyLimits};

    /// Opening a current schema waits neither for a writer nor for another process that migrates.
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
            // A lock is waited for at most 5 s, and then the call fails.
            migrate(&other).await.unwrap();
            holding.discard(()).await.unwrap();
        }
    }

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
        let catalog = Catalog { database: Arc::new(database), account_limits: AccountLimits::NONE };
        let (key, account) = catalog.find_key("public").await.unwrap().unwrap();
        assert_eq!((key.limits, account.name.as_str()), (KeyLimits::default(), "lab"));
    }
    /// Rows of before there was an order of creation keep the order that they were listed in, on every engine.
    #[tokio::test]
    async fn old_images_keep_their_order() {
        let mut databases = vec![Database::open_sqlite_in_memory().unwrap()];
        if let Some(url) = crate::testing::postgres_database().await {
            databases.push(Database::connect_postgres(&url).unwrap());
        }
        for database in databases {
            let mut transaction = database.begin().await.unwrap();
            run(&mut transaction, &MIGRATIONS[..7]).await.unwrap();
            for sql in [
                "INSERT INTO accounts VALUES (1, 'lab', 'org-lab', 0, 0), (2, 'other', 'org-other', 0, 0)",
                "INSERT INTO images (id, account_id, name, status, description, tags, cover, visibility, price_cents,
                     auto_start, supported_gpu_types, software_ports, firewall_ports, image_use_time_hours,
                     created_count, favorites_count, failed_reason, create_time, update_time, pub_time, group_id,
                     version_name, version_desc, source_gpu_type, region, zone, source_instance_id, size_bytes, readme)
                 SELECT id, account_id, id, 'Available', '', '[]', '', 0, 0, 0, '[]', '[]', '[]', 0, 0, 0, '',
                     create_time, 0, 0, '', '', '', '', 'r', 'z', '', 0, ''
                 FROM (SELECT 'b' AS id, 1 AS account_id, 7 AS create_time UNION ALL SELECT 'd', 1, 7
                       UNION ALL SELECT 'a', 2, 7 UNION ALL SELECT 'c', 1, 7 UNION ALL SELECT 'e', 1, 3) old",
            ] {
                transaction.execute(sql, &[]).await.unwrap();
            }
            transaction.commit(()).await.unwrap();
            migrate(&database).await.unwrap();
            let sql = "SELECT i.id, i.seq, i.ordinal, a.image_seq, a.image_time
                       FROM images i JOIN accounts a ON a.id = i.account_id ORDER BY i.ordinal";
            let read = |row: crate::database::Row| {
                row.decode("images", |cells| {
                    let mut numbers = [0; 4];
                    let id = cells.text()?;
                    for number in &mut numbers {
                        *number = cells.integer()?;
                    }
                    Ok((id, numbers))
                })
            };
            let rows = database.query(sql, &[]).await.unwrap().into_iter().map(|row| read(row).unwrap());
            let expected = [
                ("e", [1, 1, 4, 7]),
                ("a", [1, 2, 1, 7]),
                ("b", [2, 3, 4, 7]),
                ("c", [3, 4, 4, 7]),
                ("d", [4, 5, 4, 7]),
            ];
            assert!(rows.eq(expected.map(|(id, numbers)| (id.to_owned(), numbers))));
        }
    }

    /// Jobs that waited before there was an order of arrival keep the order that they had.
    #[tokio::test]
    async fn old_jobs_keep_their_order() {
        let mut engines = vec![Database::open_sqlite_in_memory().unwrap()];
        if let Some(url) = crate::testing::postgres_database().await {
            engines.push(Database::connect_postgres(&url).unwrap());
        }
        for database in engines {
            let mut transaction = database.begin().await.unwrap();
            run(&mut transaction, &MIGRATIONS[..7]).await.unwrap();
            let account = "INSERT INTO accounts VALUES (1, 'lab', 'org-lab', 0, 0)";
            transaction.execute(account, &[]).await.unwrap();
            for (id, created_at, finished_at) in
                [("c", 7, None), ("b", 8, None), ("a", 8, None), ("d", 6, Some(9_i64))]
            {
                let image = "INSERT INTO images (id, account_id, name, status, description, tags, cover, visibility,
                         price_cents, auto_start, supported_gpu_types, software_ports, firewall_ports,
                         image_use_time_hours, created_count, favorites_count, failed_reason, create_time,
                         update_time, pub_time, group_id, version_name, version_desc, source_gpu_type, region,
                         zone, source_instance_id, size_bytes, readme)
                     VALUES ($1, 1, $1, 'Making', '', '[]', '', 0, 0, 0, '[]', '[]', '[]', 0, 0, 0, '', $2, $2, 0,
                         '', '', '', '', '', '', '', 0, '')";
                transaction.execute(image, &[id.into(), created_at.into()]).await.unwrap();
                let job = "INSERT INTO jobs (id, account_id, image_id, instance_id, created_at, attempts, done_bytes,
                         total_bytes, finished_at) VALUES ($1, 1, $1, $1, $2, 0, 0, 0, $3)";
                transaction.execute(job, &[id.into(), created_at.into(), finished_at.into()]).await.unwrap();
            }
            transaction.commit(()).await.unwrap();
            migrate(&database).await.unwrap();
            let catalog = Catalog { database: Arc::new(database), account_limits: AccountLimits::NONE };
            let mut order = Vec::new();
            while let Some(job) = catalog.claim_job("worker", i64::MAX, 10, 60).await.unwrap() {
                order.push(job.image_id);
            }
            assert_eq!(order, ["c", "a", "b"]);
        }
    }
}
