//! `jingku image trash`: the trash of the account, through the API.

use compshare::Client;
use compshare::actions::{
    DescribeCompShareTrashedImagesRequest, MAX_LIMIT, Paging, PurgeCompShareTrashedImagesRequest,
    RestoreCompShareCustomImageRequest, TrashedImage,
};
use serde_json::json;

use crate::args::{Global, ImageTrashCommand};
use crate::failure::Failure;
use crate::messages::tr;
use crate::output::{Listing, done, print_json, size, time};

pub(super) async fn run(global: &Global, client: &Client, command: ImageTrashCommand) -> Result<(), Failure> {
    match command {
        ImageTrashCommand::List { .. } => list(global, client).await,
        ImageTrashCommand::Restore { image_ids, name, .. } => {
            let request = RestoreCompShareCustomImageRequest {
                image_ids: image_ids.iter().map(String::as_str).collect(),
                name: name.map(Into::into),
                ..RestoreCompShareCustomImageRequest::default()
            };
            client.restore_comp_share_custom_image(&request).await?;
            let count = image_ids.len();
            done(global, &json!({ "CompShareImageIds": image_ids }), &tr!("image-restored", count))
        }
        ImageTrashCommand::Empty { image_ids, .. } => {
            let purged = empty(client, &image_ids).await?;
            done(global, &json!({ "PurgedCount": purged }), &tr!("image-purged", count = purged))
        }
    }
}

async fn list(global: &Global, client: &Client) -> Result<(), Failure> {
    let mut images = Vec::new();
    let mut next_token = None;
    loop {
        let paging = Paging { limit: Some(MAX_LIMIT.into()), next_token, ..Paging::default() };
        let request = DescribeCompShareTrashedImagesRequest { paging, ..Default::default() };
        let page = client.describe_comp_share_trashed_images(&request).await?;
        images.extend(page.image_set);
        if page.next_token.is_empty() {
            break;
        }
        next_token = Some(page.next_token.into());
    }
    if global.json {
        return print_json(&images);
    }
    Listing::of(&images)
        .column(tr!("table-image"), |image: &TrashedImage| image.comp_share_image_id.clone())
        .column(tr!("table-name"), |image| image.name.clone())
        .column(tr!("table-status"), |image| image.status.as_str().to_owned())
        .column(tr!("table-size"), |image| size(image.size))
        .column(tr!("table-deleted"), |image| time(image.delete_time))
        .column(tr!("table-kept-until"), |image| time(image.expire_time))
        .print(1, &tr!("trash-none"))
}

/// Purges these images, or all: the server purges a limited number in one call.
async fn empty(client: &Client, image_ids: &[String]) -> Result<i64, Failure> {
    let all = image_ids.is_empty();
    let request = PurgeCompShareTrashedImagesRequest {
        image_ids: image_ids.iter().map(String::as_str).collect(),
        all: all.then_some(true),
        ..PurgeCompShareTrashedImagesRequest::default()
    };
    let mut purged = 0;
    loop {
        let reply = client.purge_comp_share_trashed_images(&request).await?;
        purged += reply.purged_count;
        // Another client may be deleting images meanwhile.
        if !all || reply.remaining_count == 0 || reply.purged_count == 0 {
            return Ok(purged);
        }
    }
}
