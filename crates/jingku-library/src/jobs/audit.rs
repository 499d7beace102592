//! Removes expired entries of the audit log.

use std::time::Duration;

use jingku_catalog::CatalogError;

use super::supervisor::Loop;
use super::trash::trusted_now;

/// The interval. Entries are kept for days.
const EVERY: Duration = Duration::from_hours(1);

pub(super) async fn expire(task: Loop) {
    task.every(EVERY, || expire_once(&task)).await;
}

async fn expire_once(task: &Loop) -> Result<(), CatalogError> {
    let library = &task.library;
    let now = trusted_now(library).await;
    let expired = task
        .alone("audit", |turn| async move { library.expire_audit(now, || turn.stop.is_cancelled()).await })
        .await?;
    if let Some(entries) = expired.filter(|entries| *entries > 0) {
        tracing::info!(entries, "expired entries removed from the audit log");
    }
    Ok(())
}
