use std::collections::BTreeSet;

use crate::database::{Transaction, row};
use crate::{AccountId, Catalog, Result};

row! {
    /// A tenant: the owner of keys, instances and images.
    pub struct Account {
        /// Its number.
        pub id: AccountId = "a.id",
        /// Its name, unique in the catalogue.
        pub name: String = "a.name",
        /// The id of its only project in the API.
        pub project_id: String = "a.project_id",
        /// When it was created.
        pub created_at: i64 = "a.created_at",
    }
}

/// The data of a new account.
#[derive(Clone, Copy, Debug)]
pub struct NewAccount<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its project id, unique in the catalogue.
    pub project_id: &'a str,
}

impl Catalog {
    /// Creates an account. Returns `None` if another account has the name.
    pub async fn create_account(&self, new: NewAccount<'_>, now: i64) -> Result<Option<Account>> {
        let change = |mut transaction: Transaction| async move {
            transaction.execute("UPDATE counters SET accounts = accounts + 1", &[]).await?;
            let sql = "INSERT INTO accounts (id, name, project_id, created_at, revision)
                       SELECT accounts, $1, $2, $3, 0 FROM counters WHERE TRUE
                       ON CONFLICT (name) DO NOTHING
                       RETURNING id, name, project_id, created_at";
            let params = [new.name.into(), new.project_id.into(), now.into()];
            match transaction.query(sql, &params).await?.first("accounts")? {
                Some(account) => transaction.commit(Some(account)).await,
                None => transaction.discard(None).await,
            }
        };
        self.database.write(change).await
    }

    /// Returns all accounts except the platform's, oldest first.
    pub async fn accounts(&self) -> Result<Vec<Account>> {
        let sql = format!("SELECT {} FROM accounts a WHERE a.id > 0 ORDER BY a.id", Account::COLUMNS);
        self.database.scan(AccountId::PLATFORM, &sql, &[]).await?.all("accounts")
    }

    /// Returns accounts except the platform's, oldest first, after an account, at most `limit`.
    pub async fn accounts_after(&self, after: AccountId, limit: u32) -> Result<Vec<Account>> {
        let sql = format!(
            "SELECT {} FROM accounts a WHERE a.id > 0 AND a.id > $1 ORDER BY a.id LIMIT $2",
            Account::COLUMNS
        );
        let params = [after.into(), i64::from(limit).into()];
        self.database.query(&sql, &params).await?.all("accounts")
    }

    /// Returns one account.
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>> {
        let sql = format!("SELECT {} FROM accounts a WHERE a.id = $1", Account::COLUMNS);
        self.database.query(&sql, &[id.into()]).await?.first("accounts")
    }

    /// Returns a number that increases with every change visible in a list of the account's images.
    pub async fn account_revision(&self, id: AccountId) -> Result<Option<i64>> {
        let rows = self.database.query("SELECT revision FROM accounts WHERE id = $1", &[id.into()]).await?;
        rows.first("accounts")
    }
}

impl Transaction {
    /// Increments the revision of an account and locks its row until the transaction ends.
    ///
    /// The first statement of every transaction that changes images of an account or removes an instance: such
    /// transactions run one after another, so what one has read stays true until it commits.
    pub(crate) async fn bump_revision(&mut self, account: AccountId) -> Result<()> {
        let sql = "UPDATE accounts SET revision = revision + 1 WHERE id = $1";
        self.execute(sql, &[account.into()]).await.map(drop)
    }

    /// Locks the row of an account until the transaction ends, for changes that no list shows.
    pub(crate) async fn lock_account(&mut self, account: AccountId) -> Result<()> {
        let sql = "UPDATE accounts SET revision = revision WHERE id = $1";
        self.execute(sql, &[account.into()]).await.map(drop)
    }

    /// Bumps the revisions of several accounts, always in the same order to prevent deadlocks.
    pub(crate) async fn bump_revisions(
        &mut self,
        accounts: impl IntoIterator<Item = AccountId>,
    ) -> Result<()> {
        for account in accounts.into_iter().collect::<BTreeSet<_>>() {
            self.bump_revision(account).await?;
        }
        Ok(())
    }
}
