use super::row::Upload;
use crate::database::{Rows, Transaction};
use crate::images::create::Origin;
use crate::{Catalog, ImageStatus, Limit, NewImage, OverLimit, Result, Scope};

/// A file to upload, and the image to make from it.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the other fields are those of `Image` and `Upload`")]
pub struct NewUpload<'a> {
    /// The unique id of the image.
    pub image_id: &'a str,
    pub name: &'a str,
    pub description: &'a str,
    pub region: &'a str,
    pub zone: &'a str,
    /// The size of the file, if known.
    pub size_bytes: Option<i64>,
    /// Its size without holes, if known.
    pub data_bytes: Option<i64>,
    /// The hash of the file, if known.
    pub blake3: Option<&'a str>,
    pub format: Option<&'a str>,
}

/// The outcome of [`Catalog::start_upload`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartUpload {
    /// The image was created in status `Making` and waits for its file.
    Started,
    /// The account is already uploading such a file under the name, for this image.
    InProgress(String),
    /// Another image of the account has the name.
    NameTaken,
    /// The account would exceed a limit.
    OverLimit(OverLimit),
    /// The account's uploads would exceed its share of the free space.
    OverShare,
}

impl Catalog {
    /// Creates an image that waits for a file, which this server receives.
    ///
    /// Changes nothing if the account is already uploading a file of the same size, and no other hash or format, under the
    /// same name. The account's uploads may occupy `bytes_share` bytes together, within its limit.
    pub async fn start_upload(
        &self,
        scope: Scope,
        new: NewUpload<'_>,
        bytes_share: i64,
        now: i64,
    ) -> Result<StartUpload> {
        let change = |mut transaction: Transaction| async move {
            let owner = scope.owner();
            transaction.bump_revision(owner).await?;
            if transaction.name_taken(scope, new.name, new.image_id).await? {
                let rows = transaction.query(&uploads_named(), &[scope.param(), new.name.into()]).await?;
                let outcome = repeated(rows, &new)?.map_or(StartUpload::NameTaken, StartUpload::InProgress);
                return transaction.discard(outcome).await;
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
            if let Some(over) = self.check_limits(&mut transaction, owner, &more).await? {
                return transaction.discard(StartUpload::OverLimit(over)).await;
            }
            let used = transaction.usage(owner, Limit::UploadBytes).await?;
            if used.saturating_add(bytes) > bytes_share {
                return transaction.discard(StartUpload::OverShare).await;
            }
            transaction.insert_upload(scope, &new, &self.host, now).await?;
            transaction.commit(StartUpload::Started).await
        };
        self.database.write(change).await
    }

    /// Returns the image of an upload in progress that a new one would repeat.
    pub async fn upload_in_progress(&self, scope: Scope, new: &NewUpload<'_>) -> Result<Option<String>> {
        let rows = self.database.query(&uploads_named(), &[scope.param(), new.name.into()]).await?;
        repeated(rows, new)
    }
}

impl Transaction {
    async fn insert_upload(&mut self, scope: Scope, new: &NewUpload<'_>, host: &str, now: i64) -> Result<()> {
        let image = NewImage {
            id: new.image_id,
            name: new.name,
            description: new.description,
            instance_id: "",
            softwares: None,
            software_ports: "[]",
            firewall_ports: &[],
            options: "",
        };
        let origin = Origin {
            region: new.region.to_owned(),
            zone: new.zone.to_owned(),
            gpu_type: String::new(),
            size_bytes: new.size_bytes.unwrap_or(0),
        };
        self.insert_image(scope, &image, &origin, ImageStatus::Making, now).await?;
        let sql =
            "INSERT INTO uploads
                 (image_id, account_id, size_bytes, data_bytes, blake3, format, received_bytes, heard_at, host)
             VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8)";
        let params = [
            new.image_id.into(),
            scope.param(),
            new.size_bytes.into(),
            new.data_bytes.into(),
            new.blake3.into(),
            new.format.into(),
            now.into(),
            host.into(),
        ];
        self.execute(sql, &params).await.map(drop)
    }
}

/// Selects the uploads of the account `$1` under the name `$2`, of which there is at most one.
fn uploads_named() -> String {
    format!(
        "SELECT {} FROM uploads WHERE image_id IN (
             SELECT id FROM images
             WHERE account_id = $1 AND name = $2 AND deleted_at IS NULL AND status = 'Making'
         )",
        Upload::COLUMNS
    )
}

/// Returns the image of the upload that a new one would repeat.
fn repeated(rows: Rows, new: &NewUpload<'_>) -> Result<Option<String>> {
    let old: Option<Upload> = rows.first("uploads")?;
    let same = old.filter(|old| {
        // The size of a finished upload is known, even if it was unknown at the start.
        let sizes = old.size_bytes == new.size_bytes || (old.finished && new.size_bytes.is_none());
        let hashes = new.blake3.is_none_or(|new| old.blake3.as_ref().is_none_or(|old| old == new));
        let formats = new.format.is_none() || new.format == old.format.as_deref();
        sizes && hashes && formats
    });
    Ok(same.map(|same| same.image_id))
}
