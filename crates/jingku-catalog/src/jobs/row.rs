use crate::database::{Cell, FromCell, Transaction, row};
use crate::{AccountId, Result, Scope};

/// The condition for seeded jobs, which never end by themselves. No server has the name of their worker.
pub(crate) const SEEDED: &str = "COALESCE(worker, '') = 'nobody'";

/// Precedes the image's id in `jobs.instance_id` if the source is an upload. No instance id starts like this.
const UPLOAD_PREFIX: &str = "upload:";

row! {
    /// A claimed job: the right of one worker to run it, for one attempt.
    ///
    /// Every attempt has its own lease, even by the same worker: of two that believe to have the job, one learns that it
    /// lost it. It is selected as it will be after the worker `$2` has claimed it.
    pub struct Job {
        /// Its unique id.
        pub id: String = "j.id",
        pub(super) worker: String = "$2",
        /// The owner of the image.
        pub account: AccountId = "j.account_id",
        /// The image to make.
        pub image_id: String = "j.image_id",
        /// What to make it from.
        pub source: Source = "j.instance_id",
        /// How its container is to be saved, as JSON; empty for a disk.
        pub options: String = "j.options",
        /// The number of this attempt, from 1.
        pub attempt: i64 = "j.attempts + 1",
    }
}

/// What a job makes its image from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The instance with this id, which exists while the job is live.
    Instance(String),
    /// The file uploaded for the image.
    Upload,
}

impl Source {
    fn encode(&self, image_id: &str) -> String {
        match self {
            Self::Instance(id) => id.clone(),
            Self::Upload => format!("{UPLOAD_PREFIX}{image_id}"),
        }
    }
}

impl FromCell for Source {
    fn from_cell(cell: Cell) -> std::result::Result<Self, String> {
        let column = String::from_cell(cell)?;
        Ok(if column.starts_with(UPLOAD_PREFIX) { Self::Upload } else { Self::Instance(column) })
    }
}

/// A job to append to a queue.
#[derive(Clone, Copy)]
pub(crate) struct NewJob<'a> {
    pub(crate) id: &'a str,
    pub(crate) image_id: &'a str,
    pub(crate) source: &'a Source,
    pub(crate) options: &'a str,
    pub(crate) total_bytes: i64,
}

impl Transaction {
    /// Appends a job to the queue of the account, which the transaction must lock.
    pub(crate) async fn insert_job(&mut self, scope: Scope, job: NewJob<'_>, now: i64) -> Result<()> {
        // The server that has the instance or the uploaded file.
        let sql = "INSERT INTO jobs (id, account_id, image_id, instance_id, created_at, attempts, done_bytes, total_bytes,
                       options, seq, host)
                   SELECT $1, $2, $3, $4, $5, 0, 0, $6, $7, COALESCE(MAX(seq), 0) + 1,
                       COALESCE((SELECT host FROM instances WHERE id = $4),
                                (SELECT host FROM uploads WHERE image_id = $3), '')
                   FROM jobs WHERE account_id = $2 AND finished_at IS NULL";
        let params = [
            job.id.into(),
            scope.param(),
            job.image_id.into(),
            job.source.encode(job.image_id).into(),
            now.into(),
            job.total_bytes.into(),
            job.options.into(),
        ];
        self.execute(sql, &params).await.map(drop)
    }

    /// Leases a job for ever, so that no worker gets it.
    pub(crate) async fn seed_job(&mut self, id: &str, done_bytes: i64, now: i64) -> Result<()> {
        let sql =
            "UPDATE jobs SET worker = 'nobody', lease_until = $2, attempts = 1, started_at = created_at,
                       reported_at = $3, done_bytes = $4
                   WHERE id = $1";
        let params = [id.into(), i64::MAX.into(), now.into(), done_bytes.into()];
        self.execute(sql, &params).await.map(drop)
    }
}
