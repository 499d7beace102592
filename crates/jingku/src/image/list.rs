//! `jingku image list`.

use compshare::actions::{
    DescribeCompShareCustomImagesRequest, DescribeCompShareCustomImagesResponse, Paging,
};
use compshare::{Client, Image};
use futures::TryStreamExt;

use crate::args::{Global, ListArgs};
use crate::failure::Failure;
use crate::messages::tr;
use crate::output::{Listing, note, print_json, size, time};

pub(super) async fn run(global: &Global, client: &Client, args: ListArgs) -> Result<(), Failure> {
    let request = DescribeCompShareCustomImagesRequest {
        image_id: args.id.map(Into::into),
        query: args.query.into_query(),
        paging: Paging {
            offset: args.offset.map(Into::into),
            limit: args.limit.map(Into::into),
            next_token: None,
        },
        ..DescribeCompShareCustomImagesRequest::default()
    };
    let page = if args.all {
        let image_set: Vec<Image> = client.custom_images(request).try_collect().await?;
        let total_count = i64::try_from(image_set.len()).unwrap_or(i64::MAX);
        DescribeCompShareCustomImagesResponse { total_count, image_set, next_token: String::new() }
    } else {
        client.describe_comp_share_custom_images(&request).await?
    };
    if global.json {
        return print_json(&page);
    }
    print_images(&page.image_set)?;
    let (shown, total) = (page.image_set.len(), page.total_count);
    if i64::try_from(shown).is_ok_and(|shown| shown < total) {
        note(&tr!("image-some", shown, total));
    }
    Ok(())
}

pub(crate) fn print_images(images: &[Image]) -> Result<(), Failure> {
    Listing::of(images)
        .column(tr!("table-id"), |image| image.comp_share_image_id.clone())
        .column(tr!("table-name"), |image| image.name.clone())
        .column(tr!("table-status"), |image| image.status.as_str().to_owned())
        .column(tr!("table-size"), |image| size(image.size))
        .column(tr!("table-created"), |image| time(image.create_time))
        .print(1, &tr!("image-none"))
}
