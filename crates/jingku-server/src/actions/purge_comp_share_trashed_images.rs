use jingku_catalog::{Limit, Scope};
use jingku_library::failpoint;
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::limits::{PURGED_IMAGES_MAX, PURGED_ONCE_MAX};

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::PurgeCompShareTrashedImagesRequest,
) -> Result<api::PurgeCompShareTrashedImagesResponse, Error> {
    call.library.zones.resolve(&request.place)?;
    let purged =
        if request.image_ids.is_empty() { purge_all(call).await? } else { purge(call, &request).await? };
    let limits = call.library.catalog.account_limits(call.account().id).await?;
    let remaining = limits.iter().find(|state| state.limit == Limit::Trashed).map_or(0, |state| state.used);
    Ok(api::PurgeCompShareTrashedImagesResponse {
        purged_count: i64::try_from(purged).unwrap_or(i64::MAX),
        remaining_count: remaining,
    })
}

async fn purge(call: &Call<'_>, request: &api::PurgeCompShareTrashedImagesRequest) -> Result<u64, Error> {
    let ids: Vec<&str> = request.image_ids.iter().map(|id| &**id).collect();
    let (trash, now) = (Scope::trash(call.account().id), call.library.clock.now());
    failpoint::reached("trash.before_purge");
    let purged = call.library.catalog.purge_images(trash, &ids, now).await?;
    failpoint::reached("trash.after_purge");
    let purged = purged.map_err(|place| Error::ResourceNotFound(ids[place].to_owned()))?;
    for image_id in ids {
        tracing::info!(image_id, "image purged from the trash by its owner");
    }
    Ok(purged)
}

/// Purges some of the images that are in the trash now.
async fn purge_all(call: &Call<'_>) -> Result<u64, Error> {
    let (trash, now) = (Scope::trash(call.account().id), call.library.clock.now());
    let mut purged = 0;
    while purged < PURGED_IMAGES_MAX {
        failpoint::reached("trash.before_purge");
        let ids = call.library.catalog.purge_oldest(trash, now, PURGED_ONCE_MAX).await?;
        failpoint::reached("trash.after_purge");
        if ids.is_empty() {
            break;
        }
        purged += ids.len() as u64;
        for image_id in ids {
            tracing::info!(image_id, "image purged from the trash by its owner");
        }
    }
    Ok(purged)
}
