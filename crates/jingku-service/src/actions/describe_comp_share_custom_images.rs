use jingku_catalog::ImageFilter;
use jingku_protocol::actions::{DescribeCompShareCustomImagesRequest, DescribeCompShareCustomImagesResponse};

use super::{cursor, next_token, rows};
use crate::context::Context;
use crate::error::Error;
use crate::gateway::Caller;
use crate::reply::Reply;
use crate::view;

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: DescribeCompShareCustomImagesRequest,
) -> Result<Reply, Error> {
    let read = async { Ok(Reply::object(&page(context, caller, &request).await?)) };
    context.page(caller, request.clone(), read).await
}

async fn page(
    context: &Context,
    caller: &Caller,
    request: &DescribeCompShareCustomImagesRequest,
) -> Result<DescribeCompShareCustomImagesResponse, Error> {
    let zones = context.zones.resolve(&request.place)?;
    let by_id = request.image_id.is_some();
    let filter = ImageFilter { id: request.image_id.as_deref(), zones: zones.as_deref(), with_readme: by_id };
    let cursor = cursor(&request.paging)?;
    let page =
        context.catalog.images_page(caller.own(), filter, rows(&request.paging, cursor.as_ref())).await?;
    let images = page.items.into_iter().map(|row| view::image(row, context, by_id));
    Ok(DescribeCompShareCustomImagesResponse {
        total_count: page.total,
        image_set: images.collect::<Result<_, _>>()?,
        next_token: next_token(page.next),
    })
}
