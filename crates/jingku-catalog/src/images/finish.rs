use crate::Result;
use crate::database::Transaction;

/// The stored content of an image.
#[derive(Clone, Copy, Debug)]
pub struct BuiltImage<'a> {
    /// The name of its manifest.
    pub manifest: &'a str,
    /// Its unpacked size.
    pub size_bytes: i64,
    /// Its size without zeros.
    pub data_bytes: i64,
}

impl<'a> BuiltImage<'a> {
    /// Content without zeros.
    pub fn dense(manifest: &'a str, size_bytes: i64) -> Self {
        Self { manifest, size_bytes, data_bytes: size_bytes }
    }
}

impl Transaction {
    pub(crate) async fn complete_image(&mut self, id: &str, built: BuiltImage<'_>, now: i64) -> Result<()> {
        let sql = "UPDATE images
                   SET status = 'Available', manifest = $2, size_bytes = $3, data_bytes = $4, update_time = $5
                   WHERE id = $1";
        let BuiltImage { manifest, size_bytes, data_bytes } = built;
        let params = [id.into(), manifest.into(), size_bytes.into(), data_bytes.into(), now.into()];
        self.execute(sql, &params).await?;
        self.end_upload(id, now).await
    }

    pub(crate) async fn fail_image(&mut self, id: &str, reason: &str, now: i64) -> Result<()> {
        self.end_upload(id, now).await?;
        let sql =
            "UPDATE images SET status = 'UnAvailable', failed_reason = $2, update_time = $3 WHERE id = $1";
        self.execute(sql, &[id.into(), reason.into(), now.into()]).await.map(drop)
    }
}
