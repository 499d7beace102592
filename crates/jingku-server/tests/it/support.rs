//! A whole service in a throw-away folder, with a clock that stands and randomness that repeats.

mod caller;
mod checks;
mod community;
mod disk;
mod image;
mod reply;
mod sharing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jingku_library::{
    Config, DataDir, DiskFormat, Environment, FixedClock, Instance, KeyPair, Library, NewInstance,
    SeededRandom, Workers,
};
use jingku_server::{Context, router, serve};
use tempfile::TempDir;
use tokio::net::TcpListener;

pub(crate) use caller::Caller;
pub(crate) use disk::{DISK_BYTES, LARGE_BYTES, disk_bytes, large_disk_bytes, write_disk, write_large_disk};
pub(crate) use reply::Reply;

/// When a service's clock stands until it is set: the `CreateTime` of the API document's reply.
pub(crate) const NOW: i64 = 1_712_563_200;
/// Account 1's key pair, the documents' own; its signs must survive every spelling.
pub(crate) const PUBLIC_KEY: &str = "ucloudsomeone@example.com1296235120854146120";
pub(crate) const PRIVATE_KEY: &str = "46f09bb9fab4f12dfc160dae12273d5332b5debe";
/// The instance that [`Service::start`] declares for account 1.
pub(crate) const INSTANCE: &str = "uhost-lab1";

/// A service with account 1 and nothing at work.
pub(crate) struct Service {
    pub(crate) context: Arc<Context>,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) folder: Arc<TempDir>,
}

impl Service {
    /// Starts one with [`INSTANCE`], a small raw disk.
    pub(crate) async fn start() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let service = Self::open(folder, &config, 1).await;
        service.instance(INSTANCE, &service.disk("lab1.raw", DiskFormat::Raw, 1)).await;
        service
    }

    /// A service that demands what the documents call required.
    pub(crate) async fn strict() -> Self {
        Self::with(Config { strict: true, ..Config::default() }).await
    }

    /// Opens the same data folder once more, as another process would. It draws other ids.
    pub(crate) async fn reopen(&self) -> Self {
        Self::open(Arc::clone(&self.folder), &Config::default(), 2).await
    }

    async fn open(folder: Arc<TempDir>, config: &Config, seed: u64) -> Self {
        let clock = Arc::new(FixedClock::at(NOW));
        let first_key = KeyPair { public_key: PUBLIC_KEY.to_owned(), private_key: PRIVATE_KEY.into() };
        let environment = Environment {
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(seed)),
            ..Environment::default()
        };
        let data = DataDir::open_or_create(&folder.path().join("data")).unwrap();
        let context = Arc::new(Context::new(Library::open(&data, config, &environment).await.unwrap()));
        context.ensure_first_account(&data, Some(&first_key)).await.unwrap();
        Self { context, clock, folder }
    }

    /// Calls as account 1.
    pub(crate) fn caller(&self) -> Caller {
        Caller::new(router(self.context.clone()), PUBLIC_KEY, PRIVATE_KEY)
    }

    /// Creates another account and calls as it.
    pub(crate) async fn stranger(&self) -> (i64, Caller) {
        let (account, keys) = self.context.create_account("stranger").await.unwrap();
        (account.id.0, Caller::with_keys(router(self.context.clone()), &keys))
    }

    /// Writes a small disk and tells where.
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
        self.context.add_instance(new).await.unwrap()
    }

    pub(crate) async fn start_workers(&self) -> Workers {
        Workers::start(self.context.library().clone()).await.unwrap()
    }

    /// Makes an image of an instance, to its end, good or bad, and tells its id.
    pub(crate) async fn make(&self, instance_id: &str, name: &str) -> String {
        let id = self.caller().create(instance_id, name).await;
        self.work_off(&id).await;
        id
    }

    /// Lets workers work until the making of an image has ended.
    pub(crate) async fn work_off(&self, id: &str) {
        let workers = self.start_workers().await;
        self.caller().wait_while_making(id).await;
        workers.stop().await;
    }

    /// Serves on loopback until dropped, and tells the base URL.
    pub(crate) async fn listen(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        self.context.set_base_url(&format!("http://{address}"));
        tokio::spawn(serve(listener, router(self.context.clone()), std::future::pending()));
        format!("http://{address}")
    }

    /// Objects in the store: chunks or manifests.
    pub(crate) fn stored(&self, kind: &str) -> Vec<PathBuf> {
        let fans = std::fs::read_dir(self.folder.path().join("data/store").join(kind)).unwrap();
        let files = fans.flat_map(|fan| std::fs::read_dir(fan.unwrap().path()).unwrap());
        files.map(|file| file.unwrap().path()).collect()
    }
}
