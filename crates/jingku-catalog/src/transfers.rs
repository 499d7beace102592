//! Counts the transfers that run, of accounts with a limit of them.

use crate::database::Transaction;
use crate::{AccountId, Catalog, Limit, OverLimit, Result};

/// The outcome of [`Catalog::start_transfer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartTransfer {
    /// The account has no limit. Nothing was changed.
    Unlimited,
    /// The transfer counts until [`Catalog::end_transfer`].
    Started,
    /// The account has reached its limit.
    OverLimit(OverLimit),
}

impl Catalog {
    /// Counts a transfer that this server starts. `id` is unique. It counts at most until `expires_at`.
    pub async fn start_transfer(
        &self,
        account: AccountId,
        id: &str,
        now: i64,
        expires_at: i64,
    ) -> Result<StartTransfer> {
        let sql = "SELECT id, transfers_max FROM accounts WHERE id = $1";
        let own: Option<Option<i64>> =
            self.database.query(sql, &[account.into()]).await?.first_after_key("accounts")?;
        let max = own.flatten().unwrap_or(self.account_limits.transfers);
        if max == i64::MAX || account == AccountId::PLATFORM {
            return Ok(StartTransfer::Unlimited);
        }
        let change = |mut transaction: Transaction| async move {
            transaction.lock_account(account).await?;
            let sql = "DELETE FROM transfers WHERE account_id = $1 AND expires_at <= $2";
            transaction.execute(sql, &[account.into(), now.into()]).await?;
            let more = [(Limit::Transfers, 1)];
            if let Some(over) = self.check_limits(&mut transaction, account, &more).await? {
                return transaction.discard(StartTransfer::OverLimit(over)).await;
            }
            let sql = "INSERT INTO transfers (id, account_id, host, expires_at) VALUES ($1, $2, $3, $4)";
            let params = [id.into(), account.into(), (&*self.host).into(), expires_at.into()];
            transaction.execute(sql, &params).await?;
            transaction.commit(StartTransfer::Started).await
        };
        self.database.write(change).await
    }

    /// Ends a transfer. Succeeds if it has ended.
    pub async fn end_transfer(&self, id: &str) -> Result<()> {
        self.database.execute("DELETE FROM transfers WHERE id = $1", &[id.into()]).await.map(drop)
    }

    /// Ends the transfers of an earlier run of this server. The only server ends all.
    pub async fn end_transfers_of_host(&self) -> Result<()> {
        let sql = "DELETE FROM transfers WHERE host = $1 OR $1 = ''";
        self.database.execute(sql, &[(&*self.host).into()]).await.map(drop)
    }
}
