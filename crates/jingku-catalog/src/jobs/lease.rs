use super::row::Job;
use crate::database::{Transaction, Value};
use crate::unique_bytes::{StoredManifest, UniqueCheck};
use crate::{BuiltImage, Catalog, Limit, OverLimit, Result};

/// The outcome of [`Catalog::heartbeat`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heartbeat {
    /// The lease is renewed.
    Held,
    /// Another attempt has the job, or it has ended. The worker must stop.
    Lost,
    /// The image was deleted. The worker must stop.
    Cancelled,
}

/// The outcome of ending a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// The job has ended and the image is updated.
    Ended,
    /// The job was lost or cancelled before. Nothing was changed.
    Lost,
    /// The account would exceed a limit. Nothing was changed.
    OverLimit(OverLimit),
    /// The account has a limit of distinct bytes, and these manifests must be counted first, again if others were counted.
    /// Nothing was changed: try again with the count.
    Uncounted(Vec<StoredManifest>),
    /// The claim on the content has ended, so a sweep may have deleted some of it. Nothing was changed; make it again.
    ClaimExpired,
}

/// The job of a worker: `$1`, `$2` and `$3` are [`Job::params`].
const LEASED: &str = "id = $1 AND worker = $2 AND attempts = $3 AND finished_at IS NULL";

impl Job {
    fn params(&self) -> [Value<'_>; 3] {
        [(&self.id).into(), (&self.worker).into(), self.attempt.into()]
    }
}

impl Catalog {
    /// Renews a lease, perhaps expired, for `lease_secs`, unless another worker has claimed the job. Records the progress.
    pub async fn heartbeat(
        &self,
        job: &Job,
        done_bytes: i64,
        total_bytes: i64,
        now: i64,
        lease_secs: i64,
    ) -> Result<Heartbeat> {
        let lease_now = self.lease_time(now).await?;
        let change = |mut transaction: Transaction| async move {
            let sql = format!(
                "UPDATE jobs SET lease_until = $4, done_bytes = $5, total_bytes = $6, reported_at = $7
                 WHERE {LEASED}"
            );
            let [id, worker, attempt] = job.params();
            let (until, done, total) =
                ((lease_now + lease_secs).into(), done_bytes.into(), total_bytes.into());
            let params = [id, worker, attempt, until, done, total, now.into()];
            if transaction.execute(&sql, &params).await? == 1 {
                return transaction.commit(Heartbeat::Held).await;
            }
            let cancelled = "SELECT id FROM jobs WHERE id = $1 AND outcome = 'cancelled'";
            let cancelled = transaction.exists(cancelled, &params[..1]).await?;
            transaction.discard(if cancelled { Heartbeat::Cancelled } else { Heartbeat::Lost }).await
        };
        self.database.write(change).await
    }

    /// Stores a warning about the disk of a job's image. Does nothing if the job was lost.
    pub async fn set_caution(&self, job: &Job, caution: &str) -> Result<()> {
        let [id, worker, attempt] = job.params();
        let sql = format!("UPDATE jobs SET caution = $4 WHERE {LEASED}");
        self.database.execute(&sql, &[id, worker, attempt, caution.into()]).await.map(drop)
    }

    /// Ends a job: its image becomes `Available` with this content, which must already be durable in the store.
    pub async fn complete_job(&self, job: &Job, built: BuiltImage<'_>, now: i64) -> Result<JobEnd> {
        let change = |mut transaction: Transaction| async move {
            transaction.bump_revision(job.account).await?;
            if !transaction.end_job(job, "done", now).await? {
                return transaction.discard(JobEnd::Lost).await;
            }
            if let Some(claim) = built.claim
                && !transaction.holds_claim(claim).await?
            {
                return transaction.discard(JobEnd::ClaimExpired).await;
            }
            let more = transaction.added_bytes(job.account, built.manifest, built.data_bytes).await?;
            let more = [(Limit::StoredBytes, more)];
            if let Some(over) = self.check_limits(&mut transaction, job.account, &more).await? {
                return transaction.discard(JobEnd::OverLimit(over)).await;
            }
            let new = (built.manifest, built.data_bytes);
            match self.check_unique_bytes(&mut transaction, job.account, new, built.unique).await? {
                UniqueCheck::Fits => {}
                UniqueCheck::OverLimit(over) => return transaction.discard(JobEnd::OverLimit(over)).await,
                UniqueCheck::Uncounted(manifests) => {
                    return transaction.discard(JobEnd::Uncounted(manifests)).await;
                }
            }
            transaction.complete_image(&job.image_id, built, now).await?;
            transaction.commit(JobEnd::Ended).await
        };
        self.database.write(change).await
    }

    /// Ends a failed job: its image becomes `UnAvailable` and frees its name. The reason tells the user what to do.
    pub async fn fail_job(&self, job: &Job, reason: &str, now: i64) -> Result<JobEnd> {
        let change = |mut transaction: Transaction| async move {
            transaction.bump_revision(job.account).await?;
            if !transaction.end_job(job, "failed", now).await? {
                return transaction.discard(JobEnd::Lost).await;
            }
            transaction.fail_image(&job.image_id, reason, now).await?;
            transaction.commit(JobEnd::Ended).await
        };
        self.database.write(change).await
    }

    /// Returns a job to the queue; the attempt does not count. Returns `false` if the worker had lost it.
    pub async fn release_job(&self, job: &Job) -> Result<bool> {
        let sql = format!(
            "UPDATE jobs SET worker = NULL, lease_until = NULL, attempts = attempts - 1 WHERE {LEASED}"
        );
        Ok(self.database.execute(&sql, &job.params()).await? == 1)
    }

    /// Returns the jobs of an earlier run of this worker to the queue; the attempts count. The caller must know that no
    /// such run is alive.
    pub async fn release_jobs_of(&self, worker: &str) -> Result<u64> {
        let sql =
            "UPDATE jobs SET worker = NULL, lease_until = NULL WHERE worker = $1 AND finished_at IS NULL";
        self.database.execute(sql, &[worker.into()]).await
    }

    /// Returns the time that leases of jobs are compared with: that of the database if several servers may share it, whose
    /// own clocks may differ.
    pub(crate) async fn lease_time(&self, now: i64) -> Result<i64> {
        if self.database.postgres().is_none() {
            return Ok(now);
        }
        let rows = self.database.query(&format!("SELECT {}", self.database.clock()), &[]).await?;
        Ok(rows.first("clock")?.unwrap_or(now))
    }

    /// Returns whether a job of an instance ever succeeded and its image was not purged.
    pub async fn has_finished_job(&self, instance_id: &str) -> Result<bool> {
        let sql = "SELECT id FROM jobs WHERE instance_id = $1 AND outcome = 'done' LIMIT 1";
        Ok(!self.database.query(sql, &[instance_id.into()]).await?.is_empty())
    }
}

impl Transaction {
    /// Ends the job if the lease is still valid.
    async fn end_job(&mut self, job: &Job, outcome: &str, now: i64) -> Result<bool> {
        let sql =
            format!("UPDATE jobs SET finished_at = $4, outcome = $5, lease_until = NULL WHERE {LEASED}");
        let [id, worker, attempt] = job.params();
        let params = [id, worker, attempt, now.into(), outcome.into()];
        Ok(self.execute(&sql, &params).await? == 1)
    }
}
