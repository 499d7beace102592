use super::row::Job;
use crate::database::Transaction;
use crate::{Catalog, Result};

/// The most attempts of a job. A job that kills its worker does so only this often.
pub const ATTEMPTS_MAX: i64 = 5;

const TOO_MANY_ATTEMPTS: &str = "Making the image was attempted several times and never finished. \
     See the server's log. Delete this image and make it again.";

/// Jobs that a worker may claim at `$1`.
const CLAIMABLE: &str = "finished_at IS NULL AND (lease_until IS NULL OR lease_until <= $1)";

impl Catalog {
    /// Leases a waiting job of this server to a worker, for `lease_secs`.
    ///
    /// Next is the account with the fewest running jobs of this worker, of several the one served least recently, and of
    /// its jobs the oldest. An account with `account_max` running jobs of the worker waits, so that some of its capacity is
    /// left for others.
    ///
    /// A job that was started [`ATTEMPTS_MAX`] times fails instead, and the next is tried. A worker whose server has lost its
    /// name to another one gets none.
    ///
    /// Leases of a catalogue that several servers share have the time of the database.
    pub async fn claim_job(
        &self,
        worker: &str,
        account_max: i64,
        now: i64,
        lease_secs: i64,
    ) -> Result<Option<Job>> {
        let lease_now = self.lease_time(now).await?;
        let params = &[lease_now.into(), worker.into(), account_max.into(), (&*self.host).into()];
        let next = &next_claimable();
        loop {
            // Usually there is nothing to do. Finding that out takes no lock.
            let Some(job) = self.database.query(next, params).await?.first::<Job>("jobs")? else {
                return Ok(None);
            };
            let account = job.account;
            let change = |mut transaction: Transaction| async move {
                // The account before the counter, as every other change. Then no other worker claims in between.
                transaction.lock_account(account).await?;
                transaction.execute("UPDATE counters SET claims = claims + 1", &[]).await?;
                match transaction.query(next, params).await?.first::<Job>("jobs")? {
                    Some(job) if job.account == account => {
                        let claimed = transaction.claim_or_fail(&job, lease_now, now, lease_secs).await?;
                        transaction.commit(claimed.then_some(job)).await
                    }
                    // Another worker was faster.
                    _ => transaction.discard(None).await,
                }
            };
            if let Some(job) = self.database.write(change).await? {
                return Ok(Some(job));
            }
        }
    }
}

/// Selects the job to claim at `$1` by the worker `$2` of the server `$4`, which may run `$3` jobs of one account.
fn next_claimable() -> String {
    format!(
        "SELECT {}
         FROM (
             SELECT account_id,
                    COUNT(CASE WHEN worker = $2 AND lease_until > $1 THEN 1 END) AS running,
                    MIN(CASE WHEN {CLAIMABLE} THEN seq END) AS first
             FROM jobs WHERE finished_at IS NULL AND host = $4 GROUP BY account_id
         ) AS queues
         JOIN jobs j ON j.account_id = queues.account_id AND j.seq = queues.first AND j.finished_at IS NULL
         JOIN accounts a ON a.id = queues.account_id
         WHERE queues.running < $3 AND NOT EXISTS (SELECT 1 FROM hosts WHERE name = $4 AND node <> $2)
         ORDER BY queues.running, a.served, a.id
         LIMIT 1",
        Job::COLUMNS
    )
}

impl Transaction {
    /// Returns `false` if the job failed, or was cancelled or renewed meanwhile.
    async fn claim_or_fail(&mut self, job: &Job, lease_now: i64, now: i64, lease_secs: i64) -> Result<bool> {
        if job.attempt > ATTEMPTS_MAX {
            self.fail_exhausted(job, lease_now, now).await?;
            return Ok(false);
        }
        let served = "UPDATE accounts SET served = (SELECT claims FROM counters) WHERE id = $1";
        self.execute(served, &[job.account.into()]).await?;
        let sql = format!(
            "UPDATE jobs SET worker = $2, lease_until = $3, attempts = $4,
                 started_at = COALESCE(started_at, $6), reported_at = COALESCE(reported_at, $6)
             WHERE {CLAIMABLE} AND id = $5 AND attempts + 1 = $4"
        );
        let (worker, until) = ((&job.worker).into(), (lease_now + lease_secs).into());
        let params = [lease_now.into(), worker, until, job.attempt.into(), (&job.id).into(), now.into()];
        Ok(self.execute(&sql, &params).await? == 1)
    }

    async fn fail_exhausted(&mut self, job: &Job, lease_now: i64, now: i64) -> Result<()> {
        self.bump_revision(job.account).await?;
        let sql =
            format!("UPDATE jobs SET finished_at = $3, outcome = 'failed' WHERE {CLAIMABLE} AND id = $2");
        if self.execute(&sql, &[lease_now.into(), (&job.id).into(), now.into()]).await? == 1 {
            self.fail_image(&job.image_id, TOO_MANY_ATTEMPTS, now).await?;
        }
        Ok(())
    }
}
