//! Forgets, now and then, what has been in the trash for long enough, and makes the reserve of room anew.

use std::sync::Arc;
use std::time::Duration;

use jingku_catalog::CatalogError;

use super::supervisor::Loop;
use crate::library::Library;

/// How often. What is kept is kept for days.
const EVERY: Duration = Duration::from_mins(10);

/// Forgets until the server stops, for the first time at once.
pub(super) async fn empty(task: Loop) {
    task.every(EVERY, || empty_once(&task)).await;
    // A server that never runs for long has run for all of it.
    trusted_now(&task.context).await;
}

async fn empty_once(task: &Loop) -> Result<(), CatalogError> {
    let context = &task.context;
    let emptied = context.empty_expired(trusted_now(context).await, || task.stop.is_cancelled()).await;
    // Also where the catalogue failed, which may be because there is no room.
    keep_reserve(context).await;
    if emptied?.images > 0 {
        context.emptied.notify_one();
    }
    Ok(())
}

/// The time that deleting by age may count with: see [`Library::trusted_now`].
pub(super) async fn trusted_now(context: &Arc<Library>) -> Option<i64> {
    let context = Arc::clone(context);
    let read = tokio::task::spawn_blocking(move || context.trusted_now()).await;
    read.inspect_err(|error| tracing::error!(%error, "cannot read the clock")).ok().flatten()
}

/// Makes the reserve of room, at the start, and anew when it was used up and there is room again.
async fn keep_reserve(context: &Library) {
    let Some(disk_space) = context.disk_space.clone() else { return };
    let kept = tokio::task::spawn_blocking(move || disk_space.keep_reserve()).await;
    if let Ok(Err(error)) = kept {
        tracing::warn!(%error, "cannot keep a reserve of room");
    }
}
