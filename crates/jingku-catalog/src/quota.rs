//! Enforces the limits of accounts.

use crate::database::{Row, Transaction};
use crate::jobs::row::SEEDED;
use crate::{AccountId, Catalog, Limit, LimitState, OverLimit, Result};

/// Bytes of an upload that count: the announced size without holes until it is finished or exceeds that.
pub(crate) const COUNTED_BYTES: &str =
    "CASE WHEN finished_at IS NOT NULL OR stored_bytes > COALESCE(data_bytes, size_bytes, 0) THEN stored_bytes
          ELSE COALESCE(data_bytes, size_bytes) END";

/// The column of an account's own limit.
fn column(limit: Limit) -> &'static str {
    match limit {
        Limit::Images => "images_max",
        Limit::Trashed => "trashed_max",
        Limit::StoredBytes => "stored_bytes_max",
        Limit::UniqueBytes => "unique_bytes_max",
        Limit::Uploads => "uploads_max",
        Limit::UploadBytes => "upload_bytes_max",
        Limit::Jobs => "jobs_max",
        Limit::Transfers => "transfers_max",
    }
}

/// Selects the usage of a limit by the account `$1`.
fn usage_query(limit: Limit) -> String {
    match limit {
        Limit::Images => {
            "SELECT CAST(COALESCE(SUM(images), 0) AS BIGINT) FROM image_counts WHERE account_id = $1".into()
        }
        Limit::Trashed => {
            "SELECT COUNT(*) FROM images WHERE account_id = $1 AND deleted_at IS NOT NULL".into()
        }
        Limit::StoredBytes => "SELECT CAST(COALESCE(SUM(data_bytes), 0) AS BIGINT) FROM (
                 SELECT MAX(data_bytes) AS data_bytes FROM images
                 WHERE account_id = $1 AND manifest IS NOT NULL GROUP BY manifest
             ) AS stored"
            .into(),
        // As it was measured last. Enforcing the limit does not rely on it.
        Limit::UniqueBytes => "SELECT COALESCE((SELECT stored_bytes FROM usage_samples WHERE account_id = $1
                                                ORDER BY day DESC LIMIT 1), 0)"
            .into(),
        Limit::Uploads => "SELECT COUNT(*) FROM uploads WHERE account_id = $1 AND finished_at IS NULL".into(),
        Limit::UploadBytes => format!(
            "SELECT CAST(COALESCE(SUM({COUNTED_BYTES}), 0) AS BIGINT) FROM uploads WHERE account_id = $1"
        ),
        // No worker runs seeded jobs.
        Limit::Jobs => format!(
            "SELECT (SELECT COUNT(*) FROM jobs WHERE account_id = $1 AND finished_at IS NULL AND NOT {SEEDED})
                  + (SELECT COUNT(*) FROM uploads WHERE account_id = $1 AND finished_at IS NULL)"
        ),
        Limit::Transfers => "SELECT COUNT(*) FROM transfers WHERE account_id = $1".into(),
    }
}

impl Catalog {
    /// Sets limits of one account; `None` means the server's default. Existing resources stay. Returns `false` if there is
    /// no such account.
    pub async fn set_account_limits(
        &self,
        account: AccountId,
        limits: &[(Limit, Option<i64>)],
    ) -> Result<bool> {
        let change = |mut transaction: Transaction| async move {
            let sql = "SELECT id FROM accounts WHERE id = $1 AND id > 0";
            let mut found = transaction.exists(sql, &[account.into()]).await?;
            for (limit, max) in limits {
                let sql = format!("UPDATE accounts SET {} = $2 WHERE id = $1 AND id > 0", column(*limit));
                found &= transaction.execute(&sql, &[account.into(), (*max).into()]).await? == 1;
            }
            transaction.commit(found).await
        };
        self.database.write(change).await
    }

    /// Returns all limits of an account and their usage; empty if there is no such account.
    pub async fn account_limits(&self, account: AccountId) -> Result<Vec<LimitState>> {
        let columns = Limit::ALL.map(|limit| format!("{}, ({})", column(limit), usage_query(limit)));
        let sql = format!("SELECT id, {} FROM accounts WHERE id = $1", columns.join(", "));
        let states =
            self.database.scan(account, &sql, &[account.into()]).await?.first_with("accounts", |cells| {
                let _id = i64::read(cells)?;
                let states = Limit::ALL.into_iter().map(|limit| {
                    let (own, used) = <(Option<i64>, i64)>::read(cells)?;
                    let max = own.unwrap_or(self.account_limits.get(limit));
                    Ok(LimitState { limit, used, max, own: own.is_some() })
                });
                states.collect()
            });
        Ok(states?.unwrap_or_default())
    }

    /// Checks whether the account may have so much more. The transaction must lock the account, so that the result stays
    /// true until it commits.
    pub(crate) async fn check_limits(
        &self,
        transaction: &mut Transaction,
        account: AccountId,
        more: &[(Limit, i64)],
    ) -> Result<Option<OverLimit>> {
        // The platform's images belong to the operator.
        if account == AccountId::PLATFORM {
            return Ok(None);
        }
        // Adding nothing is allowed even above a lowered limit.
        for (limit, more) in more.iter().copied().filter(|(_, more)| *more > 0) {
            let max = self.account_max(transaction, account, limit).await?;
            if max == i64::MAX {
                continue;
            }
            let used = transaction.usage(account, limit).await?;
            if used.saturating_add(more) > max {
                return Ok(Some(OverLimit { limit, used, more, max }));
            }
        }
        Ok(None)
    }

    /// Returns the maximum of a limit: the one set for this account, or the default.
    pub(crate) async fn account_max(
        &self,
        transaction: &mut Transaction,
        account: AccountId,
        limit: Limit,
    ) -> Result<i64> {
        let sql = format!("SELECT id, {} FROM accounts WHERE id = $1", column(limit));
        let rows = transaction.query(&sql, &[account.into()]).await?;
        let own: Option<i64> = rows.first_after_key("accounts")?.flatten();
        Ok(own.unwrap_or(self.account_limits.get(limit)))
    }
}

impl Transaction {
    /// Returns how many bytes a manifest would add to those the account stores.
    pub(crate) async fn added_bytes(
        &mut self,
        account: AccountId,
        manifest: &str,
        data_bytes: i64,
    ) -> Result<i64> {
        let sql = "SELECT id FROM images WHERE account_id = $1 AND manifest = $2 LIMIT 1";
        let stored = self.exists(sql, &[account.into(), manifest.into()]).await?;
        Ok(if stored { 0 } else { data_bytes })
    }

    pub(crate) async fn usage(&mut self, account: AccountId, limit: Limit) -> Result<i64> {
        let rows = self.query(&usage_query(limit), &[account.into()]).await?;
        Ok(rows.first("accounts")?.unwrap_or(0))
    }
}
