use super::row::{AgreedHash, Upload};
use crate::database::Transaction;
use crate::jobs::row::NewJob;
use crate::quota::COUNTED_BYTES;
use crate::{Catalog, Limit, OverLimit, Result, Scope, Source};

/// The part of a file that was received and is durable.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// Bytes of the file.
    pub bytes: i64,
    /// Bytes that they occupy; zeros occupy none.
    pub stored_bytes: i64,
    /// The state of their sparse hash in hexadecimal, if known.
    pub sparse_state: Option<&'a str>,
}

/// The outcome of [`Catalog::record_received`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receive {
    /// It was recorded.
    Received,
    /// The upload is finished or deleted.
    Gone,
    /// The account's uploads would exceed its limit.
    OverLimit(OverLimit),
    /// The account's uploads would exceed its share of the free space.
    OverShare,
}

/// The outcome of [`Catalog::finish_upload`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishUpload {
    /// The job was created.
    Finished,
    /// The job existed already.
    AlreadyFinished,
    /// The image was deleted, or its upload failed.
    Gone,
}

impl Catalog {
    /// Records that the client of an upload without any bytes is active.
    pub async fn record_contact(&self, image_id: &str, now: i64) -> Result<()> {
        let sql = "UPDATE uploads SET heard_at = $2
                   WHERE image_id = $1 AND finished_at IS NULL AND received_bytes = 0";
        self.database.execute(sql, &[image_id.into(), now.into()]).await.map(drop)
    }

    /// Records how much of a file was received. A file larger than announced must fit in the account's limit and share, as
    /// in [`Catalog::start_upload`].
    pub async fn record_received(
        &self,
        upload: &Upload,
        received: Received<'_>,
        bytes_share: i64,
        now: i64,
    ) -> Result<Receive> {
        let change = |mut transaction: Transaction| async move {
            let Received { bytes, stored_bytes, sparse_state } = received;
            if stored_bytes > upload.data_bytes.or(upload.size_bytes).unwrap_or(0)
                && let Some(refusal) =
                    self.check_growth(&mut transaction, upload, stored_bytes, bytes_share).await?
            {
                return transaction.discard(refusal).await;
            }
            let image_id = &upload.image_id;
            let sql = "UPDATE uploads
                       SET received_bytes = $2, stored_bytes = $3, sparse_state = $4, heard_at = $5
                       WHERE image_id = $1 AND finished_at IS NULL";
            let params =
                [image_id.into(), bytes.into(), stored_bytes.into(), sparse_state.into(), now.into()];
            let received = transaction.execute(sql, &params).await?;
            transaction.commit(if received == 1 { Receive::Received } else { Receive::Gone }).await
        };
        self.database.write(change).await
    }

    /// Returns why a file must not occupy so much.
    async fn check_growth(
        &self,
        transaction: &mut Transaction,
        upload: &Upload,
        stored_bytes: i64,
        bytes_share: i64,
    ) -> Result<Option<Receive>> {
        let account = upload.account;
        transaction.lock_account(account).await?;
        let sql = format!(
            "SELECT image_id, COALESCE({COUNTED_BYTES}, 0) FROM uploads WHERE image_id = $1 AND finished_at IS NULL"
        );
        let rows = transaction.query(&sql, &[(&upload.image_id).into()]).await?;
        let Some(counted) = rows.first_after_key::<i64>("uploads")? else {
            return Ok(Some(Receive::Gone));
        };
        let more = (stored_bytes - counted).max(0);
        if let Some(over) = self.check_limits(transaction, account, &[(Limit::UploadBytes, more)]).await? {
            return Ok(Some(Receive::OverLimit(over)));
        }
        let used = transaction.usage(account, Limit::UploadBytes).await?;
        Ok((used.saturating_add(more) > bytes_share).then_some(Receive::OverShare))
    }

    /// Creates the job, with a unique id, for an upload whose file is complete and has this size and hash.
    pub async fn finish_upload(
        &self,
        upload: &Upload,
        size_bytes: i64,
        hash: AgreedHash<'_>,
        job_id: &str,
        now: i64,
    ) -> Result<FinishUpload> {
        let change = |mut transaction: Transaction| async move {
            transaction.bump_revision(upload.account).await?;
            let id = &upload.image_id;
            let (column, hash) = match hash {
                AgreedHash::Plain(hash) => ("blake3", hash),
                AgreedHash::Sparse(hash) => ("sparse_hash", hash),
            };
            let sql = format!(
                "UPDATE uploads
                 SET size_bytes = $2, {column} = $3, received_bytes = $2, heard_at = $4, finished_at = $4
                 WHERE image_id = $1 AND finished_at IS NULL"
            );
            let params = [id.into(), size_bytes.into(), hash.into(), now.into()];
            if transaction.execute(&sql, &params).await? == 0 {
                let sql = "SELECT image_id FROM uploads WHERE image_id = $1";
                let exists = transaction.exists(sql, &[id.into()]).await?;
                let outcome = if exists { FinishUpload::AlreadyFinished } else { FinishUpload::Gone };
                return transaction.discard(outcome).await;
            }
            let scope = Scope::own(upload.account);
            let job = NewJob {
                id: job_id,
                image_id: id,
                source: &Source::Upload,
                options: "",
                total_bytes: size_bytes,
            };
            transaction.insert_job(scope, job, now).await?;
            transaction.commit(FinishUpload::Finished).await
        };
        self.database.write(change).await
    }

    /// Fails an unfinished upload: its image becomes `UnAvailable`, with a reason that tells the user what to do, and frees
    /// its name. Returns `false` if the upload is finished or deleted.
    pub async fn fail_upload(&self, upload: &Upload, reason: &str, now: i64) -> Result<bool> {
        let change = |mut transaction: Transaction| async move {
            transaction.bump_revision(upload.account).await?;
            let sql = "SELECT image_id FROM uploads WHERE image_id = $1 AND finished_at IS NULL";
            if !transaction.exists(sql, &[(&upload.image_id).into()]).await? {
                return transaction.discard(false).await;
            }
            transaction.fail_image(&upload.image_id, reason, now).await?;
            transaction.commit(true).await
        };
        self.database.write(change).await
    }
}
