//! Ends, now and then, uploads that nothing comes of, and removes files that no image needs any more.

use std::sync::Arc;
use std::time::Duration;

use jingku_catalog::{CatalogError, Job, Source, Upload};

use super::supervisor::Loop;
use super::trash::trusted_now;
use crate::library::Library;
use crate::limits::{UPLOAD_RESUME_TIMEOUT, UPLOAD_START_TIMEOUT};

/// How often.
const EVERY: Duration = Duration::from_mins(1);

/// `FailedReason` of an image of whose file no byte came.
const NOT_STARTED: &str = "No byte of the file came within 10 minutes. Import it again.";
/// `FailedReason` of an image whose file did not come to its end.
const SILENT: &str = "Nothing more of the file came for 24 hours. Import it again.";

/// Works until the server stops, for the first time at once.
pub(super) async fn expire(task: Loop) {
    task.every(EVERY, || expire_once(&task.context)).await;
}

async fn expire_once(context: &Arc<Library>) -> Result<(), CatalogError> {
    let now = context.clock.now();
    // What has come of a file may be hours of work: a clock that has just jumped does not throw it away. Where nothing has
    // come nothing is lost.
    let resumable = trusted_now(context).await.map(|now| now - seconds(UPLOAD_RESUME_TIMEOUT));
    let silent = context.catalog.idle_uploads(resumable, now - seconds(UPLOAD_START_TIMEOUT)).await?;
    // Bytes may be coming just now.
    for upload in silent.iter().filter(|upload| !context.uploads.is_taken(&upload.image_id)) {
        if context.catalog.fail_upload(upload, reason(upload), now).await? {
            tracing::info!(image_id = upload.image_id, "upload given up");
            context.uploads.remove(&upload.image_id);
        }
    }
    // In this order: a file that comes meanwhile is of an upload that was there before it.
    let files = context.uploads.list();
    let uploads = context.catalog.uploads().await?;
    let needed = |id: &str| uploads.iter().any(|upload| upload.image_id == id);
    for image_id in files.iter().filter(|id| !needed(id)) {
        context.uploads.remove(image_id);
    }
    Ok(())
}

fn reason(upload: &Upload) -> &'static str {
    if upload.received_bytes == 0 { NOT_STARTED } else { SILENT }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// Removes the file of a job that has ended.
pub(super) async fn remove_if_gone(context: &Library, job: &Job) {
    if job.source != Source::Upload {
        return;
    }
    // If it is there, it goes on later; if nobody can tell, the next look finds out.
    if let Ok(None) = context.catalog.upload(job.account, &job.image_id).await {
        context.uploads.remove(&job.image_id);
    }
}
