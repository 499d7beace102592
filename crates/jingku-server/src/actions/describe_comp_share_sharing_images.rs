use jingku_catalog::{ImageFilter, Scope};
use jingku_protocol::actions::{
    DescribeCompShareSharingImagesRequest, DescribeCompShareSharingImagesResponse,
};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;
use crate::view::{self, cursor, next_token, rows};

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: DescribeCompShareSharingImagesRequest,
) -> Result<DescribeCompShareSharingImagesResponse, Error> {
    let zones = context.zones.resolve(&request.place)?;
    let by_id = request.image_id.is_some();
    let filter = ImageFilter {
        id: request.image_id.as_deref(),
        zones: zones.as_deref(),
        with_readme: by_id,
        ..ImageFilter::default()
    };
    let scope = Scope::shared_with(caller.account().id);
    let cursor = cursor(&request.paging, |token| filter.order.cursor(scope, token))?;
    let page = context.catalog.images_page(scope, filter, rows(&request.paging, cursor.as_ref())).await?;
    let images = page.items.into_iter().map(|row| view::image(row, context, by_id));
    Ok(DescribeCompShareSharingImagesResponse {
        total_count: page.total,
        image_set: images.collect::<Result<_, _>>()?,
        next_token: next_token(page.next),
    })
}
