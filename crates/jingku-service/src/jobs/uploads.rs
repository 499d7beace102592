//! Ends, now and then, uploads that nothing comes of, and removes files that no image needs any more.

use std::sync::Arc;
use std::time::Duration;

use jingku_catalog::{CatalogError, Job, UPLOAD_SOURCE};

use super::supervisor::Loop;
use super::trash::trusted_now;
use crate::context::Context;

/// How often.
const EVERY: Duration = Duration::from_mins(10);
/// How long nothing may come, in seconds: a day.
const SILENCE_SECS: i64 = 86_400;

/// What the owner is told of an image whose file did not come.
const SILENT: &str = "Nothing more of the file came for 24 hours. Import it again.";

/// Works until the server stops, for the first time at once.
pub(super) async fn expire(task: Loop) {
    task.every(EVERY, || expire_once(&task.context)).await;
}

async fn expire_once(context: &Arc<Context>) -> Result<(), CatalogError> {
    // What has come of a file may be hours of work: a clock that has just jumped does not throw it away.
    let silent = match trusted_now(context).await {
        Some(now) => context.catalog.silent_uploads(now - SILENCE_SECS).await?,
        None => Vec::new(),
    };
    let now = context.clock.now();
    for upload in silent {
        if context.catalog.fail_upload(&upload, SILENT, now).await? {
            tracing::info!(image_id = upload.image_id, "upload given up");
            context.spools.remove(&upload.image_id);
        }
    }
    // In this order: a file that comes meanwhile is of an upload that was there before it.
    let files = context.spools.list();
    let uploads = context.catalog.uploads().await?;
    let needed = |id: &str| uploads.iter().any(|upload| upload.image_id == id);
    for image_id in files.iter().filter(|id| !needed(id)) {
        context.spools.remove(image_id);
    }
    Ok(())
}

/// Removes the file of a job that has ended.
pub(super) async fn remove_if_gone(context: &Context, job: &Job) {
    if !job.instance_id.starts_with(UPLOAD_SOURCE) {
        return;
    }
    // If it is there, it goes on later; if nobody can tell, the next look finds out.
    if let Ok(None) = context.catalog.upload(job.account, &job.image_id).await {
        context.spools.remove(&job.image_id);
    }
}
