//! A complete server in a temporary folder, with a fixed clock and deterministic randomness.

mod caller;
mod checks;
mod community;
mod container;
mod disk;
mod host;
mod image;
mod pods;
mod receiver;
mod reply;
mod sharing;
mod wait;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jingku_catalog::testing::chosen_database;
use jingku_library::{
    Config, DataDir, DatabaseUrl, DiskFormat, Environment, FixedClock, Instance, KeyPair, Library,
    LimitSettings, NewInstance, SeededRandom, Workers,
};
use jingku_server::{Context, router, serve};
use tempfile::TempDir;
use tokio::net::TcpListener;

pub(crate) use caller::Caller;
pub(crate) use container::{Archive, put_container};
pub(crate) use disk::{DISK_BYTES, LARGE_BYTES, disk_bytes, large_disk_bytes, write_disk, write_large_disk};
pub(crate) use pods::{SSH_KEY, creating, small};
pub(crate) use receiver::Receiver;
pub(crate) use reply::Reply;
pub(crate) use wait::wait_until;

/// The initial time of a test server's clock: the `CreateTime` in the reply of the API documentation.
pub(crate) const NOW: i64 = 1_712_563_200;
/// The key pair of account 1, from the API documentation. Its special characters test every encoding.
pub(crate) const PUBLIC_KEY: &str = "ucloudsomeone@example.com1296235120854146120";
pub(crate) const PRIVATE_KEY: &str = "46f09bb9fab4f12dfc160dae12273d5332b5debe";
/// The instance that [`Service::start`] declares for account 1.
pub(crate) const INSTANCE: &str = "uhost-lab1";

/// A server with account 1 and no workers running.
pub(crate) struct Service {
    pub(crate) context: Arc<Context>,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) folder: Arc<TempDir>,
    /// The database that has the catalogue, if the tests run on PostgreSQL.
    database: Option<String>,
}

impl Service {
    /// Starts a server with [`INSTANCE`], which has a small raw disk.
    pub(crate) async fn start() -> Self {
        Self::with(Config::default()).await
    }

    /// Starts a server whose catalogue is a file, whatever was chosen: a clock that stands still does not wait for the answers
    /// of a database.
    pub(crate) async fn start_on_file() -> Self {
        Self::with_catalog(Config::default(), None).await
    }

    /// Starts a server on this database, whatever was chosen. Accounts may have any number of images.
    pub(crate) async fn start_on_database(url: String) -> Self {
        Self::with_catalog(many_images(), Some(url)).await
    }

    /// Opens the same data folder again, with another URL of its database.
    pub(crate) async fn reopen_on(&self, url: String) -> Self {
        Self::open(Arc::clone(&self.folder), &many_images(), 3, Some(url)).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        Self::with_catalog(config, chosen_database().await).await
    }

    async fn with_catalog(config: Config, database: Option<String>) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let service = Self::open(folder, &config, 1, database).await;
        service.instance(INSTANCE, &service.disk("lab1.raw", DiskFormat::Raw, 1)).await;
        service
    }

    /// Starts a server that requires every parameter that the API documentation calls required.
    pub(crate) async fn strict() -> Self {
        Self::with(Config { strict: true, ..Config::default() }).await
    }

    /// Opens the same data directory again, as another process would. Its ids are different.
    pub(crate) async fn reopen(&self) -> Self {
        Self::open(Arc::clone(&self.folder), &Config::default(), 2, self.database.clone()).await
    }

    async fn open(folder: Arc<TempDir>, config: &Config, seed: u64, database: Option<String>) -> Self {
        let clock = Arc::new(FixedClock::at(NOW));
        let first_key = KeyPair { public_key: PUBLIC_KEY.to_owned(), private_key: PRIVATE_KEY.into() };
        let environment = Environment {
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(seed)),
            database: database.as_ref().map(DatabaseUrl::new),
            ..Environment::default()
        };
        let data = DataDir::open_or_create(&folder.path().join("data")).unwrap();
        let context = Arc::new(Context::new(Library::open(&data, config, &environment).await.unwrap()));
        context.library.ensure_first_account(&data, Some(&first_key)).await.unwrap();
        Self { context, clock, folder, database }
    }

    /// A caller with the key of account 1.
    pub(crate) fn caller(&self) -> Caller {
        Caller::new(router(self.context.clone()), PUBLIC_KEY, PRIVATE_KEY)
    }

    /// Creates another account; returns its id and a caller with its key.
    pub(crate) async fn stranger(&self) -> (i64, Caller) {
        let (account, keys) = self.context.library.create_account("stranger").await.unwrap();
        (account.id.0, Caller::with_keys(router(self.context.clone()), &keys))
    }

    /// Writes a small disk and returns its path.
    pub(crate) fn disk(&self, name: &str, format: DiskFormat, seed: u64) -> PathBuf {
        let path = self.folder.path().join(name);
        write_disk(&path, format, seed);
        path
    }

    /// Declares an instance of account 1 in the default zone.
    pub(crate) async fn instance(&self, id: &str, disk: &Path) -> Instance {
        self.instance_of(1, id, disk, None).await
    }

    pub(crate) async fn instance_of(
        &self,
        account: i64,
        id: &str,
        disk: &Path,
        zone: Option<&str>,
    ) -> Instance {
        let new = NewInstance { id, name: Some("lab"), account, zone, disk, format: None, gpu_type: "4090" };
        self.context.library.add_instance(new).await.unwrap()
    }

    pub(crate) async fn start_workers(&self) -> Workers {
        Workers::start(self.context.library.clone()).await.unwrap()
    }

    /// Creates an image of an instance, waits until its job has succeeded or failed, and returns its id.
    pub(crate) async fn make(&self, instance_id: &str, name: &str) -> String {
        let id = self.caller().create(instance_id, name).await;
        self.finish_job(&id).await;
        id
    }

    /// Runs workers until the job of an image has succeeded or failed.
    pub(crate) async fn finish_job(&self, id: &str) {
        let workers = self.start_workers().await;
        self.caller().wait_while_making(id).await;
        workers.stop().await;
    }

    /// Serves on a loopback port until the test ends, and returns the base URL.
    pub(crate) async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        self.context.set_base_url(&format!("http://{address}"));
        tokio::spawn(serve(listener, router(self.context.clone()), std::future::pending()));
        format!("http://{address}")
    }

    /// The files of one kind of store object: `chunks` or `manifests`.
    pub(crate) fn stored(&self, kind: &str) -> Vec<PathBuf> {
        let fans = std::fs::read_dir(self.folder.path().join("data/store").join(kind)).unwrap();
        let files = fans.flat_map(|fan| std::fs::read_dir(fan.unwrap().path()).unwrap());
        files.map(|file| file.unwrap().path()).collect()
    }
}

fn many_images() -> Config {
    let limits = LimitSettings { images: u32::MAX, ..LimitSettings::default() };
    Config { limits, ..Config::default() }
}
