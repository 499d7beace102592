use jingku_catalog::{NewUpload, StartUpload, Upload};
use jingku_library::{DISK_BYTES_MAX, image_id};
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::link::UploadLink;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::ImportCompShareCustomImageRequest,
) -> Result<api::ImportCompShareCustomImageResponse, Error> {
    let zones = call.library.zones.resolve(&request.place)?;
    // There is at least one zone, and at least one in each region.
    let zone = zones.as_ref().and_then(|zones| zones.first()).and_then(|name| call.library.zones.find(name));
    let zone =
        zone.or_else(|| call.library.zones.iter().next()).ok_or_else(|| Error::not_available("Zone"))?;
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
        format: request.format.map(api::FileFormat::as_str),
    };
    let (own, account) = (call.own(), call.account().id);
    // The received bytes of a resumed upload already have their space.
    let (id, resumed) = if let Some(id) = call.library.catalog.upload_in_progress(own, &new("")).await? {
        call.library.catalog.record_contact(&id, call.library.clock.now()).await?;
        (id, true)
    } else {
        check_disk_space(call, data_bytes.or(size_bytes)).await?;
        let id = image_id(&*call.library.random);
        let now = call.library.clock.now();
        let share = call.library.upload_share().await?;
        match call.library.catalog.start_upload(own, new(&id), share, now).await? {
            StartUpload::Started => (id, false),
            StartUpload::InProgress(other) => (other, true),
            StartUpload::NameTaken => {
                return call.name_taken("Name", &request.name).await;
            }
            StartUpload::OverLimit(over) => return Err(Error::OverLimit(over)),
            StartUpload::OverShare => return Err(Error::OverUploadShare),
        }
    };
    let expires_at = call.library.clock.now() + api::DEFAULT_LINK_SECS;
    let link = UploadLink { image_id: id.clone(), account: account.0, expires_at };
    let url = call.context.link_url(&link.path_and_query(call.library.keyring()));
    Ok(api::ImportCompShareCustomImageResponse {
        comp_share_image_id: id,
        url,
        expire_time: expires_at,
        resumed,
    })
}

/// Refuses a file that may not fit: it stays in the data directory until its image is made, which may need as much again.
/// The missing bytes of other uploads are reserved. Holes need no space.
async fn check_disk_space(call: &Call<'_>, data_bytes: Option<i64>) -> Result<(), Error> {
    let Some(free_bytes) = call.free_bytes().await? else { return Ok(()) };
    let uploads = call.library.catalog.uploads().await?;
    let reserved = uploads.iter().filter_map(Upload::remaining_bytes).fold(0, i64::saturating_add);
    let reserved = u64::try_from(reserved).unwrap_or(0);
    let free_bytes = free_bytes.saturating_sub(reserved);
    let needed_bytes = data_bytes.and_then(|bytes| u64::try_from(bytes).ok()).map_or(1, |bytes| bytes * 2);
    if needed_bytes <= free_bytes {
        return Ok(());
    }
    tracing::warn!(needed_bytes, free_bytes, "no space for a file");
    Err(Error::DataFolderFull { needed_bytes })
}
