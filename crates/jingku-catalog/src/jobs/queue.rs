//! The queue of jobs, as the operator sees it.

use crate::database::row;
use crate::{AccountId, Catalog, Result};

row! {
    /// A job that waits or runs, as the operator sees it.
    pub struct QueuedJob {
        /// The image to make.
        pub image_id: String = "j.image_id",
        /// The name of the image.
        pub name: String = "i.name",
        /// The owner of the image.
        pub account: AccountId = "j.account_id",
        /// The name of the owner.
        pub account_name: String = "a.name",
        /// When the job was created.
        pub created_at: i64 = "j.created_at",
        /// Whether a worker has a valid lease on it.
        pub is_running: bool = "CAST(CASE WHEN j.lease_until > $1 THEN 1 ELSE 0 END AS BIGINT)",
        /// Bytes read so far.
        pub done_bytes: i64 = "j.done_bytes",
        /// The total number of bytes; 0 until known.
        pub total_bytes: i64 = "j.total_bytes",
        /// How often a worker has started it.
        pub attempts: i64 = "j.attempts",
        /// The server that has its source; empty if there is only one.
        pub host: String = "j.host",
    }
}

impl Catalog {
    /// Returns the jobs of all accounts and servers that have not ended, running ones first, then oldest first, at most
    /// `limit`.
    pub async fn queued_jobs(&self, now: i64, limit: u32) -> Result<Vec<QueuedJob>> {
        let sql = format!(
            "SELECT {} FROM jobs j JOIN images i ON i.id = j.image_id JOIN accounts a ON a.id = j.account_id
             WHERE j.finished_at IS NULL
             ORDER BY CASE WHEN j.lease_until > $1 THEN 0 ELSE 1 END, j.created_at, j.id LIMIT $2",
            QueuedJob::COLUMNS
        );
        let params = [self.lease_time(now).await?.into(), i64::from(limit).into()];
        self.database.scan(AccountId::PLATFORM, &sql, &params).await?.all("jobs")
    }
}
