//! What the operator of an installation does: accounts, keys, instances. These need no signature: whoever may open the
//! data folder may do them.

mod instances;
mod platform;

use jingku_catalog::{
    Account, AccountId, AddKey, CatalogError, CreateAccount, Key, KeyLimits, NewAccount, NewKey, OverLimit,
};
use jingku_makers::DiskError;
use secrecy::{ExposeSecret, SecretString};

use crate::config::Zone;
use crate::credentials::KeyPair;
use crate::data_dir::{DataDir, StartError, way_back, with_causes};
use crate::error::Internal;
use crate::key_limits;
use crate::keyring::WrongMasterKey;
use crate::library::Library;
use crate::random::{key_pair, project_id};

pub(crate) use instances::check_instance_id;
pub use instances::{NewInstance, caution_of};
pub use platform::PlatformImage;

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
    /// The text is no range of addresses.
    #[error(
        "{0:?} is no range of addresses. Write it like 10.0.0.0/8, fd00::/8 or 192.0.2.7; the address must be the \
         first of its range."
    )]
    BadRange(String),
    /// More ranges of addresses than a key may have.
    #[error("A key can be limited to at most {max} ranges of addresses, not {given}. Join some of them.")]
    TooManyRanges {
        /// How many were given.
        given: usize,
        /// How many there may be.
        max: usize,
    },
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
    /// The image does not wait for review.
    #[error("There is no image {0:?} that waits for review. `jingku review list` shows all that do.")]
    NotReviewing(String),
    /// A reason that its reader could do nothing with.
    #[error("A reason has 1 to {0} characters. Say what to change.")]
    BadReason(usize),
    /// No such group.
    #[error("There is no group {0:?} in the community.")]
    NoGroup(String),
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
    /// The trash has no such image.
    #[error("There is no image {0:?} in the trash. `jingku trash list` shows all.")]
    NotInTrash(String),
    /// Another image has the name that the image in the trash had.
    #[error(
        "Another image of the account is called {name:?} by now. Bring this one back under another name: \
         `jingku trash restore {id} --name NAME`."
    )]
    TrashNameTaken {
        /// The image in the trash.
        id: String,
        /// The name.
        name: String,
    },
    /// The image in the trash has no bits.
    #[error(
        "Image {0:?} was being made when it was deleted, which ended the making: there is nothing to bring back. Make \
         it again."
    )]
    NeverMade(String),
    /// The account has as much as it may.
    #[error(
        "The account has {} of {} already. Delete some of its images, or raise its limit with `jingku account limit`.",
        .0.used, .0.max
    )]
    OverLimit(OverLimit),
    /// The disk cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The catalogue failed.
    #[error("The catalogue failed: {}.{}", with_causes(.0), way_back(.0))]
    Catalog(#[from] CatalogError),
    /// The master key does not open a private key.
    #[error(transparent)]
    MasterKey(#[from] WrongMasterKey),
    /// Something else failed inside.
    #[error("{}.", with_causes(.0))]
    Inside(#[from] Internal),
    /// A file of the data folder cannot be written.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl Library {
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
        self.insert_key(first, &pair, "first key", &KeyLimits::default()).await?;
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
        Ok(self.create_limited_key(account, name, &KeyLimits::default()).await?.0)
    }

    /// Makes a key pair for an account that is not good for everything. Returns the limits as they are kept: each range
    /// of addresses in its one spelling.
    pub async fn create_limited_key(
        &self,
        account: i64,
        name: &str,
        limits: &KeyLimits,
    ) -> Result<(KeyPair, KeyLimits), OperatorError> {
        let limits = key_limits::normalize(limits)?;
        let account = self.require_account(account).await?;
        let pair = self.new_key_pair();
        self.insert_key(account.id, &pair, name, &limits).await?;
        Ok((pair, limits))
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

    /// The zone of this name, or the default one.
    pub(crate) fn place(&self, zone: Option<&str>) -> Result<&Zone, OperatorError> {
        let found = match zone {
            None => self.zones.iter().next(),
            Some(name) => self.zones.find(name),
        };
        found.ok_or_else(|| OperatorError::NoZone {
            given: zone.unwrap_or_default().to_owned(),
            known: self.zones.iter().map(|zone| zone.zone.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    pub(crate) async fn require_account(&self, id: i64) -> Result<Account, OperatorError> {
        self.catalog.account(AccountId(id)).await?.ok_or(OperatorError::NoAccount(id))
    }

    pub(crate) async fn insert_account(&self, name: &str) -> Result<Account, OperatorError> {
        let project_id = project_id(&*self.random);
        let new = NewAccount { name, project_id: &project_id };
        match self.catalog.create_account(new, self.clock.now()).await? {
            CreateAccount::Created(account) => Ok(account),
            CreateAccount::NameTaken => Err(OperatorError::AccountExists(name.to_owned())),
        }
    }

    pub(crate) fn new_key_pair(&self) -> KeyPair {
        let (public_key, private_key) = key_pair(&*self.random);
        KeyPair { public_key, private_key: SecretString::from(private_key) }
    }

    pub(crate) async fn insert_key(
        &self,
        account: AccountId,
        pair: &KeyPair,
        name: &str,
        limits: &KeyLimits,
    ) -> Result<(), OperatorError> {
        let sealed = self.keyring().seal(&pair.public_key, &pair.private_key, &*self.random);
        let new = NewKey { public_key: &pair.public_key, account, name, sealed_private_key: &sealed, limits };
        match self.catalog.add_key(new, self.clock.now()).await? {
            AddKey::Added => Ok(()),
            AddKey::Exists => Err(OperatorError::KeyExists(pair.public_key.clone())),
        }
    }

    /// Adds a pair that was given, unless it is there as given.
    pub(crate) async fn ensure_key(&self, account: AccountId, pair: &KeyPair) -> Result<(), OperatorError> {
        let Some((key, owner)) = self.catalog.find_key(&pair.public_key).await? else {
            return self.insert_key(account, pair, "from the environment", &KeyLimits::default()).await;
        };
        let private_key = self.keyring().open(&pair.public_key, &key.sealed_private_key)?;
        let same = private_key.expose_secret() == pair.private_key.expose_secret();
        if same && owner.id == account && key.revoked_at.is_none() {
            Ok(())
        } else {
            Err(OperatorError::KeyExists(pair.public_key.clone()))
        }
    }
}
