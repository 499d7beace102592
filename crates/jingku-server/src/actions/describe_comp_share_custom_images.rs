use jingku_catalog::{ImageFilter, ImageOrder, ImageSort as SortBy};
use jingku_protocol::actions::{
    DescribeCompShareCustomImagesRequest, DescribeCompShareCustomImagesResponse, ImageQuery, ImageSort,
};

use crate::caller::Caller;
use crate::context::Context;
use crate::error::Error;
use crate::reply::Reply;
use crate::view::{self, cursor, next_token, row_status, rows, smallest_bytes, texts};

pub(super) async fn run(
    context: &Context,
    caller: &Caller,
    request: DescribeCompShareCustomImagesRequest,
) -> Result<Reply, Error> {
    let read = page(context, caller, &request);
    let (account, generation) = (caller.account().id, caller.generation);
    context.pages.page(&context.catalog, account, generation, request.clone(), read).await
}

async fn page(
    context: &Context,
    caller: &Caller,
    request: &DescribeCompShareCustomImagesRequest,
) -> Result<DescribeCompShareCustomImagesResponse, Error> {
    let zones = context.zones.resolve(&request.place)?;
    let by_id = request.image_id.is_some();
    let query = &request.query;
    let statuses: Vec<_> = query.statuses.iter().filter_map(|status| row_status(*status)).collect();
    let tags = texts(&query.tags);
    let filter = ImageFilter {
        id: request.image_id.as_deref(),
        zones: zones.as_deref(),
        name: query.name.as_deref(),
        statuses: &statuses,
        tags: &tags,
        created_from: query.created_from,
        created_before: query.created_before,
        bytes_from: query.size_from.map(smallest_bytes),
        bytes_below: query.size_below.map(smallest_bytes),
        order: order(query),
        with_readme: by_id,
        ..ImageFilter::default()
    };
    let cursor = cursor(&request.paging, |token| filter.order.cursor(caller.own(), token))?;
    let page =
        context.catalog.images_page(caller.own(), filter, rows(&request.paging, cursor.as_ref())).await?;
    let images = page.items.into_iter().map(|row| view::image(row, context, by_id));
    Ok(DescribeCompShareCustomImagesResponse {
        total_count: page.total,
        image_set: images.collect::<Result<_, _>>()?,
        next_token: next_token(page.next),
    })
}

fn order(query: &ImageQuery) -> ImageOrder {
    let by = match query.sort {
        ImageSort::CreateTime => SortBy::CreateTime,
        ImageSort::UpdateTime => SortBy::UpdateTime,
        ImageSort::Size => SortBy::Size,
        ImageSort::Name => SortBy::Name,
    };
    ImageOrder { by, ascending: query.ascending }
}
