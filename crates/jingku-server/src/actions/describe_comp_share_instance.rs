use jingku_catalog::{AccountId, Instance as Row, InstanceFilter, StartImage};
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::view::{cursor, next_token, rows};

const GB: i64 = 1 << 30;

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCompShareInstanceRequest,
) -> Result<api::DescribeCompShareInstanceResponse, Error> {
    let zones = call.library.zones.resolve(&request.place)?;
    let ids: Vec<&str> = request.instance_ids.iter().map(|id| &**id).collect();
    let filter = InstanceFilter {
        account: Some(call.account().id),
        ids: (!ids.is_empty()).then_some(&ids),
        zones: zones.as_deref(),
    };
    let cursor = cursor(&request.paging, InstanceFilter::cursor)?;
    let page = call.library.catalog.instances_page(filter, rows(&request.paging, cursor.as_ref())).await?;
    Ok(api::DescribeCompShareInstanceResponse {
        total_count: page.total,
        instances: page.items.into_iter().map(view).collect(),
        next_token: next_token(page.next),
    })
}

fn view(row: Row) -> api::Instance {
    let (image_id, image) = row.started_from.map(|from| (from.image_id, from.image)).unwrap_or_default();
    let image_type = image.as_ref().map(|image| kind(image, row.account)).unwrap_or_default();
    let state = if row.image_in_making.is_some() { "ImageMaking" } else { "Stopped" };
    let disk = api::InstanceDisk {
        disk_id: format!("disk-{}", row.id),
        disk_type: "LOCAL_NORMAL".to_owned(),
        is_boot: "True".to_owned(),
        size: row.size_bytes.saturating_add(GB - 1) / GB,
    };
    api::Instance {
        id: row.id,
        region: row.region,
        zone: row.zone,
        name: row.name,
        state: state.to_owned(),
        comp_share_image_id: image_id,
        comp_share_image_name: image.map(|image| image.name).unwrap_or_default(),
        comp_share_image_type: image_type,
        instance_type: "UHost".to_owned(),
        gpu: i64::from(!row.gpu_type.is_empty()),
        gpu_type: row.gpu_type,
        charge_type: "Free".to_owned(),
        create_time: row.created_at,
        disk_set: vec![disk],
        ..api::Instance::default()
    }
}

/// The kind of an image as the account of its instance sees it.
fn kind(image: &StartImage, account: AccountId) -> String {
    if !image.platform_type.is_empty() {
        image.platform_type.clone()
    } else if image.public && image.account != account {
        "Community".to_owned()
    } else {
        "Custom".to_owned()
    }
}
