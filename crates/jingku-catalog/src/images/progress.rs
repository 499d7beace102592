use super::row::ImageStatus;
use crate::database::row;
use crate::{Catalog, Result, Scope};

row! {
    /// The progress of making an image.
    pub struct Progress {
        /// The status of the image.
        pub status: ImageStatus = "i.status",
        /// Bytes read so far; during an upload, bytes received.
        pub done_bytes: i64 = "COALESCE(j.done_bytes, u.received_bytes, 0)",
        /// The total number of bytes.
        pub total_bytes: i64 = "COALESCE(j.total_bytes, u.size_bytes, 0)",
        /// When a worker first started; `None` while the job waits.
        pub started_at: Option<i64> = "j.started_at",
        /// When `done_bytes` was reported. The average rate is `done_bytes` divided by the time since `started_at`.
        pub reported_at: Option<i64> = "j.reported_at",
        /// Why the image could not be made, or empty.
        pub failed_reason: String = "i.failed_reason",
        /// A warning about its disk, or empty.
        pub caution: String = "COALESCE(j.caution, '')",
    }
}

impl Catalog {
    /// Returns the progress of making an image.
    pub async fn image_progress(&self, scope: Scope, id: &str) -> Result<Option<Progress>> {
        let sql = format!(
            "SELECT i.id, {}
             FROM images i LEFT JOIN jobs j ON j.image_id = i.id LEFT JOIN uploads u ON u.image_id = i.id
             WHERE {} AND i.id = $2",
            Progress::COLUMNS,
            scope.found_images()
        );
        self.database.query(&sql, &scope.image_params(id)).await?.first_after_key("images")
    }
}
