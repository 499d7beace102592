use crate::database::{Transaction, json_list, row};
use crate::{Account, AccountId, Catalog, Result};

row! {
    /// A key pair with which an account signs its requests.
    pub struct Key {
        /// The public key, unique in the catalogue.
        pub public_key: String = "k.public_key",
        /// The account it belongs to.
        pub account: AccountId = "k.account_id",
        /// Its display name.
        pub name: String = "k.name",
        /// The private key, encrypted by the caller.
        pub sealed_private_key: String = "k.sealed_private_key",
        /// When it was created.
        pub created_at: i64 = "k.created_at",
        /// When it was revoked.
        pub revoked_at: Option<i64> = "k.revoked_at",
        /// The restrictions on its use.
        pub limits: KeyLimits,
    }
}

row! {
    /// The restrictions on a key, enforced by the caller.
    #[derive(Default)]
    pub struct KeyLimits {
        /// Whether it may only read.
        pub read_only: bool = "k.read_only",
        /// The address ranges it may be used from, in the caller's format; empty means anywhere.
        pub addresses: Vec<String> = "k.allowed_addresses",
    }
}

/// The data of a new key.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are those of `Key`")]
pub struct NewKey<'a> {
    pub public_key: &'a str,
    /// The account it belongs to, which must exist.
    pub account: AccountId,
    /// Its display name; need not be unique.
    pub name: &'a str,
    pub sealed_private_key: &'a str,
    pub limits: &'a KeyLimits,
}

impl Catalog {
    /// Adds a key. Returns `false` if the public key exists, perhaps in another account, perhaps revoked.
    pub async fn add_key(&self, new: NewKey<'_>, now: i64) -> Result<bool> {
        let change = |mut transaction: Transaction| async move {
            let ordinal = transaction.next_ordinal().await?;
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
                json_list(&new.limits.addresses).into(),
                ordinal.into(),
            ];
            match transaction.execute(sql, &params).await? {
                0 => transaction.discard(false).await,
                _ => transaction.commit(true).await,
            }
        };
        self.database.write(change).await
    }

    /// Returns a key, revoked or not, its account, and [`Catalog::account_revision`] at the same moment.
    pub async fn find_key(&self, public_key: &str) -> Result<Option<(Key, Account, i64)>> {
        let sql = format!(
            "SELECT {}, {}, {}, a.revision FROM keys k JOIN accounts a ON a.id = k.account_id WHERE k.public_key = $1",
            Key::COLUMNS,
            KeyLimits::COLUMNS,
            Account::COLUMNS,
        );
        self.database.query(&sql, &[public_key.into()]).await?.first("keys")
    }

    /// Returns the keys of one account or of all, in order of creation.
    pub async fn keys(&self, account: Option<AccountId>) -> Result<Vec<Key>> {
        let (condition, params) = match account {
            Some(account) => ("WHERE k.account_id = $1", vec![account.into()]),
            None => ("", vec![]),
        };
        let (key, limits) = (Key::COLUMNS, KeyLimits::COLUMNS);
        let sql = format!("SELECT {key}, {limits} FROM keys k {condition} ORDER BY k.ordinal");
        self.database.scan(AccountId::PLATFORM, &sql, &params).await?.all("keys")
    }

    /// Replaces the restrictions of a key. Returns `false` if it does not exist or was revoked.
    pub async fn restrict_key(&self, public_key: &str, limits: &KeyLimits) -> Result<bool> {
        let sql = "UPDATE keys SET read_only = $2, allowed_addresses = $3
                   WHERE public_key = $1 AND revoked_at IS NULL";
        let params = [public_key.into(), limits.read_only.into(), json_list(&limits.addresses).into()];
        Ok(self.database.execute(sql, &params).await? == 1)
    }

    /// Revokes a key. Returns `false` if it does not exist or was revoked before.
    pub async fn revoke_key(&self, public_key: &str, now: i64) -> Result<bool> {
        let sql = "UPDATE keys SET revoked_at = $2 WHERE public_key = $1 AND revoked_at IS NULL";
        Ok(self.database.execute(sql, &[public_key.into(), now.into()]).await? == 1)
    }
}
