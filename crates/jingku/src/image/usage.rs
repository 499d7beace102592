//! `jingku image usage`: what the images of the account use, and its limits, through the API.

use compshare::Client;
use compshare::actions::{
    DescribeCompShareImageUsageRequest, DescribeCompShareImageUsageResponse, ImageUsage, LimitUsage,
};

use crate::args::Global;
use crate::failure::Failure;
use crate::limit::{amount, name};
use crate::messages::tr;
use crate::output::{Listing, bytes, note, print, print_json, time};

pub(super) async fn run(global: &Global, client: &Client, image_id: Option<&str>) -> Result<(), Failure> {
    let request = DescribeCompShareImageUsageRequest { image_id: image_id.map(Into::into), days: None };
    let usage = client.describe_comp_share_image_usage(&request).await?;
    if global.json {
        return print_json(&usage);
    }
    if image_id.is_some() {
        if usage.image_set.is_empty() {
            note(&tr!("usage-image-not-measured"));
            return Ok(());
        }
        return print_images(&usage);
    }
    Listing::of(&usage.limit_set)
        .column(tr!("table-limit"), |limit: &LimitUsage| name(&limit.name))
        .column(tr!("table-used"), |limit| amount(&limit.name, Some(limit.used)))
        .column(tr!("table-max"), |limit| amount(&limit.name, limit.max))
        .print(1, "")?;
    if usage.measure_time == 0 {
        note(&tr!("usage-not-measured"));
        return Ok(());
    }
    print("")?;
    print_images(&usage)?;
    let (others, now) = (&usage.other_images, &usage.current);
    if others.count > 0 {
        note(&tr!("usage-others", count = others.count, stored = bytes(others.stored_bytes)));
    }
    let size = |bytes_now: i64| bytes(u64::try_from(bytes_now).unwrap_or(0));
    note(&tr!(
        "usage-measured",
        time = time(usage.measure_time),
        stored = size(now.stored_bytes),
        trash = size(now.trash_bytes)
    ));
    Ok(())
}

fn print_images(usage: &DescribeCompShareImageUsageResponse) -> Result<(), Failure> {
    let state = |image: &ImageUsage| if image.in_trash { tr!("usage-trashed") } else { String::new() };
    Listing::of(&usage.image_set)
        .column(tr!("table-image"), |image: &ImageUsage| image.comp_share_image_id.clone())
        .column(tr!("table-name"), |image| image.name.clone())
        .column(tr!("table-logical"), |image| bytes(image.logical_bytes))
        .column(tr!("table-stored"), |image| bytes(image.stored_bytes))
        .column(tr!("table-unique"), |image| bytes(image.unique_bytes))
        .column(String::new(), state)
        .print(2, &tr!("usage-none"))
}
