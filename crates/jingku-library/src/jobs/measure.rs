//! Measures what the images of each account use, once a day and after changes.

use std::time::{Duration, Instant};

use jingku_catalog::{AccountId, CatalogError, ImageWeight, ManifestUse, UsageSample};
use jingku_chunks::{Backend, ChunkId, Error as StoreError, Store};
use tokio_util::sync::CancellationToken;

use super::pace::pause;
use crate::account_usage::{MeasuredBytes, MeasuredImage, MeasuredImages};
use crate::library::Library;
use crate::referenced::Referenced;

/// The most accounts that one round measures.
const ACCOUNTS_MAX: u32 = 1000;
/// Maximum number of images of an account that is measured: all their manifests are listed in memory.
const MEASURED_IMAGES_MAX: usize = 20_000;
/// The most images that a sample lists.
const LARGEST_MAX: usize = 100;
/// The most references to chunks that are in memory, at 40 bytes each.
const REFERENCES_MAX: u64 = 1 << 19;
/// Images read by one statement.
const BATCH: u32 = 1000;
/// After each manifest, measuring rests this many times as long.
const RESTS: u32 = 3;
/// The longest rest between two manifests.
const REST_MAX: Duration = Duration::from_secs(1);

/// Measures the accounts that are due.
pub(super) async fn measure_due(library: &Library, stop: &CancellationToken) -> Result<(), CatalogError> {
    let due = library.catalog.accounts_to_measure(library.clock.now(), ACCOUNTS_MAX).await?;
    for (account, revision) in due {
        let Some(images) = images(library, account).await? else {
            tracing::debug!(account = account.0, "an account with too many images is not measured");
            continue;
        };
        let (store, stopping) = (library.store.clone(), stop.clone());
        let measured = tokio::task::spawn_blocking(move || measure(&images, &store, &stopping)).await;
        let account_id = account.0;
        match measured {
            Ok(Ok(None)) => return Ok(()),
            Ok(Ok(Some((sample, weights)))) => {
                // Before the sample, without which the account is measured again.
                library.catalog.save_image_weights(account, &weights).await?;
                let sample = UsageSample { measured_at: library.clock.now(), ..sample };
                library.catalog.save_usage_sample(account, revision, &sample).await?;
            }
            // The scrub reports it, and the next round tries again.
            Ok(Err(error)) => tracing::debug!(account_id, %error, "cannot measure the use of an account"),
            Err(error) => tracing::error!(account_id, %error, "measuring the use of an account panicked"),
        }
    }
    Ok(())
}

/// Returns the images of an account; `None` if there are too many.
async fn images(library: &Library, account: AccountId) -> Result<Option<Vec<ManifestUse>>, CatalogError> {
    let mut images: Vec<ManifestUse> = Vec::new();
    while images.len() <= MEASURED_IMAGES_MAX {
        let after = images.last().map_or(String::new(), |image| image.image_id.clone());
        let more = library.catalog.manifest_uses_of(account, &after, BATCH).await?;
        if more.is_empty() {
            return Ok(Some(images));
        }
        images.extend(more);
    }
    Ok(None)
}

/// Reads the manifests of images, once to verify them and once for every half a million chunks. `None` if the server stops.
fn measure(
    images: &[ManifestUse],
    store: &Store,
    stop: &CancellationToken,
) -> Result<Option<(UsageSample, Vec<ImageWeight>)>, StoreError> {
    let rest = |took: Duration| pause(stop, (took * RESTS).min(REST_MAX));
    let backend: &dyn Backend = store.backend().as_ref();
    let Some(referenced) = Referenced::open_while(images, &[(backend, store)], rest)? else {
        return Ok(None);
    };
    let mut bytes: Vec<_> = images
        .iter()
        .map(|image| MeasuredBytes {
            logical: u64::try_from(image.size_bytes).unwrap_or(0),
            ..MeasuredBytes::default()
        })
        .collect();
    let mut total = UsageSample {
        measured_at: 0,
        images: i64::try_from(images.len()).unwrap_or(i64::MAX),
        logical_bytes: bytes.iter().map(|image| signed(image.logical)).fold(0, i64::saturating_add),
        stored_bytes: 0,
        unique_bytes: 0,
        trash_bytes: 0,
        detail: String::new(),
    };
    for prefixes in referenced.ranges(REFERENCES_MAX) {
        let mut chunks: Vec<(ChunkId, u32, u32)> = Vec::new();
        for (place, number) in (0..referenced.manifests.len()).zip(0_u32..) {
            let begun = Instant::now();
            let more = referenced.chunks_of(place, &prefixes)?;
            let short = |len| u32::try_from(len).unwrap_or(u32::MAX);
            chunks.extend(more.into_iter().map(|(id, len)| (id, number, short(len))));
            if !rest(begun.elapsed()) {
                return Ok(None);
            }
        }
        chunks.sort_unstable();
        chunks.dedup();
        for named in chunks.chunk_by(|one, other| one.0 == other.0) {
            let manifests = named.iter().map(|(_, number, _)| &referenced.manifests[*number as usize]);
            let needed_by: Vec<usize> =
                manifests.flat_map(|manifest| manifest.images.iter().copied()).collect();
            add(images, &needed_by, named[0].2.into(), &mut bytes, &mut total);
        }
    }
    total.detail = serde_json::to_string(&largest(images, &bytes)).expect("numbers and texts serialise");
    Ok(Some((total, weights(images, &bytes))))
}

/// The weights of the images that have data.
fn weights(images: &[ManifestUse], bytes: &[MeasuredBytes]) -> Vec<ImageWeight> {
    let made = images.iter().zip(bytes).filter(|(image, _)| image.manifest.is_some());
    made.map(|(image, bytes)| ImageWeight {
        image_id: image.image_id.clone(),
        stored_bytes: signed(bytes.stored),
        unique_bytes: signed(bytes.unique),
    })
    .collect()
}

/// Adds a chunk to the use of the images that need it.
fn add(
    images: &[ManifestUse],
    needed_by: &[usize],
    len: u64,
    bytes: &mut [MeasuredBytes],
    total: &mut UsageSample,
) {
    for place in needed_by {
        bytes[*place].stored += len;
    }
    total.stored_bytes = total.stored_bytes.saturating_add(signed(len));
    if let [only] = needed_by {
        bytes[*only].unique += len;
        total.unique_bytes = total.unique_bytes.saturating_add(signed(len));
    }
    if needed_by.iter().all(|place| images[*place].trashed) {
        total.trash_bytes = total.trash_bytes.saturating_add(signed(len));
    }
}

fn largest(images: &[ManifestUse], bytes: &[MeasuredBytes]) -> MeasuredImages {
    let mut order: Vec<usize> = (0..images.len()).collect();
    order.sort_by_key(|place| std::cmp::Reverse((bytes[*place].stored, bytes[*place].logical)));
    let mut measured = MeasuredImages::default();
    for place in order {
        if measured.largest.len() < LARGEST_MAX {
            let image = &images[place];
            measured.largest.push(MeasuredImage {
                id: image.image_id.clone(),
                name: image.name.clone(),
                trashed: image.trashed,
                bytes: bytes[place],
            });
        } else {
            measured.others += 1;
            measured.rest.add(bytes[place]);
        }
    }
    measured
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
