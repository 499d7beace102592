use std::path::Path;
use std::sync::Arc;

use crate::database::{Cells, Database, is_blank, migrate};
use crate::{AccountLimits, Result};

/// What Jingku knows. A clone is another handle on the same connections.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) database: Arc<Database>,
    /// What accounts without limits of their own may have.
    pub(crate) account_limits: AccountLimits,
}

/// A moment in the life of the catalogue; equal to a later one when nothing was changed in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation(u128);

/// Everything that a catalogue in memory held at one moment.
pub struct Snapshot(crate::database::MemoryCopy);

impl Catalog {
    /// Opens a catalogue in a file and brings its schema up to date. Creates the file, readable for its owner
    /// only, when there is none; the folder must exist.
    ///
    /// Several processes may have the same file open. Each sees what another has committed at once.
    pub async fn open_sqlite(path: &Path) -> Result<Self> {
        Self::migrated(Database::open_sqlite(path)?).await
    }

    /// Does the same, and calls `on_disk_full` each time a change finds the disk full. Where that has made room, which it
    /// returns, the change is tried once more.
    pub async fn open_sqlite_with(
        path: &Path,
        on_disk_full: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Result<Self> {
        let database = Database::open_sqlite(path)?;
        Self::migrated(database.with_disk_full_hook(Box::new(on_disk_full))).await
    }

    /// Opens a copy of a catalogue whose file or folder cannot be written to: one on a read-only disk, or another user's.
    /// The copy holds what was committed when it was made, and lies in a temporary folder until the last handle is
    /// dropped. Every change fails with [`CatalogError::ReadOnly`](crate::CatalogError::ReadOnly).
    pub async fn open_sqlite_copy(path: &Path) -> Result<Self> {
        let (database, folder) = Database::open_sqlite_copy(path).await?;
        migrate(&database).await?;
        Ok(Self { database: Arc::new(database.into_copy(folder)), account_limits: AccountLimits::NONE })
    }

    /// Tells whether there is nothing at all at this path: no file, or one that never became a catalogue, such as the one that
    /// is left of a young catalogue whose log is lost.
    pub fn is_blank_sqlite(path: &Path) -> bool {
        is_blank(path)
    }

    /// Makes an empty catalogue that lives as long as its last handle.
    pub async fn open_sqlite_in_memory() -> Result<Self> {
        Self::migrated(Database::open_sqlite_in_memory()?).await
    }

    /// Opens a catalogue in a PostgreSQL database (15 or later) and brings its schema up to date.
    ///
    /// `url` is `postgresql://user:password@host:port/database`, without TLS. The role must be allowed to
    /// create tables. Unless the URL brings `options` of its own, no statement waits longer than 5 s for a row.
    pub async fn connect_postgres(url: &str) -> Result<Self> {
        Self::migrated(Database::connect_postgres(url)?).await
    }

    async fn migrated(database: Database) -> Result<Self> {
        migrate(&database).await?;
        Ok(Self { database: Arc::new(database), account_limits: AccountLimits::NONE })
    }

    /// Returns what tells this library from every other: the project of its first account, which is made at random once
    /// and never changes. `None` before there is an account.
    pub async fn library_id(&self) -> Result<Option<String>> {
        let first = self.database.query("SELECT project_id FROM accounts WHERE id = 1", &[]).await?;
        first.into_iter().next().map(|row| row.decode("accounts", Cells::text)).transpose()
    }

    /// Fails when the catalogue cannot answer now, or when changes would be lost because its file was deleted, moved or
    /// replaced.
    pub async fn ping(&self) -> Result<()> {
        self.database.check_files().await?;
        self.database.query("SELECT accounts FROM counters", &[]).await.map(drop)
    }

    /// Looks whether the engine finds its own file whole, and tells what it finds wrong, a line each, at most a hundred.
    /// `thorough` compares indexes with their tables too, which takes several times as long. A value that was changed
    /// into another one goes unseen. PostgreSQL looks after itself: nothing is found there.
    pub async fn check(&self, thorough: bool) -> Result<Vec<String>> {
        self.database.check(thorough).await
    }

    /// Says at which moment the catalogue is, without reading the database: less than a microsecond, and no lock, once
    /// there has been a change.
    ///
    /// The generation moves with every commit, of this process or another. To keep something read from the
    /// catalogue, take the generation before the read: what was read is current while the generation stands.
    /// `None` means that it is not known now: on PostgreSQL always, in memory while a change is under way.
    pub fn generation(&self) -> Option<Generation> {
        self.database.generation().map(Generation)
    }

    /// Writes the whole catalogue, as it is at one moment, to a file that is opened as a catalogue again. Others go on
    /// reading and writing meanwhile. The file, of mode 0600, must not exist or be empty; it is durable afterwards,
    /// but for its name. Only SQLite in a file can do it; others fail with [`CatalogError::Bug`](crate::CatalogError::Bug).
    pub async fn back_up(&self, path: &Path) -> Result<()> {
        self.database.back_up(path).await
    }

    /// Keeps everything as it is now. Only a catalogue in memory can do it; another one fails with
    /// [`CatalogError::Bug`](crate::CatalogError::Bug).
    pub async fn snapshot(&self) -> Result<Snapshot> {
        self.database.save().await.map(Snapshot)
    }

    /// Makes everything what it was at the snapshot, which stays good. The generation moves, and so does the
    /// revision of every account, to a number it never had: whatever is remembered from before is out of date.
    pub async fn restore(&self, snapshot: &Snapshot) -> Result<()> {
        self.database.restore(&snapshot.0).await
    }
}
