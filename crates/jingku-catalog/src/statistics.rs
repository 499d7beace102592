//! Counts for monitoring.

use crate::database::row;
use crate::{AccountId, Catalog, Result};

row! {
    /// Counts over all accounts.
    pub struct Statistics {
        /// Accounts.
        pub accounts: i64 = "(SELECT COUNT(*) FROM accounts WHERE id > 0)",
        /// Images outside the trash.
        pub images: i64 = "(SELECT CAST(COALESCE(SUM(images), 0) AS BIGINT) FROM image_counts)",
        /// Unfinished uploads.
        pub uploads: i64 = "(SELECT COUNT(*) FROM uploads WHERE finished_at IS NULL)",
        /// Jobs that wait for a worker.
        pub waiting_jobs: i64 = "(SELECT COUNT(*) FROM jobs WHERE finished_at IS NULL
             AND (lease_until IS NULL OR lease_until <= $1))",
        /// Jobs that a worker runs.
        pub running_jobs: i64 = "(SELECT COUNT(*) FROM jobs WHERE finished_at IS NULL AND lease_until > $1)",
        /// When the oldest waiting job was created, in Unix seconds; now if none waits.
        pub oldest_waiting_at: i64 = "(SELECT COALESCE(MIN(created_at), $2) FROM jobs WHERE finished_at IS NULL
             AND (lease_until IS NULL OR lease_until <= $1))",
    }
}

impl Catalog {
    /// Counts accounts, images, uploads and jobs.
    pub async fn statistics(&self, now: i64) -> Result<Option<Statistics>> {
        let sql = format!("SELECT {}", Statistics::COLUMNS);
        let lease_now = self.lease_time(now).await?;
        self.database.scan(AccountId::PLATFORM, &sql, &[lease_now.into(), now.into()]).await?.first("jobs")
    }
}
