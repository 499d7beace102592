use super::row::ImageStatus;
use crate::{Catalog, Result, Scope};

/// How far the making of an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How far the image is.
    pub status: ImageStatus,
    /// Bytes of the instance read so far; while a file is uploaded that the image is made of, bytes that have come.
    pub done_bytes: i64,
    /// Bytes to read in all.
    pub total_bytes: i64,
    /// When a worker first began; `None` while the job waits.
    pub started_at: Option<i64>,
    /// When `done_bytes` was reported. The rate so far is `done_bytes` over the time since `started_at`.
    pub reported_at: Option<i64>,
    /// Why the image could not be made, or nothing.
    pub failed_reason: String,
    /// What is to be said about its disk although it was accepted, or nothing.
    pub caution: String,
}

impl Catalog {
    /// Returns how far the making of an image is.
    pub async fn image_progress(&self, scope: Scope, id: &str) -> Result<Option<Progress>> {
        let sql = format!(
            "SELECT i.id, i.status, COALESCE(j.done_bytes, u.received_bytes, 0),
                    COALESCE(j.total_bytes, u.size_bytes, 0), j.started_at, j.reported_at, i.failed_reason,
                    COALESCE(j.caution, '')
             FROM images i LEFT JOIN jobs j ON j.image_id = i.id LEFT JOIN uploads u ON u.image_id = i.id
             WHERE {} AND i.id = $2",
            scope.images()
        );
        let row = self.database.query(&sql, &[scope.param(), id.into()]).await?.into_iter().next();
        row.map(|row| {
            row.decode("images", |cells| {
                cells.text()?;
                Ok(Progress {
                    status: cells.word(ImageStatus::parse)?,
                    done_bytes: cells.integer()?,
                    total_bytes: cells.integer()?,
                    started_at: cells.optional_integer()?,
                    reported_at: cells.optional_integer()?,
                    failed_reason: cells.text()?,
                    caution: cells.text()?,
                })
            })
        })
        .transpose()
    }
}
