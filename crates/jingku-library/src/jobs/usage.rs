//! Accounts the use of images, and once the data size of images from earlier versions. Measures what accounts store.

use std::time::Duration;

use jingku_catalog::CatalogError;
use jingku_chunks::{Error as StoreError, Extent, Store};
use tokio_util::sync::CancellationToken;

use super::measure::measure_due;
use super::supervisor::Loop;
use crate::failpoint;
use crate::library::Library;

/// The interval. Use is accounted in hours, and at once when an instance is removed.
const EVERY: Duration = Duration::from_mins(10);
const BATCH: u32 = 64;

pub(super) async fn count(task: Loop) {
    failpoint::passed("usage.begun");
    let round = || async { task.alone("usage", |turn| run(&task.library, turn.stop)).await.map(drop) };
    task.every::<_, CatalogError>(EVERY, round).await;
}

async fn run(library: &Library, stop: CancellationToken) -> Result<(), CatalogError> {
    count_once(library, &stop).await?;
    measure_due(library, &stop).await
}

async fn count_once(library: &Library, stop: &CancellationToken) -> Result<(), CatalogError> {
    library.catalog.count_image_use(library.clock.now()).await?;
    // Images in memory were made by this version.
    if library.data.is_none() {
        return Ok(());
    }
    let mut after = String::new();
    loop {
        let manifests = library.catalog.uncounted_manifests(&after, BATCH).await?;
        let Some(last) = manifests.last() else { return Ok(()) };
        after.clone_from(last);
        for manifest in &manifests {
            if stop.is_cancelled() {
                return Ok(());
            }
            let (store, name) = (library.store.clone(), manifest.clone());
            match tokio::task::spawn_blocking(move || data_bytes(&store, &name)).await {
                Ok(Ok(bytes)) => library.catalog.set_data_bytes(manifest, bytes).await?,
                // The scrub reports it, and the next round tries again.
                Ok(Err(error)) => tracing::debug!(manifest, %error, "cannot count the data of a manifest"),
                Err(error) => tracing::error!(manifest, %error, "counting the data of a manifest panicked"),
            }
        }
    }
}

/// The bytes of a manifest that are not zeros.
fn data_bytes(store: &Store, manifest: &str) -> Result<i64, StoreError> {
    let Ok(id) = manifest.parse() else { return Ok(0) };
    let mut data_bytes = 0_u64;
    for extent in store.extents(id)? {
        if let Extent::Chunk { len, .. } = extent? {
            data_bytes += len;
        }
    }
    Ok(i64::try_from(data_bytes).unwrap_or(i64::MAX))
}
