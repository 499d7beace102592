//! Accounts and their keys.

use jingku_catalog::{Account, AccountId, Key, KeyLimits, NewAccount, NewKey};
use secrecy::{ExposeSecret, SecretString};

use crate::audit::Change;
use crate::credentials::KeyPair;
use crate::data_dir::DataDir;
use crate::error::LibraryError;
use crate::key_limits;
use crate::library::Library;
use crate::random::{key_pair, project_id};

impl Library {
    /// Creates account 1 and a key pair for it if they are missing. The pair is `given`, or is generated and written to the
    /// data directory for client commands. Returns a generated pair.
    pub async fn ensure_first_account(
        &self,
        data: &DataDir,
        given: Option<&KeyPair>,
    ) -> Result<Option<KeyPair>, LibraryError> {
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
    pub async fn create_account(&self, name: &str) -> Result<(Account, KeyPair), LibraryError> {
        if name.trim().is_empty() {
            return Err(LibraryError::EmptyAccountName);
        }
        let account = self.insert_account(name).await?;
        let (pair, _) = self.create_key(account.id.0, "first key", &KeyLimits::default()).await?;
        Ok((account, pair))
    }

    /// All accounts.
    pub async fn accounts(&self) -> Result<Vec<Account>, LibraryError> {
        Ok(self.catalog.accounts().await?)
    }

    /// Accounts after a number, in order, at most `limit`.
    pub async fn accounts_after(&self, after: i64, limit: u32) -> Result<Vec<Account>, LibraryError> {
        Ok(self.catalog.accounts_after(AccountId(after), limit).await?)
    }

    /// One account. The platform is none.
    pub async fn account(&self, id: i64) -> Result<Option<Account>, LibraryError> {
        Ok(self.catalog.account(AccountId(id)).await?.filter(|account| account.id != AccountId::PLATFORM))
    }

    /// Creates a key pair for an account. Returns the limits with the ranges in canonical spelling.
    pub async fn create_key(
        &self,
        account: i64,
        name: &str,
        limits: &KeyLimits,
    ) -> Result<(KeyPair, KeyLimits), LibraryError> {
        let limits = key_limits::normalize(limits)?;
        let account = self.require_account(account).await?;
        let pair = self.new_key_pair();
        self.insert_key(account.id, &pair, name, &limits).await?;
        Ok((pair, limits))
    }

    /// The keys of one account or of all, without private keys.
    pub async fn keys(&self, account: Option<i64>) -> Result<Vec<Key>, LibraryError> {
        Ok(self.catalog.keys(account.map(AccountId)).await?)
    }

    /// Replaces the restrictions of a key. Running requests keep the old ones. Returns the limits with the ranges in
    /// canonical spelling.
    pub async fn restrict_key(
        &self,
        public_key: &str,
        limits: &KeyLimits,
    ) -> Result<KeyLimits, LibraryError> {
        let limits = key_limits::normalize(limits)?;
        let owner = self.owner_of_key(public_key).await?;
        let restrict = self.catalog.restrict_key(public_key, &limits);
        let restricted = self.audited(Change::command("key restrict", owner, public_key), restrict).await?;
        if restricted { Ok(limits) } else { Err(LibraryError::NoKey(public_key.to_owned())) }
    }

    /// Revokes a key.
    pub async fn revoke_key(&self, public_key: &str) -> Result<(), LibraryError> {
        let owner = self.owner_of_key(public_key).await?;
        let revoke = self.catalog.revoke_key(public_key, self.clock.now());
        let revoked = self.audited(Change::command("key revoke", owner, public_key), revoke).await?;
        if revoked { Ok(()) } else { Err(LibraryError::NoKey(public_key.to_owned())) }
    }

    async fn owner_of_key(&self, public_key: &str) -> Result<AccountId, LibraryError> {
        let found = self.catalog.find_key(public_key).await?;
        Ok(found.map_or(AccountId::PLATFORM, |(_, owner, _)| owner.id))
    }

    pub(crate) async fn require_account(&self, id: i64) -> Result<Account, LibraryError> {
        self.catalog.account(AccountId(id)).await?.ok_or(LibraryError::NoAccount(id))
    }

    pub(crate) async fn insert_account(&self, name: &str) -> Result<Account, LibraryError> {
        let project_id = project_id(&*self.random);
        let new = NewAccount { name, project_id: &project_id };
        let create = self.catalog.create_account(new, self.clock.now());
        // The number of the account is not known yet.
        let change = Change::command("account create", AccountId::PLATFORM, name);
        let created = self.audited(change, create).await?;
        created.ok_or_else(|| LibraryError::AccountExists(name.to_owned()))
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
    ) -> Result<(), LibraryError> {
        let sealed = self.keyring().seal(&pair.public_key, &pair.private_key, &*self.random);
        let new = NewKey { public_key: &pair.public_key, account, name, sealed_private_key: &sealed, limits };
        let add = self.catalog.add_key(new, self.clock.now());
        let added = self.audited(Change::command("key create", account, &pair.public_key), add).await?;
        if added { Ok(()) } else { Err(LibraryError::KeyExists(pair.public_key.clone())) }
    }

    /// Adds the given pair unless it exists.
    pub(crate) async fn ensure_key(&self, account: AccountId, pair: &KeyPair) -> Result<(), LibraryError> {
        let Some((key, owner, _)) = self.catalog.find_key(&pair.public_key).await? else {
            return self.insert_key(account, pair, "from the environment", &KeyLimits::default()).await;
        };
        let private_key = self.keyring().open(&pair.public_key, &key.sealed_private_key)?;
        let same = private_key.expose_secret() == pair.private_key.expose_secret();
        let usable = same && owner.id == account && key.revoked_at.is_none();
        if usable { Ok(()) } else { Err(LibraryError::KeyExists(pair.public_key.clone())) }
    }
}
