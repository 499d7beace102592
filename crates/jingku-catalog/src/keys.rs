use crate::accounts::account_cells;
use crate::database::{Cells, Read, Row, json_list};
use crate::ordinals::next_ordinal;
use crate::{Account, AccountId, Catalog, Result};

/// A pair of keys with which an account signs its requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// What a request names.
    pub public_key: String,
    /// Whose it is.
    pub account: AccountId,
    /// What a person calls it.
    pub name: String,
    /// The private key, encrypted by the caller.
    pub sealed_private_key: String,
    /// When it was created.
    pub created_at: i64,
    /// Since when it is no longer good.
    pub revoked_at: Option<i64>,
    /// What it is good for.
    pub limits: KeyLimits,
}

/// What a key is good for. The catalogue keeps this; whoever checks requests acts on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyLimits {
    /// Whether it is good for nothing but reading.
    pub read_only: bool,
    /// The ranges of addresses it is good from, in the caller's form; none of them means everywhere.
    pub addresses: Vec<String>,
}

/// What a key is created from.
#[derive(Clone, Copy, Debug)]
pub struct NewKey<'a> {
    /// What a request names.
    pub public_key: &'a str,
    /// Whose it is; the account must exist.
    pub account: AccountId,
    /// What a person calls it; need not be unique.
    pub name: &'a str,
    /// The private key, encrypted by the caller.
    pub sealed_private_key: &'a str,
    /// What it is good for.
    pub limits: &'a KeyLimits,
}

/// What came of [`Catalog::add_key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddKey {
    /// The key is there.
    Added,
    /// There is a key of that name already, perhaps of another account, perhaps revoked.
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
                let added = transaction
                    .execute(
                        "INSERT INTO keys (public_key, account_id, name, sealed_private_key, created_at,
                                           read_only, allowed_addresses, ordinal)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                         ON CONFLICT (public_key) DO NOTHING",
                        &[
                            new.public_key.into(),
                            new.account.into(),
                            new.name.into(),
                            new.sealed_private_key.into(),
                            now.into(),
                            i64::from(new.limits.read_only).into(),
                            addresses.into(),
                            ordinal.into(),
                        ],
                    )
                    .await?;
                match added {
                    0 => transaction.discard(AddKey::Exists).await,
                    _ => transaction.commit(AddKey::Added).await,
                }
            })
            .await
    }

    /// Returns a key, revoked or not, and the account it belongs to.
    pub async fn find_key(&self, public_key: &str) -> Result<Option<(Key, Account)>> {
        let sql = format!(
            "SELECT {KEY}, a.id, a.name, a.project_id, a.created_at
             FROM keys k JOIN accounts a ON a.id = k.account_id WHERE k.public_key = $1"
        );
        let rows = self.database.query(&sql, &[public_key.into()]).await?;
        let read = |row: Row| row.decode("keys", |cells| Ok((key_cells(cells)?, account_cells(cells)?)));
        rows.into_iter().next().map(read).transpose()
    }

    /// Returns the keys of one account, or of all, in the order of their creation.
    pub async fn keys(&self, account: Option<AccountId>) -> Result<Vec<Key>> {
        let (condition, params) = match account {
            Some(account) => ("WHERE k.account_id = $1", vec![account.into()]),
            None => ("", vec![]),
        };
        let sql = format!("SELECT {KEY} FROM keys k {condition} ORDER BY k.ordinal");
        let rows = self.database.scan(AccountId::PLATFORM, &sql, &params).await?;
        rows.into_iter().map(|row| row.decode("keys", key_cells)).collect()
    }

    /// Makes a key no longer good. Returns `false` when there is no such key, or it was revoked before.
    pub async fn revoke_key(&self, public_key: &str, now: i64) -> Result<bool> {
        self.database
            .write(|mut transaction| async move {
                let sql = "UPDATE keys SET revoked_at = $2 WHERE public_key = $1 AND revoked_at IS NULL";
                let revoked = transaction.execute(sql, &[public_key.into(), now.into()]).await?;
                transaction.commit(revoked == 1).await
            })
            .await
    }
}

fn key_cells(cells: &mut Cells) -> Read<Key> {
    Ok(Key {
        public_key: cells.text()?,
        account: AccountId(cells.integer()?),
        name: cells.text()?,
        sealed_private_key: cells.text()?,
        created_at: cells.integer()?,
        revoked_at: cells.optional_integer()?,
        limits: KeyLimits { read_only: cells.integer()? != 0, addresses: cells.list()? },
    })
}
