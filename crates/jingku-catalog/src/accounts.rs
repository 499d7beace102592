use std::collections::BTreeSet;

use crate::database::{Cells, Param, Read, Row, Transaction};
use crate::{Catalog, Result};

/// The number of an account. Numbers count from 1 and are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(pub i64);

impl AccountId {
    /// Owns the platform's images. It has no keys: nobody speaks for it but the operator.
    pub const PLATFORM: Self = Self(0);
}

/// Whoever owns keys, instances and images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// Its name, unique in the catalogue.
    pub name: String,
    /// Its one project, as the API calls it.
    pub project_id: String,
    /// When it was created.
    pub created_at: i64,
}

/// What an account is created from.
#[derive(Clone, Copy, Debug)]
pub struct NewAccount<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its project, which no other account may have.
    pub project_id: &'a str,
}

/// What came of [`Catalog::create_account`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateAccount {
    /// The account is there.
    Created(Account),
    /// Another account has the name.
    NameTaken,
}

const ACCOUNT: &str = "SELECT id, name, project_id, created_at FROM accounts";

impl Catalog {
    /// Creates an account.
    pub async fn create_account(&self, new: NewAccount<'_>, now: i64) -> Result<CreateAccount> {
        self.database
            .write(|mut transaction| async move {
                transaction.execute("UPDATE counters SET accounts = accounts + 1", &[]).await?;
                let rows = transaction
                    .query(
                        "INSERT INTO accounts (id, name, project_id, created_at, revision)
                         SELECT accounts, $1, $2, $3, 0 FROM counters WHERE TRUE
                         ON CONFLICT (name) DO NOTHING
                         RETURNING id, name, project_id, created_at",
                        &[new.name.into(), new.project_id.into(), now.into()],
                    )
                    .await?;
                match rows.into_iter().next() {
                    Some(row) => transaction.commit(CreateAccount::Created(account(row)?)).await,
                    None => transaction.discard(CreateAccount::NameTaken).await,
                }
            })
            .await
    }

    /// Returns every account but the platform's, the oldest first.
    pub async fn accounts(&self) -> Result<Vec<Account>> {
        self.database
            .scan(AccountId::PLATFORM, &format!("{ACCOUNT} WHERE id > 0 ORDER BY id"), &[])
            .await?
            .into_iter()
            .map(account)
            .collect()
    }

    /// Returns one account.
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>> {
        self.one_account("id = $1", id.into()).await
    }

    /// Returns the account of that name.
    pub async fn account_by_name(&self, name: &str) -> Result<Option<Account>> {
        self.one_account("name = $1", name.into()).await
    }

    async fn one_account(&self, condition: &str, param: Param<'_>) -> Result<Option<Account>> {
        let rows = self.database.query(&format!("{ACCOUNT} WHERE {condition}"), &[param]).await?;
        rows.into_iter().next().map(account).transpose()
    }

    /// Returns a number that moves with every change that a list of the account's images can show.
    pub async fn account_revision(&self, id: AccountId) -> Result<Option<i64>> {
        let rows = self.database.query("SELECT revision FROM accounts WHERE id = $1", &[id.into()]).await?;
        rows.into_iter().next().map(|row| row.decode("accounts", Cells::integer)).transpose()
    }
}

/// Moves the revision of an account and holds its row until the transaction ends.
///
/// The first statement of every transaction that changes images of an account or takes an instance away: such
/// changes wait for each other, so that what a transaction has looked at stays true until it commits.
pub(crate) async fn bump_revision(transaction: &mut Transaction, account: AccountId) -> Result<()> {
    transaction
        .execute("UPDATE accounts SET revision = revision + 1 WHERE id = $1", &[account.into()])
        .await
        .map(drop)
}

/// Holds the row of an account until the transaction ends, where no list shows what changes.
pub(crate) async fn lock_account(transaction: &mut Transaction, account: AccountId) -> Result<()> {
    let sql = "UPDATE accounts SET revision = revision WHERE id = $1";
    transaction.execute(sql, &[account.into()]).await.map(drop)
}

/// Touches several accounts. Always in the same order, so that of two transactions one waits for the other and not
/// each for the other.
pub(crate) async fn bump_revisions(
    transaction: &mut Transaction,
    accounts: impl IntoIterator<Item = AccountId>,
) -> Result<()> {
    for account in accounts.into_iter().collect::<BTreeSet<_>>() {
        bump_revision(transaction, account).await?;
    }
    Ok(())
}

impl From<AccountId> for Param<'_> {
    fn from(id: AccountId) -> Self {
        Self::Integer(id.0)
    }
}

/// Reads the columns of an account, in the order of [`ACCOUNT`].
pub(crate) fn account_cells(cells: &mut Cells) -> Read<Account> {
    Ok(Account {
        id: AccountId(cells.integer()?),
        name: cells.text()?,
        project_id: cells.text()?,
        created_at: cells.integer()?,
    })
}

fn account(row: Row) -> Result<Account> {
    row.decode("accounts", account_cells)
}
