//! Temporary PostgreSQL servers for the tests of this crate and, with the feature `testing`, of the crates above it.

mod server;
mod sql;

use std::env;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::migrations::{COMPATIBLE, MIGRATIONS};

pub use server::{PostgresServer, url_of};
pub use sql::run_sql;

/// Chooses the catalogue of tests of the service: `postgres`, or a file if it is not set.
const VARIABLE: &str = "JINGKU_TEST_CATALOG";

/// Makes an empty PostgreSQL database and returns its URL.
///
/// The server is started on the first call of a process and stopped, and its folder removed, when the process
/// ends. Where PostgreSQL is not installed it returns `None`, or panics in CI, as [`PostgresServer::start`].
pub async fn postgres_database() -> Option<String> {
    static SERVER: OnceLock<Option<PostgresServer>> = OnceLock::new();
    static DATABASES: AtomicU32 = AtomicU32::new(1);
    let server = SERVER.get_or_init(|| PostgresServer::start("")).as_ref()?;
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    Some(server.create_database(&name).await)
}

/// The statements of a next version that makes every change that a compatible migration may make to a table.
pub fn next_migration() -> String {
    let text = format!("{COMPATIBLE}\nCREATE TABLE later (id BIGINT NOT NULL PRIMARY KEY);");
    let columns = "DO $$ DECLARE name TEXT; BEGIN
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migrations' LOOP
            EXECUTE format('ALTER TABLE %I ADD COLUMN later_null BIGINT', name);
            EXECUTE format('ALTER TABLE %I ADD COLUMN later_text TEXT NOT NULL DEFAULT ''later''', name);
            EXECUTE format('CREATE INDEX ON %I (later_text)', name);
        END LOOP;
    END $$;";
    let version = MIGRATIONS.len() + 1;
    format!("BEGIN; {columns}\n{text} INSERT INTO migrations VALUES ({version}, '{text}'); COMMIT;")
}

/// Makes the database that a test of the service must use as its catalogue; `None` if the test must use a file.
pub async fn chosen_database() -> Option<String> {
    let chosen = env::var(VARIABLE).unwrap_or_default();
    match chosen.as_str() {
        "" => None,
        "postgres" => Some(postgres_database().await.expect("PostgreSQL is installed")),
        other => panic!("{VARIABLE} is {other:?}, which is not postgres"),
    }
}
