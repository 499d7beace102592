use crate::accounts::{bump_revision, lock_account};
use crate::answers::{Answer, DELETED_SECS, find_answer, keep_answer};
use crate::database::{Cells, Read, Row, Transaction};
use crate::images::{Origin, count, insert_image, insert_job, name_taken};
use crate::jobs::fail_image;
use crate::limits::{Limit, OverLimit, check_limits, usage};
use crate::ordinals::next_ordinal;
use crate::{AccountId, Catalog, NewImage, NewJob, Result, Scope};

/// What stands before an image's id where a job names what its image is made of, when that is a file that was uploaded.
/// No instance is called so.
pub const UPLOAD_SOURCE: &str = "upload:";

/// A file that is to be uploaded, and the image to be made of it.
#[derive(Clone, Copy, Debug)]
pub struct NewUpload<'a> {
    /// The image's id, which no image had before.
    pub image_id: &'a str,
    /// What a person calls the image.
    pub name: &'a str,
    /// One paragraph for a reader.
    pub description: &'a str,
    /// The region it is held in.
    pub region: &'a str,
    /// The zone it is held in.
    pub zone: &'a str,
    /// Bytes of the file, if they are known.
    pub size_bytes: Option<i64>,
    /// Bytes of it that are no hole, if they are known.
    pub data_bytes: Option<i64>,
    /// Hash of the file, if it is known.
    pub blake3: Option<&'a str>,
    /// How the disk in it is to be read; `None` where its content decides.
    pub format: Option<&'a str>,
}

/// An upload that has not come to its end: its file is on its way in, or waits for its job or is with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The image that is to be made.
    pub image_id: String,
    /// Whose it is.
    pub account: AccountId,
    /// Bytes of the file; `None` until somebody knows.
    pub size_bytes: Option<i64>,
    /// Bytes of it that are no hole, as its sender says; `None` until somebody knows.
    pub data_bytes: Option<i64>,
    /// Plain hash of the file in hexadecimal; `None` until somebody knows.
    pub blake3: Option<String>,
    /// How the disk in it is to be read; `None` where its content decides.
    pub format: Option<String>,
    /// Bytes that have come and are durable.
    pub received_bytes: i64,
    /// Bytes that they take up.
    pub stored_bytes: i64,
    /// State of the sparse hash of them, if it is known.
    pub sparse_state: Option<String>,
    /// Sparse hash of the file in hexadecimal, if that is what has agreed.
    pub sparse_hash: Option<String>,
    /// Whether all have come and the hash has agreed.
    pub finished: bool,
}

impl Upload {
    /// Returns about how many bytes it has still to take up, if anybody can tell.
    pub fn remaining_bytes(&self) -> Option<i64> {
        let size = self.size_bytes? - self.received_bytes;
        let data = self.data_bytes.map_or(size, |data| data - self.stored_bytes);
        Some(size.min(data).max(0))
    }

    /// Returns the hash of the whole file that both sides have agreed on, if they have.
    pub fn agreed_hash(&self) -> Option<&str> {
        self.sparse_hash.as_deref().or(self.blake3.as_deref()).filter(|_| self.finished)
    }
}

/// What has come of a file and is durable.
#[derive(Clone, Copy, Debug)]
pub struct Received<'a> {
    /// Bytes of the file.
    pub bytes: i64,
    /// Bytes that they take up, where zeros take none.
    pub stored_bytes: i64,
    /// State of their sparse hash in hexadecimal, if it is known.
    pub sparse_state: Option<&'a str>,
}

/// The hash that both sides have agreed on, in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgreedHash<'a> {
    /// Of the file's bytes.
    Plain(&'a str),
    /// Of its blocks that are not zero.
    Sparse(&'a str),
}

/// What came of [`Catalog::start_upload`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartUpload {
    /// The image is there, `Making`, and waits for its file.
    Started,
    /// The account uploads such a file under the name already: this is its image.
    InProgress(String),
    /// An image of the account holds the name.
    NameTaken,
    /// The account has as much as it may.
    OverLimit(OverLimit),
    /// The unfinished uploads of the account would take up more than its share of what is free.
    OverShare,
}

/// What came of [`Catalog::record_received`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receive {
    /// It is written down.
    Received,
    /// The upload is finished or gone.
    Gone,
    /// The account's uploaded files would be more than it may have.
    OverLimit(OverLimit),
    /// They would take up more than its share of what is free.
    OverShare,
}

/// What came of [`Catalog::finish_upload`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FinishUpload {
    /// There is a job now.
    Finished,
    /// There was a job already.
    AlreadyFinished,
    /// The image was deleted meanwhile, or its upload has failed.
    Gone,
}

/// Bytes that an upload takes up, or is to take up as its sender says. Holes and zeros take up nothing.
pub(crate) const COUNTED_BYTES: &str =
    "CASE WHEN finished_at IS NOT NULL OR stored_bytes > COALESCE(data_bytes, size_bytes, 0) THEN stored_bytes
          ELSE COALESCE(data_bytes, size_bytes) END";

const COLUMNS: &str = "image_id, account_id, size_bytes, data_bytes, blake3, format, received_bytes, stored_bytes, sparse_state, sparse_hash, finished_at";

impl Catalog {
    /// Creates an image that waits for a file. When the account uploads a file of the same size under the same name
    /// already, and not one of another hash or format, nothing changes. Uploaded files of the account take up `bytes_share`
    /// bytes together at most, and no more than its limit.
    pub async fn start_upload(
        &self,
        scope: Scope,
        new: NewUpload<'_>,
        bytes_share: i64,
        now: i64,
    ) -> Result<StartUpload> {
        self.database
            .write(|mut transaction| async move {
                bump_revision(&mut transaction, scope.owner()).await?;
                if name_taken(&mut transaction, scope, new.name, new.image_id).await? {
                    let rows = transaction.query(SAME, &[scope.param(), new.name.into()]).await?;
                    let going =
                        rows.into_iter().next().map(|row| same_upload(row, &new)).transpose()?.flatten();
                    return transaction
                        .discard(going.map_or(StartUpload::NameTaken, StartUpload::InProgress))
                        .await;
                }
                let bytes = new.data_bytes.or(new.size_bytes).unwrap_or(1);
                let more = [
                    (Limit::Images, 1),
                    (Limit::Trashed, 1),
                    (Limit::Jobs, 1),
                    (Limit::StoredBytes, 1),
                    (Limit::Uploads, 1),
                    (Limit::UploadBytes, bytes),
                ];
                let owner = scope.owner();
                if let Some(over) = check_limits(&mut transaction, self.account_limits, owner, &more).await? {
                    return transaction.discard(StartUpload::OverLimit(over)).await;
                }
                let held = usage(&mut transaction, owner, Limit::UploadBytes).await?;
                if held.saturating_add(bytes) > bytes_share {
                    return transaction.discard(StartUpload::OverShare).await;
                }
                insert(&mut transaction, scope, &new, now).await?;
                transaction.commit(StartUpload::Started).await
            })
            .await
    }

    /// Returns the image of the upload that a new one would be once more.
    pub async fn upload_in_progress(&self, scope: Scope, new: &NewUpload<'_>) -> Result<Option<String>> {
        let rows = self.database.query(SAME, &[scope.param(), new.name.into()]).await?;
        rows.into_iter().next().map(|row| same_upload(row, new)).transpose().map(Option::flatten)
    }

    /// Returns the upload of an image of the account.
    pub async fn upload(&self, account: AccountId, image_id: &str) -> Result<Option<Upload>> {
        let sql = format!("SELECT {COLUMNS} FROM uploads WHERE account_id = $1 AND image_id = $2");
        let rows = self.database.query(&sql, &[account.into(), image_id.into()]).await?;
        rows.into_iter().next().map(upload).transpose()
    }

    /// Returns all uploads of all accounts. Each account has few.
    pub async fn uploads(&self) -> Result<Vec<Upload>> {
        let sql = format!("SELECT {COLUMNS} FROM uploads ORDER BY image_id");
        self.database.scan(AccountId::PLATFORM, &sql, &[]).await?.into_iter().map(upload).collect()
    }

    /// Returns the unfinished uploads of which nothing has come since `heard_before`, if that is given, and of those of which
    /// no byte has come at all the ones whose client was last heard before `started_before`.
    pub async fn idle_uploads(&self, heard_before: Option<i64>, started_before: i64) -> Result<Vec<Upload>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM uploads
             WHERE finished_at IS NULL AND (heard_at < $1 OR (received_bytes = 0 AND heard_at < $2))
             ORDER BY image_id"
        );
        let params = [heard_before.unwrap_or(i64::MIN).into(), started_before.into()];
        self.database.scan(AccountId::PLATFORM, &sql, &params).await?.into_iter().map(upload).collect()
    }

    /// Records that the client of an upload is there though no byte has come yet.
    pub async fn record_contact(&self, image_id: &str, now: i64) -> Result<()> {
        self.database
            .write(|mut transaction| async move {
                let sql = "UPDATE uploads SET heard_at = $2
                           WHERE image_id = $1 AND finished_at IS NULL AND received_bytes = 0";
                transaction.execute(sql, &[image_id.into(), now.into()]).await?;
                transaction.commit(()).await
            })
            .await
    }

    /// Records how much of a file has come. One that takes up more than its sender said must not grow over the account's
    /// limit or share, as with [`Catalog::start_upload`].
    pub async fn record_received(
        &self,
        upload: &Upload,
        received: Received<'_>,
        bytes_share: i64,
        now: i64,
    ) -> Result<Receive> {
        self.database
            .write(|mut transaction| async move {
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
            })
            .await
    }

    /// Says why a file cannot take up so much.
    async fn check_growth(
        &self,
        transaction: &mut Transaction,
        upload: &Upload,
        stored_bytes: i64,
        bytes_share: i64,
    ) -> Result<Option<Receive>> {
        let account = upload.account;
        lock_account(transaction, account).await?;
        let sql = format!(
            "SELECT image_id, COALESCE({COUNTED_BYTES}, 0) FROM uploads WHERE image_id = $1 AND finished_at IS NULL"
        );
        let rows = transaction.query(&sql, &[(&upload.image_id).into()]).await?;
        let Some(row) = rows.into_iter().next() else { return Ok(Some(Receive::Gone)) };
        let held = row.decode("uploads", |cells| {
            cells.text()?;
            cells.integer()
        })?;
        let more = (stored_bytes - held).max(0);
        let limits = [(Limit::UploadBytes, more)];
        if let Some(over) = check_limits(transaction, self.account_limits, account, &limits).await? {
            return Ok(Some(Receive::OverLimit(over)));
        }
        let held = usage(transaction, account, Limit::UploadBytes).await?;
        Ok((held.saturating_add(more) > bytes_share).then_some(Receive::OverShare))
    }

    /// Hands the file of an upload, which is whole and of this size and hash, to a new job.
    pub async fn finish_upload(
        &self,
        upload: &Upload,
        size_bytes: i64,
        hash: AgreedHash<'_>,
        job: NewJob<'_>,
        now: i64,
    ) -> Result<FinishUpload> {
        self.database
            .write(|mut transaction| async move {
                bump_revision(&mut transaction, upload.account).await?;
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
                    let there = transaction.exists(sql, &[id.into()]).await?;
                    return transaction
                        .discard(if there { FinishUpload::AlreadyFinished } else { FinishUpload::Gone })
                        .await;
                }
                let source = format!("{UPLOAD_SOURCE}{id}");
                let scope = Scope::own(upload.account);
                insert_job(&mut transaction, scope, id, &source, job, size_bytes, now).await?;
                transaction.commit(FinishUpload::Finished).await
            })
            .await
    }

    /// Returns whether an upload of the account was finished with this size and hash though it is gone: its image was made,
    /// or could not be made, at most [`DELETED_SECS`] ago.
    pub async fn was_upload_finished(
        &self,
        account: AccountId,
        image_id: &str,
        size_bytes: i64,
        hash: &str,
        now: i64,
    ) -> Result<bool> {
        self.database
            .write(|mut transaction| async move {
                let agreed = find_answer(&mut transaction, account, &agreed_request(image_id), now).await?;
                transaction
                    .discard(agreed.is_some_and(|agreed| agreed == agreed_text(size_bytes, hash)))
                    .await
            })
            .await
    }

    /// Ends an unfinished upload badly: its image is `UnAvailable`, with a reason that a person can act on, and holds its
    /// name no longer. Returns `false` when it is finished or gone.
    pub async fn fail_upload(&self, upload: &Upload, reason: &str, now: i64) -> Result<bool> {
        self.database
            .write(|mut transaction| async move {
                bump_revision(&mut transaction, upload.account).await?;
                let sql = "SELECT image_id FROM uploads WHERE image_id = $1 AND finished_at IS NULL";
                if !transaction.exists(sql, &[(&upload.image_id).into()]).await? {
                    return transaction.discard(false).await;
                }
                fail_image(&mut transaction, &upload.image_id, reason, now).await?;
                transaction.commit(true).await
            })
            .await
    }
}

/// Deletes the upload of an image, if there is one.
pub(crate) async fn forget(transaction: &mut Transaction, image_id: &str) -> Result<()> {
    transaction.execute("DELETE FROM uploads WHERE image_id = $1", &[image_id.into()]).await.map(drop)
}

/// Deletes the upload of an image whose job has ended. What was agreed on is kept for [`DELETED_SECS`]: a client whose
/// answer was lost asks again, perhaps only after a restart of the server.
pub(crate) async fn end(transaction: &mut Transaction, image_id: &str, now: i64) -> Result<()> {
    let sql = format!("SELECT {COLUMNS} FROM uploads WHERE image_id = $1");
    let rows = transaction.query(&sql, &[image_id.into()]).await?;
    let upload = rows.into_iter().next().map(upload).transpose()?;
    if let Some(upload) = upload
        && let Some(hash) = upload.agreed_hash()
    {
        let (request, text) = (agreed_request(image_id), agreed_text(upload.received_bytes, hash));
        let ordinal = next_ordinal(transaction).await?;
        let answer = Answer { request: &request, text: &text, ordinal, secs: DELETED_SECS };
        keep_answer(transaction, upload.account, answer, now).await?;
    }
    forget(transaction, image_id).await
}

/// Names what was agreed on among the answers of an account.
fn agreed_request(image_id: &str) -> String {
    format!("agreed {image_id}")
}

fn agreed_text(size_bytes: i64, hash: &str) -> String {
    format!("{size_bytes} {hash}")
}

async fn insert(transaction: &mut Transaction, scope: Scope, new: &NewUpload<'_>, now: i64) -> Result<()> {
    let image = NewImage {
        id: new.image_id,
        name: new.name,
        description: new.description,
        instance_id: "",
        softwares: None,
        software_ports: "[]",
        firewall_ports: &[],
    };
    let origin = Origin {
        region: new.region.to_owned(),
        zone: new.zone.to_owned(),
        gpu_type: String::new(),
        size_bytes: new.size_bytes.unwrap_or(0),
    };
    insert_image(transaction, scope, &image, &origin, now).await?;
    count(transaction, scope.owner(), new.zone, 1).await?;
    let sql =
        "INSERT INTO uploads (image_id, account_id, size_bytes, data_bytes, blake3, format, received_bytes, heard_at)
               VALUES ($1, $2, $3, $4, $5, $6, 0, $7)";
    let params = [
        new.image_id.into(),
        scope.param(),
        new.size_bytes.into(),
        new.data_bytes.into(),
        new.blake3.into(),
        new.format.into(),
        now.into(),
    ];
    transaction.execute(sql, &params).await.map(drop)
}

/// The upload under a name.
const SAME: &str = "SELECT u.image_id, u.size_bytes, u.blake3, u.format, u.finished_at
     FROM uploads u JOIN images i ON i.id = u.image_id
     WHERE i.account_id = $1 AND i.name = $2 AND i.deleted_at IS NULL AND i.status = 'Making'";

/// The image of a row of [`SAME`], if a new upload would be that one once more.
fn same_upload(row: Row, new: &NewUpload<'_>) -> Result<Option<String>> {
    row.decode("uploads", |cells| {
        let (id, size_bytes) = (cells.text()?, cells.optional_integer()?);
        let (blake3, format) = (cells.optional_text()?, cells.optional_text()?);
        let finished = cells.optional_integer()?.is_some();
        // Of a finished one the size is known, whatever was known when it began.
        let sizes = size_bytes == new.size_bytes || (finished && new.size_bytes.is_none());
        let hashes = new.blake3.is_none_or(|new| blake3.is_none_or(|old| old == new));
        let formats = new.format.is_none() || new.format == format.as_deref();
        Ok((sizes && hashes && formats).then_some(id))
    })
}

fn upload(row: Row) -> Result<Upload> {
    row.decode("uploads", upload_cells)
}

fn upload_cells(cells: &mut Cells) -> Read<Upload> {
    Ok(Upload {
        image_id: cells.text()?,
        account: AccountId(cells.integer()?),
        size_bytes: cells.optional_integer()?,
        data_bytes: cells.optional_integer()?,
        blake3: cells.optional_text()?,
        format: cells.optional_text()?,
        received_bytes: cells.integer()?,
        stored_bytes: cells.integer()?,
        sparse_state: cells.optional_text()?,
        sparse_hash: cells.optional_text()?,
        finished: cells.optional_integer()?.is_some(),
    })
}
