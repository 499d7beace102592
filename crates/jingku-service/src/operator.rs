//! What the operator of an installation does: accounts, keys, instances. These need no signature: whoever may open the
//! data folder may do them.

mod platform;

use std::path::Path;

use jingku_catalog::{
    Account, AccountId, AddInstance, AddKey, CatalogError, CreateAccount, Instance, InstanceFilter, Key,
    NewAccount, NewKey, Paging, RemoveInstance,
};
use jingku_makers::{Disk, DiskError, DiskFormat};
use secrecy::{ExposeSecret, SecretString};

use crate::config::DeclaredInstance;
use crate::context::Context;
use crate::credentials::KeyPair;
use crate::data_dir::{DataDir, StartError, with_causes};
use crate::keyring::WrongMasterKey;
use crate::random::{key_pair, project_id};
use crate::zones::Zone;

pub use platform::PlatformImage;

/// The longest instance id, in bytes.
const INSTANCE_ID_MAX: usize = 64;
/// Rows read at once where all are wanted.
const BATCH: u32 = 1000;

/// Why an operator's command was not carried out. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The account name is in use.
    #[error("There is an account named {0:?} already. Choose another name.")]
    AccountExists(String),
    /// No such account.
    #[error("There is no account {0}. Create it with `jingku account create NAME`.")]
    NoAccount(i64),
    /// No such key.
    #[error("There is no key {0:?} that is not revoked. `jingku key list` shows all.")]
    NoKey(String),
    /// The public key belongs to somebody or to another private key.
    #[error(
        "The public key {0:?} exists already with another private key or in another account. Choose another."
    )]
    KeyExists(String),
    /// The text cannot be an id.
    #[error("{0:?} cannot be an instance id: use 1 to 64 of the characters a-z A-Z 0-9 - _ .")]
    BadInstanceId(String),
    /// The id is in use.
    #[error("There is an instance {0:?} already. Remove it first with `jingku instance remove {0}`.")]
    InstanceExists(String),
    /// No such instance.
    #[error("There is no instance {0:?}. `jingku instance list` shows all.")]
    NoInstance(String),
    /// An image is being made of it.
    #[error("An image of instance {0:?} is being made. Wait until it is done, or delete that image.")]
    InstanceBusy(String),
    /// No such zone.
    #[error("There is no zone {given:?}. Known zones: {known}.")]
    NoZone {
        /// What was given.
        given: String,
        /// All there are.
        known: String,
    },
    /// The account sees no such image.
    #[error("Account {1} sees no image {0:?} that it could have started an instance from.")]
    NoImageToStart(String, i64),
    /// The image has no bits.
    #[error("Image {0:?} is being made or could not be made: nothing can have been started from it.")]
    NothingToStart(String),
    /// No account has such an image.
    #[error("There is no image {0:?}. `jingku image list` shows an account's own.")]
    NoImage(String),
    /// The image cannot be used now.
    #[error(
        "Image {0:?} is being made, waits for review or could not be made. Only one that is Available or Offline will do."
    )]
    ImageNotWhole(String),
    /// The text cannot be the name of an image.
    #[error(
        "{0:?} cannot be the name of an image: use 1 to 50 Chinese characters, letters, digits and _ , . : -"
    )]
    BadImageName(String),
    /// Another of the platform's images has the name.
    #[error("The platform has an image with the name that {0:?} would get. Choose another with --name.")]
    PlatformNameTaken(String),
    /// The platform has no such image.
    #[error("The platform has no image {0:?}. It may have been taken away before.")]
    NoPlatformImage(String),
    /// The disk cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The catalogue failed.
    #[error("The catalogue failed: {}.", with_causes(.0))]
    Catalog(#[from] CatalogError),
    /// The master key does not open a private key.
    #[error(transparent)]
    MasterKey(#[from] WrongMasterKey),
    /// A file of the data folder cannot be written.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// An instance to declare.
#[derive(Clone, Copy, Debug)]
pub struct NewInstance<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its name; the id when absent.
    pub name: Option<&'a str>,
    /// Whose it is.
    pub account: i64,
    /// The zone it is in; the default zone when absent.
    pub zone: Option<&'a str>,
    /// Its disk.
    pub disk: &'a Path,
    /// What the disk is; told by its content when absent.
    pub format: Option<DiskFormat>,
    /// Its GPU model.
    pub gpu_type: &'a str,
}

/// An instance that can be declared.
struct Checked<'a> {
    new: NewInstance<'a>,
    account: AccountId,
    zone: &'a Zone,
    disk: String,
    size_bytes: i64,
}

impl Checked<'_> {
    fn row(&self) -> jingku_catalog::NewInstance<'_> {
        jingku_catalog::NewInstance {
            id: self.new.id,
            account: self.account,
            name: self.new.name.unwrap_or(self.new.id),
            region: &self.zone.region,
            zone: &self.zone.zone,
            disk: &self.disk,
            size_bytes: self.size_bytes,
            gpu_type: self.new.gpu_type,
        }
    }

    /// Whether an instance is declared just so already.
    fn is(&self, known: &Instance) -> bool {
        let row = self.row();
        let place = (row.account, row.region, row.zone) == (known.account, &*known.region, &*known.zone);
        let disk = (row.disk, row.size_bytes) == (&*known.disk, known.size_bytes);
        place && disk && (row.name, row.gpu_type) == (&*known.name, &*known.gpu_type)
    }
}

impl Context {
    /// Makes sure that there is account 1 with a key pair: `given`, or one made here, which is then left in the data
    /// folder for client commands. Returns the pair when it was made here just now.
    pub async fn ensure_first_account(
        &self,
        data: &DataDir,
        given: Option<&KeyPair>,
    ) -> Result<Option<KeyPair>, OperatorError> {
        let first = AccountId(1);
        if self.catalog.account(first).await?.is_none() {
            self.insert_account("default").await?;
        }
        if let Some(pair) = given {
            self.ensure_key(first, pair).await?;
            return Ok(None);
        }
        if !self.catalog.keys(Some(first)).await?.is_empty() {
            return Ok(None);
        }
        let pair = self.new_key_pair();
        let private_key = pair.private_key.expose_secret();
        let file = format!("public_key = \"{}\"\nprivate_key = \"{private_key}\"", pair.public_key);
        // The file first: killed in between, the next start makes another pair and replaces it.
        data.replace("credentials.toml", &file)?;
        self.insert_key(first, &pair, "first key").await?;
        Ok(Some(pair))
    }

    /// Creates an account with a first key pair.
    pub async fn create_account(&self, name: &str) -> Result<(Account, KeyPair), OperatorError> {
        let account = self.insert_account(name).await?;
        let pair = self.create_key(account.id.0, "first key").await?;
        Ok((account, pair))
    }

    /// All accounts.
    pub async fn accounts(&self) -> Result<Vec<Account>, OperatorError> {
        Ok(self.catalog.accounts().await?)
    }

    /// Makes a key pair for an account.
    pub async fn create_key(&self, account: i64, name: &str) -> Result<KeyPair, OperatorError> {
        let account = self.require_account(account).await?;
        let pair = self.new_key_pair();
        self.insert_key(account.id, &pair, name).await?;
        Ok(pair)
    }

    /// The keys of one account or of all, without their private halves.
    pub async fn keys(&self, account: Option<i64>) -> Result<Vec<Key>, OperatorError> {
        Ok(self.catalog.keys(account.map(AccountId)).await?)
    }

    /// Makes a key worthless from now on.
    pub async fn revoke_key(&self, public_key: &str) -> Result<(), OperatorError> {
        if self.catalog.revoke_key(public_key, self.clock.now()).await? {
            Ok(())
        } else {
            Err(OperatorError::NoKey(public_key.to_owned()))
        }
    }

    /// Declares an instance. Its disk is looked at, and what it is made of is pinned: see `jingku_makers::Disk`.
    pub async fn add_instance(&self, new: NewInstance<'_>) -> Result<Instance, OperatorError> {
        let checked = self.check_instance(new).await?;
        self.insert_instance(&checked, None).await
    }

    /// Declares an instance that was started from an image, one that its account can see: the image counts it.
    pub async fn add_instance_from(
        &self,
        new: NewInstance<'_>,
        image_id: &str,
    ) -> Result<Instance, OperatorError> {
        let checked = self.check_instance(new).await?;
        self.insert_instance(&checked, Some(image_id)).await
    }

    /// Declares the instances of a configuration file; one that is there already is declared anew when it differs. One
    /// that differs while an image is made of it stays as it is until the next start: the image must be finished first.
    pub async fn declare_instances(&self, declared: &[DeclaredInstance]) -> Result<(), OperatorError> {
        for instance in declared {
            let new = NewInstance {
                id: &instance.id,
                name: instance.name.as_deref(),
                account: instance.account,
                zone: instance.zone.as_deref(),
                disk: &instance.disk,
                format: instance.format,
                gpu_type: &instance.gpu_type,
            };
            // Before the old declaration goes, so that one that cannot be does not take it along.
            let checked = self.check_instance(new).await?;
            if let Some(known) = self.catalog.instance(None, new.id).await? {
                if checked.is(&known) {
                    continue;
                }
                if self.catalog.remove_instance(new.id, self.clock.now()).await? == RemoveInstance::Busy {
                    let instance_id = new.id;
                    tracing::warn!(instance_id, "an image is being made: declared anew at the next start");
                    continue;
                }
            }
            self.insert_instance(&checked, None).await?;
        }
        Ok(())
    }

    /// All instances, newest first.
    pub async fn instances(&self) -> Result<Vec<Instance>, OperatorError> {
        let mut all = Vec::new();
        let mut page = self.catalog.instances_page(InstanceFilter::default(), Paging::first(BATCH)).await?;
        loop {
            all.append(&mut page.items);
            let Some(cursor) = &page.next else { return Ok(all) };
            let next = Paging::After { cursor, limit: BATCH };
            page = self.catalog.instances_page(InstanceFilter::default(), next).await?;
        }
    }

    /// Forgets an instance. Its disk and its images stay.
    pub async fn remove_instance(&self, id: &str) -> Result<(), OperatorError> {
        match self.catalog.remove_instance(id, self.clock.now()).await? {
            RemoveInstance::Removed => Ok(()),
            RemoveInstance::NotFound => Err(OperatorError::NoInstance(id.to_owned())),
            RemoveInstance::Busy => Err(OperatorError::InstanceBusy(id.to_owned())),
        }
    }

    async fn check_instance<'a>(&'a self, new: NewInstance<'a>) -> Result<Checked<'a>, OperatorError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !(1..=INSTANCE_ID_MAX).contains(&new.id.len()) || !new.id.bytes().all(allowed) {
            return Err(OperatorError::BadInstanceId(new.id.to_owned()));
        }
        let zone = match new.zone {
            None => self.zones.iter().next(),
            Some(name) => self.zones.find(name),
        };
        let zone = zone.ok_or_else(|| OperatorError::NoZone {
            given: new.zone.unwrap_or_default().to_owned(),
            known: self.zones.iter().map(|zone| zone.zone.as_str()).collect::<Vec<_>>().join(", "),
        })?;
        let account = self.require_account(new.account).await?.id;
        let disk = Disk::inspect(new.disk, new.format)?;
        Ok(Checked {
            new,
            account,
            zone,
            disk: serde_json::to_string(&disk).expect("a disk serialises: its paths are UTF-8"),
            size_bytes: i64::try_from(disk.size_bytes).expect("a disk is far smaller than 2^63 bytes"),
        })
    }

    async fn insert_instance(
        &self,
        checked: &Checked<'_>,
        image_id: Option<&str>,
    ) -> Result<Instance, OperatorError> {
        let (id, now) = (checked.new.id, self.clock.now());
        let added = match image_id {
            None => self.catalog.add_instance(checked.row(), now).await?,
            Some(image_id) => self.catalog.add_instance_from(checked.row(), image_id, now).await?,
        };
        let image_id = || image_id.unwrap_or_default().to_owned();
        match added {
            AddInstance::ImageNotFound => Err(OperatorError::NoImageToStart(image_id(), checked.account.0)),
            AddInstance::ImageNotAvailable => Err(OperatorError::NothingToStart(image_id())),
            AddInstance::Exists => Err(OperatorError::InstanceExists(id.to_owned())),
            AddInstance::Added => self.require_instance(id).await,
        }
    }

    async fn require_account(&self, id: i64) -> Result<Account, OperatorError> {
        self.catalog.account(AccountId(id)).await?.ok_or(OperatorError::NoAccount(id))
    }

    async fn require_instance(&self, id: &str) -> Result<Instance, OperatorError> {
        let found = self.catalog.instance(None, id).await?;
        found.ok_or_else(|| OperatorError::NoInstance(id.to_owned()))
    }

    async fn insert_account(&self, name: &str) -> Result<Account, OperatorError> {
        let project_id = project_id(&*self.random);
        let new = NewAccount { name, project_id: &project_id };
        match self.catalog.create_account(new, self.clock.now()).await? {
            CreateAccount::Created(account) => Ok(account),
            CreateAccount::NameTaken => Err(OperatorError::AccountExists(name.to_owned())),
        }
    }

    fn new_key_pair(&self) -> KeyPair {
        let (public_key, private_key) = key_pair(&*self.random);
        KeyPair { public_key, private_key: SecretString::from(private_key) }
    }

    async fn insert_key(&self, account: AccountId, pair: &KeyPair, name: &str) -> Result<(), OperatorError> {
        let sealed = self.keyring.seal(&pair.public_key, &pair.private_key, &*self.random);
        let new = NewKey { public_key: &pair.public_key, account, name, sealed_private_key: &sealed };
        match self.catalog.add_key(new, self.clock.now()).await? {
            AddKey::Added => Ok(()),
            AddKey::Exists => Err(OperatorError::KeyExists(pair.public_key.clone())),
        }
    }

    /// Adds a pair that was given, unless it is there as given.
    async fn ensure_key(&self, account: AccountId, pair: &KeyPair) -> Result<(), OperatorError> {
        let Some((key, owner)) = self.catalog.find_key(&pair.public_key).await? else {
            return self.insert_key(account, pair, "from the environment").await;
        };
        let private_key = self.keyring.open(&pair.public_key, &key.sealed_private_key)?;
        let same = private_key.expose_secret() == pair.private_key.expose_secret();
        if same && owner.id == account && key.revoked_at.is_none() {
            Ok(())
        } else {
            Err(OperatorError::KeyExists(pair.public_key.clone()))
        }
    }
}
