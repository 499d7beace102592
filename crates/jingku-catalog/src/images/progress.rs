use super::row::ImageStatus;
use crate::database::{Cells, Read, after_key};
use crate::{Catalog, Result, Scope};

/// The progress of making an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The status of the image.
    pub status: ImageStatus,
    /// Bytes read so far; during an upload, bytes received.
    pub done_bytes: i64,
    /// The total number of bytes.
    pub total_bytes: i64,
    /// When a worker first started; `None` while the job waits.
    pub started_at: Option<i64>,
    /// When `done_bytes` was reported. The average rate is `done_bytes` divided by the time since `started_at`.
    pub reported_at: Option<i64>,
    /// Why the image could not be made, or empty.
    pub failed_reason: String,
    /// A warning about its disk, or empty.
    pub caution: String,
}

impl Catalog {
    /// Returns the progress of making an image.
    pub async fn image_progress(&self, scope: Scope, id: &str) -> Result<Option<Progress>> {
        let sql = format!(
            "SELECT i.id, i.status, COALESCE(j.done_bytes, u.received_bytes, 0),
                    COALESCE(j.total_bytes, u.size_bytes, 0), j.started_at, j.reported_at, i.failed_reason,
                    COALESCE(j.caution, '')
             FROM images i LEFT JOIN jobs j ON j.image_id = i.id LEFT JOIN uploads u ON u.image_id = i.id
             WHERE {} AND i.id = $2",
            scope.images()
        );
        let rows = self.database.query(&sql, &scope.image_params(id)).await?;
        rows.first("images", after_key(progress_cells))
    }
}

fn progress_cells(cells: &mut Cells) -> Read<Progress> {
    Ok(Progress {
        status: cells.word(ImageStatus::parse)?,
        done_bytes: cells.integer()?,
        total_bytes: cells.integer()?,
        started_at: cells.optional_integer()?,
        reported_at: cells.optional_integer()?,
        failed_reason: cells.text()?,
        caution: cells.text()?,
    })
}
