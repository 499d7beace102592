//! Everything that is kept and known, opened together: what every action, every job and every operator's command works with.

use std::path::PathBuf;
use std::sync::Arc;

use jingku_catalog::{AccountId, Catalog};
use jingku_chunks::{Memory, Store};
use secrecy::SecretString;
use tokio::sync::Notify;

use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Zones};
use crate::credentials::CredentialsCache;
use crate::data_dir::{DataDir, StartError};
use crate::disk_space::DiskSpace;
use crate::health::Health;
use crate::jobs::{JobHook, Running};
use crate::keyring::{Keyring, MASTER_KEY_BYTES, WrongMasterKey};
use crate::random::{Random, SystemRandom, unique_id};
use crate::readiness::Readiness;
use crate::time_watch::TimeWatch;
use crate::uploads::UploadStore;

/// With less than that free, a data folder may not open because the disk is full.
const FREE_BYTES_TO_OPEN: u64 = 1 << 20;

/// Images as a whole: the catalogue, the chunk store, the keys, and what looks after them.
pub struct Library {
    /// What is known.
    pub catalog: Catalog,
    /// The bits.
    pub store: Store,
    /// Seals and opens private keys; `None` where nothing is sealed or opened.
    keyring: Option<Keyring>,
    /// What the configuration file says.
    pub config: Config,
    /// Regions and zones.
    pub zones: Zones,
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// What it says, against the time that servers have run.
    pub(crate) time_watch: TimeWatch,
    /// Where randomness comes from.
    pub random: Arc<dyn Random>,
    /// This server's name.
    pub node: String,
    /// A folder for copies of disks, which is emptied at the start; `None` for that of the system.
    pub(crate) scratch: Option<PathBuf>,
    /// The room there is for images; `None` in memory.
    pub disk_space: Option<DiskSpace>,
    /// The data folder; `None` in memory.
    pub(crate) data: Option<DataDir>,
    /// Whether the server can do its work.
    pub readiness: Readiness,
    /// The state of the work in the background.
    pub health: Health,
    /// Told when images went from the trash by age.
    pub(crate) emptied: Notify,
    /// Files that are uploaded.
    pub uploads: UploadStore,
    /// Jobs at work in this process.
    pub running: Running,
    pub(crate) credentials_cache: CredentialsCache,
    /// Whether everything is only read: the data folder cannot be written to.
    read_only: bool,
    /// Is told how far every job is, and may keep it waiting.
    pub(crate) job_hook: Option<Arc<dyn JobHook>>,
}

/// What comes from outside the configuration: time, randomness, secrets from the environment.
pub struct Environment {
    /// Where time comes from.
    pub clock: Arc<dyn Clock>,
    /// Where randomness comes from.
    pub random: Arc<dyn Random>,
    /// `JINGKU_MASTER_KEY`.
    pub master_key: Option<SecretString>,
}

impl Default for Environment {
    /// The machine's clock and randomness, no secrets.
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom), master_key: None }
    }
}

/// What differs between a data folder and memory.
struct Resources {
    catalog: Catalog,
    store: Store,
    keyring: Option<Keyring>,
    node: String,
    scratch: Option<PathBuf>,
    disk_space: Option<DiskSpace>,
    data: Option<DataDir>,
    uploads: UploadStore,
    read_only: bool,
    readiness: Readiness,
}

impl Library {
    /// Opens everything in a data folder, with the master key, and creates what is not there. A library that cannot be
    /// written to is opened for reading: see [`Library::is_read_only`].
    pub async fn open(
        data: &DataDir,
        config: &Config,
        environment: &Environment,
    ) -> Result<Self, StartError> {
        data.check_whole()?;
        data.check_catalog()?;
        Self::open_as(data, config, environment, Keys::Needed).await
    }

    /// Opens the library in a data folder, which must be there, without the master key. That is enough for everything but
    /// serving and making keys. One that cannot be written to is opened for reading.
    pub async fn open_library(
        data: &DataDir,
        config: &Config,
        environment: &Environment,
    ) -> Result<Self, StartError> {
        data.check_library()?;
        data.check_served()?;
        Self::open_as(data, config, environment, Keys::NotNeeded).await
    }

    async fn open_as(
        data: &DataDir,
        config: &Config,
        environment: &Environment,
        keys: Keys,
    ) -> Result<Self, StartError> {
        if !data.is_writable() {
            data.check_library()?;
            return Self::open_read_only(data, config, environment, keys).await;
        }
        let disk_space = DiskSpace::new(data.path().to_owned());
        match Self::open_with(data, config, environment, keys, disk_space.clone()).await {
            // A full disk has no room even to open what is there.
            Err(_)
                if disk_space.free_bytes().is_ok_and(|free| free < FREE_BYTES_TO_OPEN)
                    && disk_space.give_up_reserve() =>
            {
                Self::open_with(data, config, environment, keys, disk_space).await
            }
            opened => opened,
        }
    }

    async fn open_with(
        data: &DataDir,
        config: &Config,
        environment: &Environment,
        keys: Keys,
        disk_space: DiskSpace,
    ) -> Result<Self, StartError> {
        let when_full = disk_space.clone();
        let path = data.catalog_path();
        let catalog = Catalog::open_sqlite_with(&path, move || when_full.give_up_reserve()).await?;
        let resources = Resources {
            keyring: keyring(&catalog, data, environment, keys).await?,
            store: data.store(!catalog.manifests("", 1).await?.is_empty())?,
            catalog,
            node: data.node(&*environment.random)?,
            scratch: Some(data.create_folder("scratch")?),
            uploads: UploadStore::in_folder(data.create_folder("uploads")?, disk_space.clone()),
            disk_space: Some(disk_space),
            data: Some(data.clone()),
            readiness: Readiness::of(data)
                .map_err(|source| StartError::Io { path: data.path().to_owned(), source })?,
            read_only: false,
        };
        Ok(Self::from_resources(resources, config, environment))
    }

    async fn open_read_only(
        data: &DataDir,
        config: &Config,
        environment: &Environment,
        keys: Keys,
    ) -> Result<Self, StartError> {
        let catalog = Catalog::open_sqlite_copy(&data.catalog_path()).await?;
        let resources = Resources {
            keyring: keyring(&catalog, data, environment, keys).await?,
            catalog,
            store: data.store_read_only()?,
            // No job is claimed under it.
            node: unique_id(&*environment.random),
            scratch: None,
            uploads: UploadStore::in_temporary_folder(),
            disk_space: None,
            data: Some(data.clone()),
            // It is never ready: see `is_read_only`.
            readiness: Readiness::in_memory(),
            read_only: true,
        };
        Ok(Self::from_resources(resources, config, environment))
    }

    /// Makes everything in memory, empty. Nothing is written to a disk, and all is gone when this is dropped.
    pub async fn open_in_memory(config: &Config, environment: &Environment) -> Result<Self, StartError> {
        let mut master_key = [0; MASTER_KEY_BYTES];
        environment.random.fill(&mut master_key);
        let resources = Resources {
            catalog: Catalog::open_sqlite_in_memory().await?,
            store: Store::new(Memory::new()),
            keyring: Some(Keyring::new(master_key)),
            node: unique_id(&*environment.random),
            scratch: None,
            disk_space: None,
            data: None,
            uploads: UploadStore::in_temporary_folder(),
            read_only: false,
            readiness: Readiness::in_memory(),
        };
        Ok(Self::from_resources(resources, config, environment))
    }

    fn from_resources(resources: Resources, config: &Config, environment: &Environment) -> Self {
        let Resources {
            catalog,
            store,
            keyring,
            node,
            scratch,
            disk_space,
            data,
            uploads,
            readiness,
            read_only,
        } = resources;
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
            scratch,
            disk_space,
            data,
            readiness,
            health: Health::default(),
            emptied: Notify::new(),
            uploads,
            running: Running::default(),
            credentials_cache: CredentialsCache::default(),
            read_only,
            job_hook: None,
        }
    }

    /// Has every job tell `hook` how far it is.
    #[must_use]
    pub fn with_job_hook(self, hook: Arc<dyn JobHook>) -> Self {
        Self { job_hook: Some(hook), ..self }
    }

    /// Whether everything is only read, because the data folder cannot be written to. What is known is then what the
    /// catalogue held when it was opened, and every change is refused.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// The keyring of a server, or of a command that makes keys.
    pub fn keyring(&self) -> &Keyring {
        self.keyring
            .as_ref()
            .expect("whatever seals or opens keys calls Library::open, which has the master key")
    }
}

/// Whether the master key is needed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    Needed,
    NotNeeded,
}

/// Opens the keyring, and makes the master key of a library that has no key pairs yet.
async fn keyring(
    catalog: &Catalog,
    data: &DataDir,
    environment: &Environment,
    keys: Keys,
) -> Result<Option<Keyring>, StartError> {
    if keys == Keys::NotNeeded {
        return Ok(None);
    }
    // One key speaks for all: they are sealed with one master key. Found out now, and not by a client whose
    // request fails, or by an operator whose new key would be sealed with another.
    let sealed = catalog.keys(Some(AccountId(1))).await?.into_iter().next();
    if let Some(key) = &sealed
        && environment.master_key.is_none()
        && !data.has_master_key()
    {
        // A new one would be of no use, and in the way of the right one.
        return Err(WrongMasterKey { public_key: key.public_key.clone() }.into());
    }
    let keyring = data.keyring(environment.master_key.as_ref(), &*environment.random)?;
    if let Some(key) = sealed {
        keyring.open(&key.public_key, &key.sealed_private_key)?;
    }
    Ok(Some(keyring))
}
