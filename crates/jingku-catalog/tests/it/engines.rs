//! Opens an empty catalogue on each engine.

use jingku_catalog::{Catalog, testing};
use rusqlite::Connection;
use tempfile::TempDir;

/// Fails a statement that changes an image without its version. Only what is not shown may change so.
const ROWS_ARE_VERSIONED: &str = "
    CREATE TRIGGER rows_are_versioned BEFORE UPDATE ON images
    WHEN NEW.changed <> (SELECT revision FROM accounts WHERE id = NEW.account_id)
        AND NEW.data_bytes IS OLD.data_bytes
    BEGIN SELECT RAISE(ABORT, 'an image changes without its version'); END";

/// An empty catalogue, deleted when dropped.
pub(crate) struct Engine {
    pub(crate) catalog: Catalog,
    reopen: Reopen,
    /// Whether the schema is newer than this program.
    pub(crate) is_newer: bool,
}

enum Reopen {
    Memory,
    File(TempDir),
    Postgres(String),
}

impl Engine {
    pub(crate) async fn sqlite_in_memory() -> Self {
        let catalog = Catalog::open_sqlite_in_memory().await.unwrap();
        Self { catalog, reopen: Reopen::Memory, is_newer: false }
    }

    pub(crate) async fn sqlite_file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.db");
        let catalog = Catalog::open_sqlite(&path).await.unwrap();
        Connection::open(&path).unwrap().execute_batch(ROWS_ARE_VERSIONED).unwrap();
        Self { catalog, reopen: Reopen::File(folder), is_newer: false }
    }

    /// `None` where PostgreSQL is not installed.
    pub(crate) async fn postgres() -> Option<Self> {
        let url = testing::postgres_database().await?;
        let catalog = Catalog::connect_postgres(&url, None).await.unwrap();
        Some(Self { catalog, reopen: Reopen::Postgres(url), is_newer: false })
    }

    /// PostgreSQL with a schema of the next version, as an old server finds it during an upgrade. Its handle was opened before.
    pub(crate) async fn postgres_of_next_version() -> Option<Self> {
        let engine = Self::postgres().await?;
        engine.catalog.ping().await.unwrap();
        let Reopen::Postgres(url) = &engine.reopen else { unreachable!("it is PostgreSQL") };
        testing::run_sql(url, &testing::next_migration()).await;
        Some(Self { is_newer: true, ..engine })
    }

    /// Returns whether it is SQLite in a file.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.reopen, Reopen::File(_))
    }

    pub(crate) fn is_memory(&self) -> bool {
        matches!(self.reopen, Reopen::Memory)
    }

    /// Runs statements beside the catalogue, which notices nothing. Returns `false` in memory.
    pub(crate) async fn run_sql(&self, sql: &str) -> bool {
        match &self.reopen {
            Reopen::Memory => return false,
            Reopen::File(folder) => {
                Connection::open(folder.path().join("catalog.db")).unwrap().execute_batch(sql).unwrap();
            }
            Reopen::Postgres(url) => testing::run_sql(url, sql).await,
        }
        true
    }

    /// The same catalogue as seen by another process; in memory, the same handle.
    pub(crate) async fn other_process(&self) -> Catalog {
        match &self.reopen {
            Reopen::Memory => self.catalog.clone(),
            Reopen::File(folder) => Catalog::open_sqlite(&folder.path().join("catalog.db")).await.unwrap(),
            Reopen::Postgres(url) => Catalog::connect_postgres(url, None).await.unwrap(),
        }
    }
}

/// Generates a test of each `async fn(Engine)` for every engine.
macro_rules! on_every_engine {
    ($($test:ident),+ $(,)?) => {
        mod sqlite_in_memory {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(crate::engines::Engine::sqlite_in_memory().await).await;
            })+
        }
        mod sqlite_file {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(crate::engines::Engine::sqlite_file().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                if let Some(engine) = crate::engines::Engine::postgres().await {
                    super::$test(engine).await;
                }
            })+
        }
        mod postgres_of_next_version {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                if let Some(engine) = crate::engines::Engine::postgres_of_next_version().await {
                    super::$test(engine).await;
                }
            })+
        }
    };
}

pub(crate) use on_every_engine;
