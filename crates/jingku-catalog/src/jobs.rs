use crate::accounts::bump_revision;
use crate::database::{Param, Row, Transaction};
use crate::limits::{Limit, OverLimit, added_bytes, check_limits};
use crate::{AccountId, Catalog, Result, uploads};

/// How often a job is started at most. A worker that dies takes the job down with it only so many times.
pub const ATTEMPTS_MAX: i64 = 5;

const STARTED_TOO_OFTEN: &str = "Making the image was started several times and did not come to an end. \
     The log of the server says more. Delete this image and make it again.";

/// The making of an image, as a worker has it.
///
/// | from | to | by |
/// |---|---|---|
/// | – | waiting | `create_image`, `finish_upload` |
/// | waiting, or held with its lease run out | held | `claim_job` |
/// | held | held for longer | `heartbeat` |
/// | held | waiting | `release_job` |
/// | held | done, failed | `complete_job`, `fail_job` |
/// | waiting, or held with its lease run out | failed | `claim_job`, when it was claimed [`ATTEMPTS_MAX`] times |
/// | waiting, held | cancelled | `delete_image` |
#[derive(Clone, Debug)]
pub struct Job {
    /// The right to work on it.
    pub lease: Lease,
    /// Whose image it is.
    pub account: AccountId,
    /// The image to make.
    pub image_id: String,
    /// The instance to make it from, which stays while the job is live; or [`UPLOAD_SOURCE`](crate::UPLOAD_SOURCE) and
    /// the image's id, when it is made of a file that was uploaded.
    pub instance_id: String,
    /// The number of this attempt, from 1.
    pub attempt: i64,
}

/// The right of one worker to work on a job, for one attempt.
///
/// Another attempt, even of the same worker, has another lease: of two that believe to have the job, one finds
/// out that it lost it.
#[derive(Clone, Debug)]
pub struct Lease {
    job: String,
    worker: String,
    attempt: i64,
    account: AccountId,
    image: String,
}

/// What came of [`Catalog::heartbeat`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heartbeat {
    /// The worker has the job for another term.
    Held,
    /// Another attempt has it, or it has ended. The worker must stop.
    Lost,
    /// Its image was deleted. The worker must stop.
    Cancelled,
}

/// What came of ending a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// The job has ended and the image says so.
    Ended,
    /// The job was lost or cancelled before. Nothing has changed.
    Lost,
    /// The account would store more than it may. Nothing has changed.
    OverLimit(OverLimit),
}

/// What an image was made to.
#[derive(Clone, Copy, Debug)]
pub struct BuiltImage<'a> {
    /// The name of its manifest.
    pub manifest: &'a str,
    /// How large it is when unpacked.
    pub size_bytes: i64,
    /// How much of that is not zeros.
    pub data_bytes: i64,
}

impl<'a> BuiltImage<'a> {
    /// An image without zeros.
    pub fn dense(manifest: &'a str, size_bytes: i64) -> Self {
        Self { manifest, size_bytes, data_bytes: size_bytes }
    }
}

/// Jobs that a worker may take at `$1`.
const CLAIMABLE: &str = "finished_at IS NULL AND (lease_until IS NULL OR lease_until <= $1)";

/// The job of a lease: `$1`, `$2` and `$3` are [`Lease::params`].
const LEASED: &str = "id = $1 AND worker = $2 AND attempts = $3 AND finished_at IS NULL";

impl Lease {
    /// Returns the id of the job, for the log.
    pub fn job(&self) -> &str {
        &self.job
    }

    fn params(&self) -> [Param<'_>; 3] {
        [(&self.job).into(), (&self.worker).into(), self.attempt.into()]
    }
}

impl Catalog {
    /// Gives a job that nobody works on to a worker, until `lease_secs` from `now`.
    ///
    /// Accounts take turns: next is the account of whose jobs this worker has the fewest, of several the one that waits
    /// for the longest time since its last turn, and of its jobs the one that arrived first. An account of whose jobs the
    /// worker has `account_max` waits, so that a worker that claims more than that has some left for others.
    ///
    /// A job that was started [`ATTEMPTS_MAX`] times before ends failed instead, and the next is looked at.
    pub async fn claim_job(
        &self,
        worker: &str,
        account_max: i64,
        now: i64,
        lease_secs: i64,
    ) -> Result<Option<Job>> {
        let params = [now.into(), worker.into(), account_max.into()];
        // Most of the time there is nothing to do, and saying so takes no lock.
        if self.database.query(&next_claimable(), &params).await?.is_empty() {
            return Ok(None);
        }
        self.database
            .write(|mut transaction| async move {
                // Before the look, so that no other worker claims in between.
                transaction.execute("UPDATE counters SET claims = claims + 1", &[]).await?;
                loop {
                    let rows = transaction.query(&next_claimable(), &params).await?;
                    let Some(row) = rows.into_iter().next() else {
                        return transaction.commit(None).await;
                    };
                    let job = claimable(row, worker)?;
                    if job.attempt > ATTEMPTS_MAX {
                        fail_exhausted(&mut transaction, &job.lease, now).await?;
                    } else if claim(&mut transaction, &job.lease, now, lease_secs).await? {
                        return transaction.commit(Some(job)).await;
                    }
                    // It was cancelled meanwhile, which on PostgreSQL is seen by the next look.
                }
            })
            .await
    }

    /// Keeps a job for `lease_secs` from `now` and reports how far it is.
    ///
    /// A lease that has run out is taken up again if no other worker has come meanwhile.
    pub async fn heartbeat(
        &self,
        lease: &Lease,
        done_bytes: i64,
        total_bytes: i64,
        now: i64,
        lease_secs: i64,
    ) -> Result<Heartbeat> {
        let [job, worker, attempt] = lease.params();
        self.database
            .write(|mut transaction| async move {
                let sql = format!(
                    "UPDATE jobs SET lease_until = $4, done_bytes = $5, total_bytes = $6, reported_at = $7
                     WHERE {LEASED}"
                );
                let until = now + lease_secs;
                let (until, done, total) = (until.into(), done_bytes.into(), total_bytes.into());
                let params = [job, worker, attempt, until, done, total, now.into()];
                if transaction.execute(&sql, &params).await? == 1 {
                    return transaction.commit(Heartbeat::Held).await;
                }
                let cancelled = "SELECT id FROM jobs WHERE id = $1 AND outcome = 'cancelled'";
                let cancelled = transaction.exists(cancelled, &[job]).await?;
                transaction.discard(if cancelled { Heartbeat::Cancelled } else { Heartbeat::Lost }).await
            })
            .await
    }

    /// Writes down what is to be said about the disk of a job's image. Nothing happens when the job was lost.
    pub async fn set_caution(&self, lease: &Lease, caution: &str) -> Result<()> {
        let [job, worker, attempt] = lease.params();
        self.database
            .write(|mut transaction| async move {
                let sql = format!("UPDATE jobs SET caution = $4 WHERE {LEASED}");
                transaction.execute(&sql, &[job, worker, attempt, caution.into()]).await?;
                transaction.commit(()).await
            })
            .await
    }

    /// Ends a job well: its image is `Available`, with this manifest and size.
    ///
    /// The chunks and the manifest must be durable before.
    pub async fn complete_job(&self, lease: &Lease, made: BuiltImage<'_>, now: i64) -> Result<JobEnd> {
        self.database
            .write(|mut transaction| async move {
                let BuiltImage { manifest, size_bytes, data_bytes } = made;
                bump_revision(&mut transaction, lease.account).await?;
                if !end(&mut transaction, lease, "done", now).await? {
                    return transaction.discard(JobEnd::Lost).await;
                }
                let more = added_bytes(&mut transaction, lease.account, manifest, data_bytes).await?;
                let more = [(Limit::StoredBytes, more)];
                let over = check_limits(&mut transaction, self.account_limits, lease.account, &more).await?;
                if let Some(over) = over {
                    return transaction.discard(JobEnd::OverLimit(over)).await;
                }
                let sql = "UPDATE images
                           SET status = 'Available', manifest = $2, size_bytes = $3, data_bytes = $4, update_time = $5
                           WHERE id = $1";
                let image = &lease.image;
                let made = [image.into(), manifest.into(), size_bytes.into(), data_bytes.into(), now.into()];
                transaction.execute(sql, &made).await?;
                uploads::end(&mut transaction, image, now).await?;
                transaction.commit(JobEnd::Ended).await
            })
            .await
    }

    /// Ends a job badly: its image is `UnAvailable`, with a reason that a person can act on, and holds its
    /// name no longer.
    pub async fn fail_job(&self, lease: &Lease, reason: &str, now: i64) -> Result<JobEnd> {
        self.database
            .write(|mut transaction| async move {
                bump_revision(&mut transaction, lease.account).await?;
                if !end(&mut transaction, lease, "failed", now).await? {
                    return transaction.discard(JobEnd::Lost).await;
                }
                fail_image(&mut transaction, &lease.image, reason, now).await?;
                transaction.commit(JobEnd::Ended).await
            })
            .await
    }

    /// Gives a job back, to be claimed at once; the attempt does not count. Returns `false` when the worker no
    /// longer had it.
    pub async fn release_job(&self, lease: &Lease) -> Result<bool> {
        self.database
            .write(|mut transaction| async move {
                let sql = format!(
                    "UPDATE jobs SET worker = NULL, lease_until = NULL, attempts = attempts - 1 WHERE {LEASED}"
                );
                let released = transaction.execute(&sql, &lease.params()).await?;
                transaction.commit(released == 1).await
            })
            .await
    }

    /// Gives back all that an earlier run of this worker held when it died, to be claimed at once. The attempts
    /// count. The caller knows that no such run is alive.
    pub async fn release_jobs_of(&self, worker: &str) -> Result<u64> {
        self.database
            .write(|mut transaction| async move {
                let sql = "UPDATE jobs SET worker = NULL, lease_until = NULL
                           WHERE worker = $1 AND finished_at IS NULL";
                let released = transaction.execute(sql, &[worker.into()]).await?;
                transaction.commit(released).await
            })
            .await
    }
}

/// The job to claim at `$1` by the worker `$2`, which has `$3` jobs of one account at most.
fn next_claimable() -> String {
    format!(
        "SELECT j.id, j.account_id, j.image_id, j.instance_id, j.attempts
         FROM (
             SELECT account_id,
                    COUNT(CASE WHEN worker = $2 AND lease_until > $1 THEN 1 END) AS running,
                    MIN(CASE WHEN {CLAIMABLE} THEN seq END) AS first
             FROM jobs WHERE finished_at IS NULL GROUP BY account_id
         ) AS queues
         JOIN jobs j ON j.account_id = queues.account_id AND j.seq = queues.first AND j.finished_at IS NULL
         JOIN accounts a ON a.id = queues.account_id
         WHERE queues.running < $3
         ORDER BY queues.running, a.served, a.id
         LIMIT 1"
    )
}

/// Reads a job as it will be once `worker` has claimed it.
fn claimable(row: Row, worker: &str) -> Result<Job> {
    row.decode("jobs", |cells| {
        let job = cells.text()?;
        let account = AccountId(cells.integer()?);
        let image_id = cells.text()?;
        let instance_id = cells.text()?;
        let attempt = cells.integer()? + 1;
        let lease = Lease { job, worker: worker.to_owned(), attempt, account, image: image_id.clone() };
        Ok(Job { lease, account, image_id, instance_id, attempt })
    })
}

async fn claim(transaction: &mut Transaction, lease: &Lease, now: i64, lease_secs: i64) -> Result<bool> {
    let served = "UPDATE accounts SET served = (SELECT claims FROM counters) WHERE id = $1";
    transaction.execute(served, &[lease.account.into()]).await?;
    let sql = format!(
        "UPDATE jobs SET worker = $2, lease_until = $3, attempts = $4,
             started_at = COALESCE(started_at, $1), reported_at = COALESCE(reported_at, $1)
         WHERE {CLAIMABLE} AND id = $5 AND attempts + 1 = $4"
    );
    let until = now + lease_secs;
    let (worker, job) = (&lease.worker, &lease.job);
    let params = [now.into(), worker.into(), until.into(), lease.attempt.into(), job.into()];
    Ok(transaction.execute(&sql, &params).await? == 1)
}

async fn fail_exhausted(transaction: &mut Transaction, lease: &Lease, now: i64) -> Result<()> {
    bump_revision(transaction, lease.account).await?;
    let sql = format!("UPDATE jobs SET finished_at = $1, outcome = 'failed' WHERE {CLAIMABLE} AND id = $2");
    let job = &lease.job;
    if transaction.execute(&sql, &[now.into(), job.into()]).await? == 1 {
        fail_image(transaction, &lease.image, STARTED_TOO_OFTEN, now).await?;
    }
    Ok(())
}

/// Ends the job if the lease still holds it.
async fn end(transaction: &mut Transaction, lease: &Lease, outcome: &str, now: i64) -> Result<bool> {
    let sql = format!("UPDATE jobs SET finished_at = $4, outcome = $5, lease_until = NULL WHERE {LEASED}");
    let [job, worker, attempt] = lease.params();
    let params = [job, worker, attempt, now.into(), outcome.into()];
    Ok(transaction.execute(&sql, &params).await? == 1)
}

pub(crate) async fn fail_image(
    transaction: &mut Transaction,
    image: &str,
    reason: &str,
    now: i64,
) -> Result<()> {
    uploads::end(transaction, image, now).await?;
    let sql = "UPDATE images SET status = 'UnAvailable', failed_reason = $2, update_time = $3 WHERE id = $1";
    transaction.execute(sql, &[image.into(), reason.into(), now.into()]).await.map(drop)
}
