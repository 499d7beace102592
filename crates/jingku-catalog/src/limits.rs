//! What one account may have, so that no account can take everything from the others.

use crate::accounts::AccountId;
use crate::database::{Cells, Transaction};
use crate::images::SEED_WORKER;
use crate::uploads::COUNTED_BYTES;
use crate::{Catalog, Result};

/// Something of which an account may have only so much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Images outside the trash, whatever their status.
    Images,
    /// Deleted images that are still kept. An account that has as many as it may gets no new image: otherwise one that
    /// creates and deletes in turn would fill the catalogue.
    Trashed,
    /// Bytes of images that are not zeros, those of the trash included. Images of the same content count once. What the
    /// store saves by compression and by chunks that other images have does not count: it would tell an account what
    /// others store.
    StoredBytes,
    /// Uploads whose file has not come whole.
    Uploads,
    /// Bytes that uploaded files take up of which no image is made yet: as many as they are to take up, or, where nobody
    /// knows, as they do. Holes take up nothing.
    UploadBytes,
    /// Images that wait for their making or are being made, unfinished uploads included.
    Jobs,
}

impl Limit {
    /// All limits, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Images, Self::Trashed, Self::StoredBytes, Self::Uploads, Self::UploadBytes, Self::Jobs];

    fn column(self) -> &'static str {
        match self {
            Self::Images => "images_max",
            Self::Trashed => "trashed_max",
            Self::StoredBytes => "stored_bytes_max",
            Self::Uploads => "uploads_max",
            Self::UploadBytes => "upload_bytes_max",
            Self::Jobs => "jobs_max",
        }
    }

    /// Selects what the account `$1` has of it.
    fn usage_query(self) -> String {
        match self {
            Self::Images => {
                "SELECT CAST(COALESCE(SUM(images), 0) AS BIGINT) FROM image_counts WHERE account_id = $1"
                    .to_owned()
            }
            Self::Trashed => {
                "SELECT COUNT(*) FROM images WHERE account_id = $1 AND deleted_at IS NOT NULL".to_owned()
            }
            Self::StoredBytes => "SELECT CAST(COALESCE(SUM(data_bytes), 0) AS BIGINT) FROM (
                     SELECT MAX(data_bytes) AS data_bytes FROM images
                     WHERE account_id = $1 AND manifest IS NOT NULL GROUP BY manifest
                 ) AS stored"
                .to_owned(),
            Self::Uploads => {
                "SELECT COUNT(*) FROM uploads WHERE account_id = $1 AND finished_at IS NULL".to_owned()
            }
            Self::UploadBytes => format!(
                "SELECT CAST(COALESCE(SUM({COUNTED_BYTES}), 0) AS BIGINT) FROM uploads WHERE account_id = $1"
            ),
            // Jobs that a fixtures file left standing are nobody's work.
            Self::Jobs => format!(
                "SELECT (SELECT COUNT(*) FROM jobs
                         WHERE account_id = $1 AND finished_at IS NULL AND COALESCE(worker, '') <> '{SEED_WORKER}')
                      + (SELECT COUNT(*) FROM uploads WHERE account_id = $1 AND finished_at IS NULL)"
            ),
        }
    }
}

/// How much of everything an account may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of `Limit`")]
pub struct AccountLimits {
    pub images: i64,
    pub trashed: i64,
    pub stored_bytes: i64,
    pub uploads: i64,
    pub upload_bytes: i64,
    pub jobs: i64,
}

impl AccountLimits {
    /// Limits nothing.
    pub const NONE: Self = Self {
        images: i64::MAX,
        trashed: i64::MAX,
        stored_bytes: i64::MAX,
        uploads: i64::MAX,
        upload_bytes: i64::MAX,
        jobs: i64::MAX,
    };

    /// Returns how much there may be of one thing.
    pub fn get(&self, limit: Limit) -> i64 {
        match limit {
            Limit::Images => self.images,
            Limit::Trashed => self.trashed,
            Limit::StoredBytes => self.stored_bytes,
            Limit::Uploads => self.uploads,
            Limit::UploadBytes => self.upload_bytes,
            Limit::Jobs => self.jobs,
        }
    }
}

/// A change that would have given an account more than it may have. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverLimit {
    /// What there would have been too much of.
    pub limit: Limit,
    /// How much the account has.
    pub used: i64,
    /// How much it may have.
    pub max: i64,
}

/// How an account stands to one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitState {
    /// The limit.
    pub limit: Limit,
    /// How much the account has.
    pub used: i64,
    /// How much it may have.
    pub max: i64,
    /// Whether the operator has set that for this account.
    pub own: bool,
}

impl Catalog {
    /// Returns a handle that keeps accounts without limits of their own to these. Without it there are none.
    #[must_use]
    pub fn with_account_limits(self, account_limits: AccountLimits) -> Self {
        Self { account_limits, ..self }
    }

    /// Sets limits of one account; `None` for the server's default. What it has already stays. Returns `false` when there is
    /// no such account.
    pub async fn set_account_limits(
        &self,
        account: AccountId,
        limits: &[(Limit, Option<i64>)],
    ) -> Result<bool> {
        self.database
            .write(|mut transaction| async move {
                let mut there = transaction
                    .exists("SELECT id FROM accounts WHERE id = $1 AND id > 0", &[account.into()])
                    .await?;
                for (limit, max) in limits {
                    let sql = format!("UPDATE accounts SET {} = $2 WHERE id = $1 AND id > 0", limit.column());
                    there &= transaction.execute(&sql, &[account.into(), (*max).into()]).await? == 1;
                }
                transaction.commit(there).await
            })
            .await
    }

    /// Returns manifests of images of which nobody has counted the data, in order, after one of them, at most `limit`: those
    /// that were made before it was counted.
    pub async fn uncounted_manifests(&self, after: &str, limit: u32) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT manifest FROM images
                   WHERE manifest IS NOT NULL AND data_bytes IS NULL AND manifest > $1 ORDER BY manifest LIMIT $2";
        let rows = self.database.query(sql, &[after.into(), i64::from(limit).into()]).await?;
        rows.into_iter().map(|row| row.decode("images", Cells::text)).collect()
    }

    /// Writes down how much data the images of a manifest have.
    pub async fn set_data_bytes(&self, manifest: &str, data_bytes: i64) -> Result<()> {
        self.database
            .write(|mut transaction| async move {
                let sql = "UPDATE images SET data_bytes = $2 WHERE manifest = $1 AND data_bytes IS NULL";
                transaction.execute(sql, &[manifest.into(), data_bytes.into()]).await?;
                transaction.commit(()).await
            })
            .await
    }

    /// Returns how an account stands to all limits; nothing when there is no such account.
    pub async fn account_limits(&self, account: AccountId) -> Result<Vec<LimitState>> {
        let columns = Limit::ALL.map(|limit| format!("{}, ({})", limit.column(), limit.usage_query()));
        let sql = format!("SELECT id, {} FROM accounts WHERE id = $1", columns.join(", "));
        let Some(row) = self.database.query(&sql, &[account.into()]).await?.into_iter().next() else {
            return Ok(Vec::new());
        };
        row.decode("accounts", |cells| {
            cells.integer()?;
            let mut states = Vec::with_capacity(Limit::ALL.len());
            for limit in Limit::ALL {
                let (own, used) = (cells.optional_integer()?, cells.integer()?);
                let max = own.unwrap_or(self.account_limits.get(limit));
                states.push(LimitState { limit, used, max, own: own.is_some() });
            }
            Ok(states)
        })
    }
}

/// Says whether the account may not have so much more. The transaction holds the account's row, so that this stays true
/// until it commits.
pub(crate) async fn check_limits(
    transaction: &mut Transaction,
    defaults: AccountLimits,
    account: AccountId,
    more: &[(Limit, i64)],
) -> Result<Option<OverLimit>> {
    // The platform's images are the operator's.
    if account == AccountId::PLATFORM {
        return Ok(None);
    }
    // More of nothing is never too much, however little the operator has left the account.
    for (limit, more) in more.iter().filter(|(_, more)| *more > 0) {
        let max = account_max(transaction, account, *limit).await?.unwrap_or(defaults.get(*limit));
        if max == i64::MAX {
            continue;
        }
        let used = usage(transaction, account, *limit).await?;
        if used.saturating_add(*more) > max {
            return Ok(Some(OverLimit { limit: *limit, used, max }));
        }
    }
    Ok(None)
}

/// How many bytes more the account would store with a manifest.
pub(crate) async fn added_bytes(
    transaction: &mut Transaction,
    account: AccountId,
    manifest: &str,
    data_bytes: i64,
) -> Result<i64> {
    let sql = "SELECT id FROM images WHERE account_id = $1 AND manifest = $2 LIMIT 1";
    let stored = transaction.exists(sql, &[account.into(), manifest.into()]).await?;
    Ok(if stored { 0 } else { data_bytes })
}

/// What the account has of one thing.
pub(crate) async fn usage(transaction: &mut Transaction, account: AccountId, limit: Limit) -> Result<i64> {
    let rows = transaction.query(&limit.usage_query(), &[account.into()]).await?;
    let used = rows.into_iter().next().map(|row| row.decode("accounts", Cells::integer)).transpose()?;
    Ok(used.unwrap_or(0))
}

/// The limit that the operator has set for this account.
async fn account_max(transaction: &mut Transaction, account: AccountId, limit: Limit) -> Result<Option<i64>> {
    let sql = format!("SELECT id, {} FROM accounts WHERE id = $1", limit.column());
    let row = transaction.query(&sql, &[account.into()]).await?.into_iter().next();
    let own = row.map(|row| {
        row.decode("accounts", |cells| {
            cells.integer()?;
            cells.optional_integer()
        })
    });
    Ok(own.transpose()?.flatten())
}
