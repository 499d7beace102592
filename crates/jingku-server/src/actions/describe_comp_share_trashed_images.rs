use jingku_catalog::{ImageStatus, Scope, TrashedImage};
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::view::{cursor, megabytes, next_token, rows, status};

const SECS_OF_A_DAY: i64 = 24 * 60 * 60;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCompShareTrashedImagesRequest,
) -> Result<api::DescribeCompShareTrashedImagesResponse, Error> {
    let zones = call.library.zones.resolve(&request.place)?;
    let cursor = cursor(&request.paging, TrashedImage::cursor)?;
    let paging = rows(&request.paging, cursor.as_ref());
    let trash = Scope::trash(call.account().id);
    let ids: Vec<&str> = request.image_ids.iter().map(|id| &**id).collect();
    let ids = (!ids.is_empty()).then_some(&*ids);
    let page = call.library.catalog.trash_page(trash, ids, zones.as_deref(), paging).await?;
    let kept_secs = i64::from(call.library.config.trash.keep_days) * SECS_OF_A_DAY;
    Ok(api::DescribeCompShareTrashedImagesResponse {
        total_count: page.total,
        image_set: page.items.into_iter().map(|image| view(image, kept_secs)).collect(),
        next_token: next_token(page.next),
    })
}

fn view(image: TrashedImage, kept_secs: i64) -> api::TrashedImage {
    api::TrashedImage {
        comp_share_image_id: image.id,
        name: image.name,
        status: status(image.status),
        restorable: image.status != ImageStatus::Making,
        size: megabytes(image.size_bytes),
        zone: image.zone,
        create_time: image.create_time,
        delete_time: image.deleted_at,
        expire_time: image.deleted_at.saturating_add(kept_secs),
    }
}
