use std::path::Path;
use std::sync::Arc;

use crate::community::ranking::{self, GroupOrders};
use crate::database::{Database, Snapshot, Sqlite, is_blank, not_in_memory, sync_file};
use crate::images::bitmaps::{self, PositionCache};
use crate::images::shared_order::{self, SharedOrders};
use crate::migrations::migrate;
use crate::{AccountLimits, CatalogError, Result};

/// Maximum of all caches of a catalogue together, in bytes.
pub const CACHES_BYTES_MAX: u64 =
    ranking::KEPT_BYTES_MAX + bitmaps::KEPT_BYTES_MAX + shared_order::KEPT_BYTES_MAX;

/// The catalogue. A clone is another handle on the same connections.
#[derive(Clone)]
pub struct Catalog {
    pub(crate) database: Arc<Database>,
    /// The limits of accounts that have none of their own.
    pub(crate) account_limits: AccountLimits,
    pub(crate) positions: Arc<PositionCache>,
    pub(crate) shared_orders: Arc<SharedOrders>,
    pub(crate) group_orders: Arc<GroupOrders>,
    /// The name of the server that this handle is for: see [`Catalog::with_host`].
    pub(crate) host: Arc<str>,
}

/// A version of the catalogue; equal to a later one if nothing was changed in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation(u128);

impl Catalog {
    /// Opens a catalogue in a file and migrates its schema. Creates the file with mode 0600 if it is missing; the folder
    /// must exist.
    ///
    /// Several processes may have the same file open. Each sees the commits of the others at once.
    pub async fn open_sqlite(path: &Path) -> Result<Self> {
        Self::migrated(Database::open_sqlite(path)?).await
    }

    /// Opens a catalogue in a file, and calls `on_disk_full` when a change finds the disk full. If that frees space, which it
    /// returns, the change is retried once.
    pub async fn open_sqlite_with(
        path: &Path,
        on_disk_full: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Result<Self> {
        let mut database = Database::open_sqlite(path)?;
        database.on_disk_full = Some(Box::new(on_disk_full));
        Self::migrated(database).await
    }

    /// Opens a copy of a catalogue whose file or folder this process cannot write to.
    ///
    /// The copy holds what was committed when it was made. It lies in a temporary folder until the last handle is
    /// dropped. Every change fails with [`CatalogError::ReadOnly`](crate::CatalogError::ReadOnly).
    pub async fn open_sqlite_copy(path: &Path) -> Result<Self> {
        let (mut database, folder) = Database::open_sqlite_copy(path).await?;
        migrate(&database).await?;
        database.copy = Some(folder);
        Ok(Self::of(database))
    }

    /// Returns whether there is no catalogue at this path: no file, or one that was never filled, such as that of a new
    /// catalogue whose log is lost.
    pub fn is_blank_sqlite(path: &Path) -> bool {
        is_blank(path)
    }

    /// Creates an empty catalogue that lives as long as its last handle.
    pub async fn open_sqlite_in_memory() -> Result<Self> {
        Self::migrated(Database::open_sqlite_in_memory()?).await
    }

    /// Opens a catalogue in a PostgreSQL database (15 or later) and migrates its schema.
    ///
    /// `url` is `postgresql://user:password@host:port/database` with parameters of libpq; `sslmode` is `verify-full` by
    /// default for another machine, or `disable`. `password_file` has the format of `PGPASSFILE`. The role needs the right
    /// to create tables. Unless the URL sets `options`, a statement waits at most 5 s for a row lock and runs for at most
    /// 15 s.
    pub async fn connect_postgres(url: &str, password_file: Option<&Path>) -> Result<Self> {
        Self::migrated(Database::connect_postgres(url, password_file)?).await
    }

    /// Does the same, but rejects every change, also that of the schema.
    pub async fn connect_postgres_read_only(url: &str, password_file: Option<&Path>) -> Result<Self> {
        let mut database = Database::connect_postgres(url, password_file)?;
        database.read_only = true;
        Self::migrated(database).await
    }

    async fn migrated(database: Database) -> Result<Self> {
        migrate(&database).await?;
        Ok(Self::of(database))
    }

    fn of(database: Database) -> Self {
        Self {
            database: Arc::new(database),
            account_limits: AccountLimits::NONE,
            positions: Arc::default(),
            shared_orders: Arc::default(),
            group_orders: Arc::default(),
            host: Arc::default(),
        }
    }

    /// Returns a handle that applies these limits to accounts without limits of their own. The default is no limits.
    #[must_use]
    pub fn with_account_limits(self, account_limits: AccountLimits) -> Self {
        Self { account_limits, ..self }
    }

    /// Returns the unique id of this library: the project id of its first account, which is random and never changes.
    /// `None` if there is no account.
    pub async fn library_id(&self) -> Result<Option<String>> {
        let rows = self.database.query("SELECT project_id FROM accounts WHERE id = 1", &[]).await?;
        rows.first("accounts")
    }

    /// Returns the store id of a database: it names the data directory that has the objects of the images. Empty before
    /// [`Catalog::bind_store`].
    pub async fn store_id(&self) -> Result<String> {
        let rows = self.database.query("SELECT store_id FROM counters", &[]).await?;
        Ok(rows.first("counters")?.unwrap_or_default())
    }

    /// Sets the store id of a database that has none. Then refuses every connection, also later ones, to a database with
    /// another id with [`CatalogError::AnotherStore`](crate::CatalogError::AnotherStore).
    pub async fn bind_store(&self, id: &str) -> Result<()> {
        if !self.database.read_only {
            let sql = "UPDATE counters SET store_id = $1 WHERE store_id = ''";
            self.database.execute(sql, &[id.into()]).await?;
        }
        if self.store_id().await? != id {
            return Err(CatalogError::AnotherStore);
        }
        if let Some(postgres) = self.database.postgres() {
            postgres.require_store_id(id);
        }
        Ok(())
    }

    /// Fails if the catalogue cannot answer or was moved to another one, or if changes would be lost because its file was
    /// deleted, moved or replaced.
    pub async fn ping(&self) -> Result<()> {
        if let Some(sqlite) = self.database.sqlite() {
            sqlite.check_files().await?;
        }
        self.moved_to().await?.map_or(Ok(()), |place| Err(CatalogError::Moved(place)))
    }

    /// Checks the integrity of the file with the engine's own check. Returns one line per problem, at most 100.
    ///
    /// `thorough` also compares indexes with their tables, which takes several times as long. A value replaced by another
    /// valid one is not detected. On PostgreSQL it returns nothing.
    pub async fn check(&self, thorough: bool) -> Result<Vec<String>> {
        match self.database.sqlite() {
            Some(sqlite) => sqlite.check(thorough).await,
            None => Ok(Vec::new()),
        }
    }

    /// Returns the current generation without reading the database: in less than a microsecond and without a lock, once
    /// there has been a change.
    ///
    /// The generation changes with every commit of any process. To cache what was read, take the generation before the
    /// read: the cache is current while the generation is the same. `None` means unknown: always on PostgreSQL, and in
    /// memory during a change.
    pub fn generation(&self) -> Option<Generation> {
        self.database.sqlite().and_then(Sqlite::generation).map(Generation)
    }

    /// Writes a consistent copy of the catalogue to a new or empty file, which can be opened as a catalogue. Readers and
    /// writers continue.
    ///
    /// The file gets mode 0600 and is durable on return, except for its directory entry. A catalogue in memory fails with
    /// [`CatalogError::Bug`](crate::CatalogError::Bug).
    pub async fn back_up(&self, path: &Path) -> Result<()> {
        if let Some(sqlite) = self.database.sqlite() {
            return sqlite.back_up(path).await;
        }
        if !is_blank(path) {
            return Err(CatalogError::Unavailable(format!("{} exists", path.display()).into()));
        }
        let copy = Self::open_sqlite(path).await?;
        self.copy_to(&copy, "").await?;
        // Closing the last handle moves all changes into the file.
        drop(copy);
        sync_file(path).await
    }

    /// Copies a catalogue in memory. Other catalogues fail with [`CatalogError::Bug`](crate::CatalogError::Bug).
    pub async fn snapshot(&self) -> Result<Snapshot> {
        self.database.sqlite().ok_or_else(not_in_memory)?.save().await
    }

    /// Restores a snapshot, which can be restored again. The generation changes, and every account gets a revision that was
    /// never used, so all caches become stale.
    pub async fn restore(&self, snapshot: &Snapshot) -> Result<()> {
        self.database.sqlite().ok_or_else(not_in_memory)?.restore(snapshot).await?;
        self.group_orders.forget();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeyLimits;
    use crate::migrations::{MIGRATIONS, run};

    /// A database in memory, and one on PostgreSQL where it is installed, with the first migrations.
    async fn old_databases(migrations: usize) -> Vec<Database> {
        let mut databases = vec![Database::open_sqlite_in_memory().unwrap()];
        if let Some(url) = crate::testing::postgres_database().await {
            databases.push(Database::connect_postgres(&url, None).unwrap());
        }
        for database in &databases {
            let mut transaction = database.begin().await.unwrap();
            run(&mut transaction, &MIGRATIONS[..migrations]).await.unwrap();
            transaction.commit(()).await.unwrap();
            let account = "INSERT INTO accounts VALUES (1, 'lab', 'org-lab', 0, 0)";
            database.execute(account, &[]).await.unwrap();
        }
        databases
    }

    /// Inserts an image with the columns of the seventh migration.
    async fn insert_old_image(database: &Database, id: &str, account: i64, status: &str, create_time: i64) {
        let sql = "INSERT INTO images (id, account_id, name, status, description, tags, cover, visibility, price_cents,
                auto_start, supported_gpu_types, software_ports, firewall_ports, image_use_time_hours, created_count,
                favorites_count, failed_reason, create_time, update_time, pub_time, group_id, version_name, version_desc,
                source_gpu_type, region, zone, source_instance_id, size_bytes, readme)
             VALUES ($1, $2, $1, $3, '', '[]', '', 0, 0, 0, '[]', '[]', '[]', 0, 0, 0, '', $4, 0, 0, '', '', '', '',
                'r', 'z', '', 0, '')";
        let params = [id.into(), account.into(), status.into(), create_time.into()];
        database.execute(sql, &params).await.unwrap();
    }

    /// Keys without limits were allowed everything, and still are.
    #[tokio::test]
    async fn an_old_key_has_no_limits() {
        for database in old_databases(1).await {
            let key = "INSERT INTO keys VALUES ('public', 1, 'laptop', 'sealed', 0, NULL)";
            database.execute(key, &[]).await.unwrap();
            let catalog = Catalog::migrated(database).await.unwrap();
            let (key, account, _) = catalog.find_key("public").await.unwrap().unwrap();
            assert_eq!((key.limits, account.name.as_str()), (KeyLimits::default(), "lab"));
        }
    }

    /// Migrated images get ordinals in the order in which they were listed.
    #[tokio::test]
    async fn old_images_keep_their_order() {
        for database in old_databases(7).await {
            let other = "INSERT INTO accounts VALUES (2, 'other', 'org-other', 0, 0)";
            database.execute(other, &[]).await.unwrap();
            for (id, account, create_time) in
                [("b", 1, 7), ("d", 1, 7), ("a", 2, 7), ("c", 1, 7), ("e", 1, 3)]
            {
                insert_old_image(&database, id, account, "Available", create_time).await;
            }
            migrate(&database).await.unwrap();
            let sql = "SELECT i.id, i.seq, i.ordinal, a.image_seq, a.image_time
                       FROM images i JOIN accounts a ON a.id = i.account_id ORDER BY i.ordinal";
            let rows = database.query(sql, &[]).await.unwrap().all::<(String, i64, i64, i64, i64)>("images");
            let expected = [
                ("e", [1, 1, 4, 7]),
                ("a", [1, 2, 1, 7]),
                ("b", [2, 3, 4, 7]),
                ("c", [3, 4, 4, 7]),
                ("d", [4, 5, 4, 7]),
            ];
            assert_eq!(rows.unwrap(), expected.map(|(id, [a, b, c, d])| (id.to_owned(), a, b, c, d)));
        }
    }

    /// Migrated jobs keep their order of arrival.
    #[tokio::test]
    async fn old_jobs_keep_their_order() {
        for database in old_databases(7).await {
            for (id, created_at, finished_at) in
                [("c", 7, None), ("b", 8, None), ("a", 8, None), ("d", 6, Some(9_i64))]
            {
                insert_old_image(&database, id, 1, "Making", created_at).await;
                let job = "INSERT INTO jobs (id, account_id, image_id, instance_id, created_at, attempts, done_bytes,
                               total_bytes, finished_at) VALUES ($1, 1, $1, $1, $2, 0, 0, 0, $3)";
                let params = [id.into(), created_at.into(), finished_at.into()];
                database.execute(job, &params).await.unwrap();
            }
            let catalog = Catalog::migrated(database).await.unwrap();
            let mut order = Vec::new();
            while let Some(job) = catalog.claim_job("worker", i64::MAX, 10, 60).await.unwrap() {
                order.push(job.image_id);
            }
            assert_eq!(order, ["c", "a", "b"]);
        }
    }
}
