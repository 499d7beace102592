//! The open library: the data that every action, job and command of the operator works with.

use std::path::PathBuf;
use std::sync::Arc;

use jingku_catalog::{AccountId, Catalog};
use jingku_chunks::{Memory, Store};
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::config::{Config, Zones};
use crate::containers::Containers;
use crate::credentials::CredentialsCache;
use crate::data_dir::DataDir;
use crate::database::{ExternalDatabase, refuse_moved};
use crate::disk_space::DiskSpace;
use crate::environment::Environment;
use crate::health::Health;
use crate::host::Host;
use crate::jobs::{Counts, JobHook, Running};
use crate::keyring::{Keyring, MASTER_KEY_BYTES, WrongMasterKey};
use crate::objects::BucketStorage;
use crate::pods::Pods;
use crate::random::{Random, unique_id};
use crate::readiness::Readiness;
use crate::start_error::StartError;
use crate::time_watch::TimeWatch;
use crate::uploads::UploadStore;
use crate::webhooks::WebhookClient;

/// If less space is free, a data directory may fail to open because the disk is full.
const FREE_BYTES_TO_OPEN: u64 = 1 << 20;

/// The catalogue, the chunk store, the keys and the state of their maintenance.
pub struct Library {
    /// The catalogue.
    pub catalog: Catalog,
    /// The chunk store.
    pub store: Store,
    /// Seals and opens private keys; `None` if nothing is sealed or opened.
    keyring: Option<Keyring>,
    /// The configuration.
    pub config: Config,
    /// Regions and zones.
    pub zones: Zones,
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// Compares the clock with the running time.
    pub(crate) time_watch: TimeWatch,
    /// The source of randomness.
    pub random: Arc<dyn Random>,
    /// The name of this server.
    pub node: String,
    /// A folder for temporary copies of disks, emptied at the start; `None` for that of the system.
    pub(crate) scratch: Option<PathBuf>,
    /// The disk space of the data directory; `None` in memory.
    pub disk_space: Option<DiskSpace>,
    /// Whether the data of images is in the data directory.
    pub images_on_disk: bool,
    /// The data directory; `None` in memory.
    pub(crate) data: Option<DataDir>,
    /// Whether the server can work.
    pub readiness: Readiness,
    /// The state of the background tasks.
    pub health: Health,
    /// Notified when the trash expires images.
    pub(crate) emptied: Notify,
    /// Uploaded files.
    pub uploads: UploadStore,
    /// The containers of this machine.
    pub containers: Containers,
    /// What this machine offers to instances.
    pub(crate) host: Host,
    /// The operations on instances that the API created.
    pub pods: Pods,
    /// The running jobs of this process.
    pub running: Running,
    /// The last counts of distinct bytes.
    pub(crate) counts: Counts,
    /// Sends events of images.
    pub(crate) webhooks: WebhookClient,
    pub(crate) credentials_cache: CredentialsCache,
    /// This server among those that share its catalogue.
    pub(crate) cluster: Cluster,
    /// Whether several servers can share the catalogue.
    pub(crate) is_shared: bool,
    /// Whether the data directory cannot be written to.
    read_only: bool,
    /// Observes every job and may block it.
    pub(crate) job_hook: Option<Arc<dyn JobHook>>,
}

impl Library {
    /// Opens a data directory with the master key and creates what is missing. A read-only folder is opened for reading: see
    /// [`Library::is_read_only`].
    pub async fn open(
        data: &DataDir,
        config: &Config,
        environment: &Environment,
    ) -> Result<Self, StartError> {
        data.check_whole()?;
        if ExternalDatabase::of(data, config, environment)?.is_none() {
            data.check_catalog()?;
        }
        Opening { data, config, environment, needs_keys: true }.open().await
    }

    /// Opens an existing library without the master key, which is needed only for serving and for creating keys. A
    /// read-only library is opened for reading.
    pub async fn open_library(
        data: &DataDir,
        config: &Config,
        environment: &Environment,
    ) -> Result<Self, StartError> {
        match ExternalDatabase::of(data, config, environment)? {
            Some(database) if !database.is_attached() => {
                return Err(StartError::NoLibrary(data.path().to_owned()));
            }
            Some(_) => data.check_whole()?,
            None => {
                data.check_library()?;
                data.check_served()?;
            }
        }
        Opening { data, config, environment, needs_keys: false }.open().await
    }

    /// Creates an empty library in memory. Writes nothing to a disk.
    pub async fn open_in_memory(config: &Config, environment: &Environment) -> Result<Self, StartError> {
        let mut master_key = [0; MASTER_KEY_BYTES];
        environment.random.fill(&mut master_key);
        let catalog = Catalog::open_sqlite_in_memory().await?;
        let (store, keyring) = (Store::new(Memory::new()), Some(Keyring::new(master_key)));
        let node = unique_id(&*environment.random);
        Ok(Self::in_memory(catalog, store, keyring, node, config, environment))
    }

    /// A library without a data directory.
    fn in_memory(
        catalog: Catalog,
        store: Store,
        keyring: Option<Keyring>,
        node: String,
        config: &Config,
        environment: &Environment,
    ) -> Self {
        Self {
            catalog: catalog.with_account_limits(config.limits.accounts()),
            store,
            keyring,
            zones: config.zones(),
            config: config.clone(),
            clock: Arc::clone(&environment.clock),
            time_watch: TimeWatch::default(),
            random: Arc::clone(&environment.random),
            node,
            scratch: None,
            disk_space: None,
            images_on_disk: false,
            data: None,
            readiness: Readiness::in_memory(),
            health: Health::default(),
            emptied: Notify::new(),
            uploads: UploadStore::in_temporary_folder(),
            running: Running::default(),
            counts: Counts::default(),
            pods: Pods::default(),
            containers: Containers::new(config.containers.engine_url()),
            host: Host::default(),
            webhooks: WebhookClient::default(),
            credentials_cache: CredentialsCache::default(),
            cluster: Cluster::default(),
            is_shared: false,
            read_only: false,
            job_hook: None,
        }
    }

    /// Reports the progress of every job to `hook`.
    #[must_use]
    pub fn with_job_hook(self, hook: Arc<dyn JobHook>) -> Self {
        Self { job_hook: Some(hook), ..self }
    }

    /// Whether the data directory is read-only. The catalogue is then as it was when it was opened, and every change is
    /// refused.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// The keyring of a server or of a command that creates keys.
    pub fn keyring(&self) -> &Keyring {
        self.keyring
            .as_ref()
            .expect("a caller that seals or opens keys uses Library::open, which has the master key")
    }
}

/// Opens a library in a data directory.
#[derive(Clone, Copy)]
struct Opening<'a> {
    data: &'a DataDir,
    config: &'a Config,
    environment: &'a Environment,
    needs_keys: bool,
}

impl Opening<'_> {
    async fn open(self) -> Result<Library, StartError> {
        if !self.data.is_writable() {
            return self.open_read_only().await;
        }
        let disk_space = DiskSpace::new(self.data.path().to_owned());
        match self.open_writable(disk_space.clone()).await {
            // On a full disk, not even an existing library can be opened.
            Err(_)
                if disk_space.free_bytes().is_ok_and(|free| free < FREE_BYTES_TO_OPEN)
                    && disk_space.give_up_reserve() =>
            {
                self.open_writable(disk_space).await
            }
            opened => opened,
        }
    }

    async fn open_writable(self, disk_space: DiskSpace) -> Result<Library, StartError> {
        let Self { data, config, environment, .. } = self;
        let when_full = disk_space.clone();
        let bucket = BucketStorage::of(data, config)?;
        let database = ExternalDatabase::of(data, config, environment)?;
        let is_shared = database.is_some();
        let catalog = if let Some(database) = database {
            let catalog = database.open(data, environment, bucket.is_some()).await?;
            catalog.with_host(&ExternalDatabase::host(data)?.unwrap_or_default())
        } else {
            let path = data.catalog_path();
            refuse_moved(Catalog::open_sqlite_with(&path, move || when_full.give_up_reserve()).await?).await?
        };
        let keyring = self.keyring(&catalog).await?;
        let needed = !catalog.manifests("", 1).await?.is_empty();
        let images_on_disk = bucket.is_none();
        let store = match bucket {
            Some(bucket) => bucket.open(data, &catalog, &*environment.random, needed).await?,
            None => data.store(needed)?,
        };
        let node = data.node(&*environment.random)?;
        Ok(Library {
            scratch: Some(data.create_folder("scratch")?),
            uploads: UploadStore::in_folder(data.create_folder("uploads")?, disk_space.clone()),
            disk_space: Some(disk_space),
            data: Some(data.clone()),
            readiness: Readiness::of(data, (!images_on_disk).then(|| store.clone()))
                .map_err(StartError::io(data.path()))?,
            images_on_disk,
            is_shared,
            ..Library::in_memory(catalog, store, keyring, node, config, environment)
        })
    }

    async fn open_read_only(self) -> Result<Library, StartError> {
        let Self { data, config, environment, .. } = self;
        let database = ExternalDatabase::of(data, config, environment)?;
        let is_shared = database.is_some();
        let catalog = if let Some(database) = database {
            database.open(data, environment, false).await?
        } else {
            data.check_library()?;
            refuse_moved(Catalog::open_sqlite_copy(&data.catalog_path()).await?).await?
        };
        let keyring = self.keyring(&catalog).await?;
        let store = match BucketStorage::of(data, config)? {
            Some(bucket) => bucket.open_read_only(data).await?,
            None => data.store_read_only()?,
        };
        // A read-only library claims no jobs and is never ready.
        let node = unique_id(&*environment.random);
        Ok(Library {
            data: Some(data.clone()),
            read_only: true,
            is_shared,
            ..Library::in_memory(catalog, store, keyring, node, config, environment)
        })
    }

    /// Opens the keyring if it is needed. Creates the master key of a library without key pairs.
    async fn keyring(self, catalog: &Catalog) -> Result<Option<Keyring>, StartError> {
        if !self.needs_keys {
            return Ok(None);
        }
        let given = self.environment.master_key.as_ref();
        let open = || self.data.keyring(given, &*self.environment.random);
        // One key stands for all, because all have the same master key. Checked now, before a request fails or a new key
        // is sealed with another master key.
        let Some(key) = catalog.keys(Some(AccountId(1))).await?.into_iter().next() else {
            return Ok(Some(open()?));
        };
        // A new master key would not open it.
        if given.is_none() && !self.data.has_master_key() {
            return Err(WrongMasterKey { public_key: key.public_key }.into());
        }
        let keyring = open()?;
        keyring.open(&key.public_key, &key.sealed_private_key)?;
        Ok(Some(keyring))
    }
}
