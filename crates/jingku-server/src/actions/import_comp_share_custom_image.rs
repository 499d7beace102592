use jingku_catalog::{NewUpload, StartUpload, Upload};
use jingku_library::{DISK_BYTES_MAX, Internal, MARGIN_BYTES, image_id};
use jingku_protocol::actions::{
    DEFAULT_LINK_SECS, FileFormat, ImportCompShareCustomImageRequest, ImportCompShareCustomImageResponse,
};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;
use crate::link::UploadLink;

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: ImportCompShareCustomImageRequest,
) -> Result<ImportCompShareCustomImageResponse, Error> {
    let zones = context.zones.resolve(&request.place)?;
    // There is at least one zone, and at least one in each region.
    let zone = zones.as_ref().and_then(|zones| zones.first()).and_then(|name| context.zones.find(name));
    let zone = zone.or_else(|| context.zones.iter().next()).ok_or_else(|| Error::not_available("Zone"))?;
    let size_bytes = request.size_bytes.map(|bytes| bytes.0);
    let data_bytes = request.data_bytes.map(|bytes| bytes.0);
    if size_bytes.is_some_and(|bytes| bytes > DISK_BYTES_MAX) {
        return Err(Error::FileTooLarge);
    }
    let new = |id| NewUpload {
        image_id: id,
        name: &request.name,
        description: request.description.as_deref().unwrap_or_default(),
        region: &zone.region,
        zone: &zone.zone,
        size_bytes,
        data_bytes,
        blake3: request.blake3.as_deref(),
        format: request.format.map(FileFormat::as_str),
    };
    let (own, account) = (caller.own(), caller.account().id);
    // The received bytes of a resumed upload already have their space.
    let (id, resumed) = if let Some(id) = context.catalog.upload_in_progress(own, &new("")).await? {
        context.catalog.record_contact(&id, context.clock.now()).await?;
        (id, true)
    } else {
        check_disk_space(context, data_bytes.or(size_bytes)).await?;
        let id = image_id(&*context.random);
        let now = context.clock.now();
        let share = context.upload_share().await?;
        match context.catalog.start_upload(own, new(&id), share, now).await? {
            StartUpload::Started => (id, false),
            StartUpload::InProgress(other) => (other, true),
            StartUpload::NameTaken => {
                return Err(caller.name_taken(context, "Name", &request.name).await);
            }
            StartUpload::OverLimit(over) => return Err(Error::OverLimit(over)),
            StartUpload::OverShare => return Err(Error::OverUploadShare),
        }
    };
    let expires_at = context.clock.now() + DEFAULT_LINK_SECS;
    let link = UploadLink { image_id: id.clone(), account: account.0, expires_at };
    let url = context.link_url(&link.path_and_query(context.keyring()));
    Ok(ImportCompShareCustomImageResponse { comp_share_image_id: id, url, expire_time: expires_at, resumed })
}

/// Refuses a file that may not fit: it stays in the data folder until its image is made, which may need as much again.
/// The missing bytes of other uploads are reserved. Holes need no space.
async fn check_disk_space(context: &Context, data_bytes: Option<i64>) -> Result<(), Error> {
    let Some(disk_space) = context.disk_space.clone() else { return Ok(()) };
    let free = tokio::task::spawn_blocking(move || disk_space.free_bytes()).await.map_err(Internal::Task)?;
    let Ok(free) = free else { return Ok(()) };
    let uploads = context.catalog.uploads().await?;
    let reserved = uploads.iter().filter_map(Upload::remaining_bytes).fold(0, i64::saturating_add);
    let reserved = u64::try_from(reserved).unwrap_or(0);
    let free_bytes = free.saturating_sub(MARGIN_BYTES).saturating_sub(reserved);
    let needed_bytes = data_bytes.and_then(|bytes| u64::try_from(bytes).ok()).map_or(1, |bytes| bytes * 2);
    if needed_bytes <= free_bytes {
        return Ok(());
    }
    tracing::warn!(needed_bytes, free_bytes, "no space for a file");
    Err(Error::DataFolderFull { needed_bytes })
}
