//! Counts, now and then, how long images have been in use, and once, how much data images have that an older version made.

use std::time::Duration;

use jingku_catalog::CatalogError;
use jingku_chunks::{Error as StoreError, Extent, Store};

use super::supervisor::Loop;
use crate::failpoint;

/// How often. What is counted are hours, and when an instance goes its use is counted at once.
const EVERY: Duration = Duration::from_mins(10);
/// Manifests that are looked for together.
const BATCH: u32 = 64;

/// Counts until the server stops, for the first time at once.
pub(super) async fn count(task: Loop) {
    failpoint::passed("usage.begun");
    task.every(EVERY, || count_once(&task)).await;
}

async fn count_once(task: &Loop) -> Result<(), CatalogError> {
    let context = &task.context;
    context.catalog.count_image_use(context.clock.now()).await?;
    // What is in memory was made by this version, or is made up.
    if context.data.is_none() {
        return Ok(());
    }
    let mut after = String::new();
    loop {
        let manifests = context.catalog.uncounted_manifests(&after, BATCH).await?;
        let Some(last) = manifests.last() else { return Ok(()) };
        after.clone_from(last);
        for manifest in &manifests {
            if task.stop.is_cancelled() {
                return Ok(());
            }
            let (store, name) = (context.store.clone(), manifest.clone());
            match tokio::task::spawn_blocking(move || data_bytes(&store, &name)).await {
                Ok(Ok(bytes)) => context.catalog.set_data_bytes(manifest, bytes).await?,
                // The scrub reports it, and the next round looks again.
                Ok(Err(error)) => tracing::debug!(manifest, %error, "cannot count the data of a manifest"),
                Err(error) => tracing::error!(manifest, %error, "counting the data of a manifest panicked"),
            }
        }
    }
}

/// How much of what a manifest names is not zeros.
fn data_bytes(store: &Store, manifest: &str) -> Result<i64, StoreError> {
    let Ok(id) = manifest.parse() else { return Ok(0) };
    let mut data_bytes = 0_u64;
    for extent in store.open_manifest(id)?.extents()? {
        if let Extent::Chunk { len, .. } = extent? {
            data_bytes += len;
        }
    }
    Ok(i64::try_from(data_bytes).unwrap_or(i64::MAX))
}
