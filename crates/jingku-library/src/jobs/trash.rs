//! Purges expired images from the trash and restores the disk space reserve.

use std::sync::Arc;
use std::time::Duration;

use jingku_catalog::CatalogError;

use super::supervisor::Loop;
use crate::library::Library;

/// The interval. Images are kept for days.
const EVERY: Duration = Duration::from_mins(10);

pub(super) async fn empty(task: Loop) {
    task.every(EVERY, || empty_once(&task)).await;
    // Otherwise, runs shorter than the interval would not count as running time.
    trusted_now(&task.library).await;
}

async fn empty_once(task: &Loop) -> Result<(), CatalogError> {
    let library = &task.library;
    // On each server, because each has a clock.
    let until = trusted_now(library).await;
    let emptied = task
        .alone("trash", |turn| async move { library.empty_expired(until, || turn.stop.is_cancelled()).await })
        .await;
    // Also after an error of the catalogue, which may be caused by a full disk.
    keep_reserve(library).await;
    if emptied?.is_some_and(|emptied| emptied.images > 0) {
        library.emptied.notify_one();
    }
    Ok(())
}

/// The time for deletion by age: see [`Library::trusted_now`].
pub(super) async fn trusted_now(library: &Arc<Library>) -> Option<i64> {
    let library = Arc::clone(library);
    let read = tokio::task::spawn_blocking(move || library.trusted_now()).await;
    read.inspect_err(|error| tracing::error!(%error, "cannot read the clock")).ok().flatten()
}

/// Creates the reserve, also after it was used and there is space again.
async fn keep_reserve(library: &Library) {
    let Some(disk_space) = library.disk_space.clone() else { return };
    let kept = tokio::task::spawn_blocking(move || disk_space.keep_reserve()).await;
    if let Ok(Err(error)) = kept {
        tracing::warn!(%error, "cannot create the disk space reserve");
    }
}
