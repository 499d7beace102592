use jingku_catalog::{CopyImage, ImageStatus, NewCopy};
use jingku_library::image_id;
use jingku_protocol::actions as api;

use super::copy_comp_share_custom_image::with_suffix;
use crate::call::Call;
use crate::error::Error;

/// Makes one copy per zone. A refusal for one zone does not affect the others.
pub(crate) async fn run(
    call: &Call<'_>,
    request: api::SyncCompShareCustomImageRequest,
) -> Result<api::SyncCompShareCustomImageResponse, Error> {
    call.library.zones.resolve(&request.place)?;
    let image = call.library.catalog.image(call.own(), &request.source_image_id).await?;
    let image = image.ok_or_else(|| Error::ResourceNotFound(request.source_image_id.to_string()))?;
    if !matches!(image.status, ImageStatus::Available | ImageStatus::Offline) {
        return Err(Error::ImageNotAvailable(request.source_image_id.into()));
    }
    let mut results = Vec::with_capacity(request.target_zone_ids.len());
    for zone_id in request.target_zone_ids.iter() {
        results.push(match copy_to(call, &request, &image.zone, *zone_id).await {
            Ok(copy) => {
                api::SyncResult { comp_share_image_id: copy, zone_id: *zone_id, ..api::SyncResult::default() }
            }
            // An error of the server fails the whole call and is logged once.
            Err(error @ (Error::Internal(_) | Error::Unavailable(_))) => return Err(error),
            Err(refusal) => api::SyncResult {
                ret_code: refusal.ret_code().code(),
                message: refusal.to_string(),
                comp_share_image_id: String::new(),
                zone_id: *zone_id,
            },
        });
    }
    let copied = results.iter().filter(|result| result.ret_code == 0).count();
    Ok(api::SyncCompShareCustomImageResponse {
        success_count: i64::try_from(copied).unwrap_or(i64::MAX),
        results,
    })
}

async fn copy_to(
    call: &Call<'_>,
    request: &api::SyncCompShareCustomImageRequest,
    own_zone: &str,
    zone_id: i64,
) -> Result<String, Error> {
    let zone = call.library.zones.iter().find(|zone| zone.zone_id == zone_id && zone.zone != own_zone);
    let zone = zone.ok_or_else(|| Error::not_available("TargetZoneIds"))?;
    let id = image_id(&*call.library.random);
    let name = |original: &str, number: u32| {
        let name = match &request.target_name {
            Some(name) if request.target_zone_ids.len() == 1 => name.to_string(),
            name => with_suffix(name.as_deref().unwrap_or(original), &format!("-{}", zone.zone)),
        };
        // A configured zone name may be invalid in an image name.
        (number == 0 && api::is_image_name(&name)).then_some(name)
    };
    // Each zone is its own change with its own stored answer.
    let zone_request = call.request.as_ref().map(|request| format!("{request} {zone_id}"));
    let copy = NewCopy {
        id: &id,
        owner: call.account().id,
        name: &name,
        description: request.target_description.as_deref(),
        place: Some((&zone.region, &zone.zone)),
        platform_type: "",
        request: zone_request.as_deref(),
    };
    let source = &request.source_image_id;
    match call.library.catalog.copy_image(call.own(), source, copy, call.library.clock.now()).await? {
        CopyImage::Copied(_) => Ok(id),
        CopyImage::AlreadyCopied(id) => Ok(id),
        CopyImage::NotFound => Err(Error::ResourceNotFound(source.to_string())),
        CopyImage::NotAvailable => Err(Error::ImageNotAvailable(source.to_string())),
        CopyImage::NameTaken => Err(Error::not_available("TargetImageName")),
        CopyImage::OverLimit(over) => Err(Error::OverLimit(over)),
    }
}
