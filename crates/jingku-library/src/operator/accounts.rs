//! Accounts and their keys.

use jingku_catalog::{
    Account, AccountId, AddKey, CatalogError, CreateAccount, Key, KeyLimits, NewAccount, NewKey,
};
use secrecy::{ExposeSecret, SecretString};

use crate::credentials::KeyPair;
use crate::data_dir::{DataDir, StartError};
use crate::error::{LibraryError, from_library_errors};
use crate::key_limits::{self, AddressRangeError};
use crate::keyring::WrongMasterKey;
use crate::library::Library;
use crate::random::{key_pair, project_id};

/// Why a command on accounts or keys failed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The account name is empty or blank.
    #[error("An account needs a name. Give one that is not empty.")]
    EmptyName,
    /// The account name is in use.
    #[error("There is an account named {0:?} already. Choose another name.")]
    AccountExists(String),
    /// No such account.
    #[error("There is no account {0}. Create it with `jingku account create NAME`.")]
    NoAccount(i64),
    /// No such key.
    #[error("There is no key {0:?} that is not revoked. `jingku key list` shows all.")]
    NoKey(String),
    /// The public key exists in another account or with another private key.
    #[error(
        "The public key {0:?} exists already with another private key or in another account. Choose another."
    )]
    KeyExists(String),
    /// The address ranges of a key are invalid.
    #[error(transparent)]
    Range(#[from] AddressRangeError),
    /// The library failed.
    #[error(transparent)]
    Library(#[from] LibraryError),
}

from_library_errors!(AccountError: CatalogError, WrongMasterKey, StartError);

impl Library {
    /// Creates account 1 and a key pair for it if they are missing. The pair is `given`, or is generated and written to the
    /// data folder for client commands. Returns a generated pair.
    pub async fn ensure_first_account(
        &self,
        data: &DataDir,
        given: Option<&KeyPair>,
    ) -> Result<Option<KeyPair>, AccountError> {
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
        // Written first: if the process is killed in between, the next start replaces it with another pair.
        data.replace("credentials.toml", &file)?;
        self.insert_key(first, &pair, "first key", &KeyLimits::default()).await?;
        Ok(Some(pair))
    }

    /// Creates an account with a first key pair.
    pub async fn create_account(&self, name: &str) -> Result<(Account, KeyPair), AccountError> {
        if name.trim().is_empty() {
            return Err(AccountError::EmptyName);
        }
        let account = self.insert_account(name).await?;
        let pair = self.create_key(account.id.0, "first key").await?;
        Ok((account, pair))
    }

    /// All accounts.
    pub async fn accounts(&self) -> Result<Vec<Account>, AccountError> {
        Ok(self.catalog.accounts().await?)
    }

    /// Creates a key pair for an account.
    pub async fn create_key(&self, account: i64, name: &str) -> Result<KeyPair, AccountError> {
        Ok(self.create_limited_key(account, name, &KeyLimits::default()).await?.0)
    }

    /// Creates a restricted key pair for an account. Returns the limits with the ranges in canonical spelling.
    pub async fn create_limited_key(
        &self,
        account: i64,
        name: &str,
        limits: &KeyLimits,
    ) -> Result<(KeyPair, KeyLimits), AccountError> {
        let limits = key_limits::normalize(limits)?;
        let account = self.require_account(account).await?;
        let pair = self.new_key_pair();
        self.insert_key(account.id, &pair, name, &limits).await?;
        Ok((pair, limits))
    }

    /// The keys of one account or of all, without private keys.
    pub async fn keys(&self, account: Option<i64>) -> Result<Vec<Key>, AccountError> {
        Ok(self.catalog.keys(account.map(AccountId)).await?)
    }

    /// Revokes a key.
    pub async fn revoke_key(&self, public_key: &str) -> Result<(), AccountError> {
        if self.catalog.revoke_key(public_key, self.clock.now()).await? {
            Ok(())
        } else {
            Err(AccountError::NoKey(public_key.to_owned()))
        }
    }

    pub(crate) async fn require_account(&self, id: i64) -> Result<Account, AccountError> {
        self.catalog.account(AccountId(id)).await?.ok_or(AccountError::NoAccount(id))
    }

    pub(crate) async fn insert_account(&self, name: &str) -> Result<Account, AccountError> {
        let project_id = project_id(&*self.random);
        let new = NewAccount { name, project_id: &project_id };
        match self.catalog.create_account(new, self.clock.now()).await? {
            CreateAccount::Created(account) => Ok(account),
            CreateAccount::NameTaken => Err(AccountError::AccountExists(name.to_owned())),
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
    ) -> Result<(), AccountError> {
        let sealed = self.keyring().seal(&pair.public_key, &pair.private_key, &*self.random);
        let new = NewKey { public_key: &pair.public_key, account, name, sealed_private_key: &sealed, limits };
        match self.catalog.add_key(new, self.clock.now()).await? {
            AddKey::Added => Ok(()),
            AddKey::Exists => Err(AccountError::KeyExists(pair.public_key.clone())),
        }
    }

    /// Adds the given pair unless it exists.
    pub(crate) async fn ensure_key(&self, account: AccountId, pair: &KeyPair) -> Result<(), AccountError> {
        let Some((key, owner)) = self.catalog.find_key(&pair.public_key).await? else {
            return self.insert_key(account, pair, "from the environment", &KeyLimits::default()).await;
        };
        let private_key = self.keyring().open(&pair.public_key, &key.sealed_private_key)?;
        let same = private_key.expose_secret() == pair.private_key.expose_secret();
        if same && owner.id == account && key.revoked_at.is_none() {
            Ok(())
        } else {
            Err(AccountError::KeyExists(pair.public_key.clone()))
        }
    }
}
