use crate::accounts::account_cells;
use crate::database::{Cells, Read, json_list};
use crate::ordinals::next_ordinal;
use crate::{Account, AccountId, Catalog, Result};

/// A key pair with which an account signs its requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The public key, unique in the catalogue.
    pub public_key: String,
    /// The account it belongs to.
    pub account: AccountId,
    /// Its display name.
    pub name: String,
    /// The private key, encrypted by the caller.
    pub sealed_private_key: String,
    /// When it was created.
    pub created_at: i64,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// The restrictions on its use.
    pub limits: KeyLimits,
}

/// The restrictions on a key, enforced by the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyLimits {
    /// Whether it may only read.
    pub read_only: bool,
    /// The address ranges it may be used from, in the caller's format; empty means anywhere.
    pub addresses: Vec<String>,
}

/// The data of a new key.
#[derive(Clone, Copy, Debug)]
pub struct NewKey<'a> {
    /// The public key.
    pub public_key: &'a str,
    /// The account it belongs to, which must exist.
    pub account: AccountId,
    /// Its display name; need not be unique.
    pub name: &'a str,
    /// The private key, encrypted by the caller.
    pub sealed_private_key: &'a str,
    /// The restrictions on its use.
    pub limits: &'a KeyLimits,
}

/// The outcome of [`Catalog::add_key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddKey {
    /// The key was added.
    Added,
    /// The public key exists, perhaps in another account, perhaps revoked.
    Exists,
}

const KEY: &str = "k.public_key, k.account_id, k.name, k.sealed_private_key, k.created_at, k.revoked_at, \
     k.read_only, k.allowed_addresses";

impl Catalog {
    /// Adds a key.
    pub async fn add_key(&self, new: NewKey<'_>, now: i64) -> Result<AddKey> {
        let addresses = json_list(&new.limits.addresses);
        let addresses = addresses.as_str();
        self.database
            .write(|mut transaction| async move {
                let ordinal = next_ordinal(&mut transaction).await?;
                let sql = "INSERT INTO keys (public_key, account_id, name, sealed_private_key, created_at,
                                             read_only, allowed_addresses, ordinal)
                           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                           ON CONFLICT (public_key) DO NOTHING";
                let params = [
                    new.public_key.into(),
                    new.account.into(),
                    new.name.into(),
                    new.sealed_private_key.into(),
                    now.into(),
                    new.limits.read_only.into(),
                    addresses.into(),
                    ordinal.into(),
                ];
                match transaction.execute(sql, &params).await? {
                    0 => transaction.discard(AddKey::Exists).await,
                    _ => transaction.commit(AddKey::Added).await,
                }
            })
            .await
    }

    /// Returns a key, revoked or not, and its account.
    pub async fn find_key(&self, public_key: &str) -> Result<Option<(Key, Account)>> {
        let sql = format!(
            "SELECT {KEY}, a.id, a.name, a.project_id, a.created_at
             FROM keys k JOIN accounts a ON a.id = k.account_id WHERE k.public_key = $1"
        );
        let rows = self.database.query(&sql, &[public_key.into()]).await?;
        rows.first("keys", |cells| Ok((key_cells(cells)?, account_cells(cells)?)))
    }

    /// Returns the keys of one account or of all, in order of creation.
    pub async fn keys(&self, account: Option<AccountId>) -> Result<Vec<Key>> {
        let (condition, params) = match account {
            Some(account) => ("WHERE k.account_id = $1", vec![account.into()]),
            None => ("", vec![]),
        };
        let sql = format!("SELECT {KEY} FROM keys k {condition} ORDER BY k.ordinal");
        self.database.scan(AccountId::PLATFORM, &sql, &params).await?.all("keys", key_cells)
    }

    /// Revokes a key. Returns `false` if it does not exist or was revoked before.
    pub async fn revoke_key(&self, public_key: &str, now: i64) -> Result<bool> {
        let sql = "UPDATE keys SET revoked_at = $2 WHERE public_key = $1 AND revoked_at IS NULL";
        Ok(self.database.execute(sql, &[public_key.into(), now.into()]).await? == 1)
    }
}

fn key_cells(cells: &mut Cells) -> Read<Key> {
    Ok(Key {
        public_key: cells.text()?,
        account: cells.account()?,
        name: cells.text()?,
        sealed_private_key: cells.text()?,
        created_at: cells.integer()?,
        revoked_at: cells.optional_integer()?,
        limits: KeyLimits { read_only: cells.flag()?, addresses: cells.list()? },
    })
}
