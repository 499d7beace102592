use crate::database::Transaction;
use crate::{Result, Scope};

/// The worker of seeded jobs, which never end by themselves. No server has this name.
pub(crate) const SEED_WORKER: &str = "nobody";

/// Precedes the image's id in the column `instance_id` of jobs that make an image from an upload. No instance id starts
/// like this.
const UPLOAD_PREFIX: &str = "upload:";

/// What a job makes its image from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The instance with this id, which exists while the job is live.
    Instance(String),
    /// The file uploaded for the image.
    Upload,
}

impl Source {
    pub(super) fn decode(column: String) -> Self {
        if column.starts_with(UPLOAD_PREFIX) { Self::Upload } else { Self::Instance(column) }
    }

    fn encode(&self, image_id: &str) -> String {
        match self {
            Self::Instance(id) => id.clone(),
            Self::Upload => format!("{UPLOAD_PREFIX}{image_id}"),
        }
    }
}

/// The data of a new job.
#[derive(Clone, Copy, Debug)]
pub struct NewJob<'a> {
    /// Its unique id.
    pub id: &'a str,
}

impl Transaction {
    /// Appends a job to the queue of the account, which the transaction must lock.
    pub(crate) async fn insert_job(
        &mut self,
        scope: Scope,
        image_id: &str,
        source: &Source,
        job: NewJob<'_>,
        total_bytes: i64,
        now: i64,
    ) -> Result<()> {
        let sql = "INSERT INTO jobs (id, account_id, image_id, instance_id, created_at, attempts, done_bytes, total_bytes, seq)
                   SELECT $1, $2, $3, $4, $5, 0, 0, $6, COALESCE(MAX(seq), 0) + 1
                   FROM jobs WHERE account_id = $2 AND finished_at IS NULL";
        let source = source.encode(image_id);
        let params =
            [job.id.into(), scope.param(), image_id.into(), (&source).into(), now.into(), total_bytes.into()];
        self.execute(sql, &params).await.map(drop)
    }
}
