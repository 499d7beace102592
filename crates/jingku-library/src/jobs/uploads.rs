//! Expires idle uploads and removes files that no image needs.

use std::sync::Arc;
use std::time::Duration;

use jingku_catalog::{CatalogError, Job, Source};

use super::supervisor::Loop;
use super::trash::trusted_now;
use crate::library::Library;
use crate::limits::{UPLOAD_RESUME_TIMEOUT, UPLOAD_START_TIMEOUT};

const EVERY: Duration = Duration::from_mins(1);

/// `FailedReason` of an image whose upload received no byte.
const NOT_STARTED: &str = "No byte of the file came within 10 minutes. Import it again.";
/// `FailedReason` of an image whose upload was abandoned.
const SILENT: &str = "Nothing more of the file came for 24 hours. Import it again.";

pub(super) async fn expire(task: Loop) {
    task.every(EVERY, || expire_once(&task.library)).await;
}

async fn expire_once(library: &Arc<Library>) -> Result<(), CatalogError> {
    let now = library.clock.now();
    // Received bytes may be hours of work, so their age is measured with the trusted clock. Without any, nothing is lost.
    let resumable = trusted_now(library).await.map(|now| now - seconds(UPLOAD_RESUME_TIMEOUT));
    let silent = library.catalog.idle_uploads(resumable, now - seconds(UPLOAD_START_TIMEOUT)).await?;
    // An upload whose file is in use is active.
    for upload in silent.iter().filter(|upload| !library.uploads.is_taken(&upload.image_id)) {
        let reason = if upload.received_bytes == 0 { NOT_STARTED } else { SILENT };
        if library.catalog.fail_upload(upload, reason, now).await? {
            tracing::info!(image_id = upload.image_id, "upload expired");
            library.uploads.remove(&upload.image_id);
        }
    }
    // Listed before the uploads are read: a new file belongs to an upload that is read as well.
    let files = library.uploads.list();
    let uploads = library.catalog.uploads().await?;
    let needed = |id: &str| uploads.iter().any(|upload| upload.image_id == id);
    for image_id in files.iter().filter(|id| !needed(id)) {
        library.uploads.remove(image_id);
    }
    Ok(())
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// Removes the file of a finished job.
pub(super) async fn remove_if_gone(library: &Library, job: &Job) {
    if job.source != Source::Upload {
        return;
    }
    // If the upload exists, it resumes later. If it is unknown, the next round decides.
    if let Ok(None) = library.catalog.upload(job.account, &job.image_id).await {
        library.uploads.remove(&job.image_id);
    }
}
