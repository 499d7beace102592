use jingku_catalog::{ImageFilter, ImageOrder, ImageSort as SortBy};
use jingku_protocol::actions as api;

use crate::call::Call;
use crate::error::Error;
use crate::reply::Reply;
use crate::view::{image_page, row_status, smallest_bytes, texts};

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCompShareCustomImagesRequest,
) -> Result<Reply, Error> {
    let read = page(call, &request);
    let (account, generation) = (call.account().id, call.generation);
    call.context.pages.page(&call.library.catalog, account, generation, request.clone(), read).await
}

async fn page(
    call: &Call<'_>,
    request: &api::DescribeCompShareCustomImagesRequest,
) -> Result<api::DescribeCompShareCustomImagesResponse, Error> {
    let zones = call.library.zones.resolve(&request.place)?;
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
        with_readme: request.image_id.is_some(),
        ..ImageFilter::default()
    };
    let page = image_page(call.context, call.own(), filter, &request.paging).await?;
    Ok(api::DescribeCompShareCustomImagesResponse {
        total_count: page.total,
        image_set: page.images,
        next_token: page.next_token,
    })
}

fn order(query: &api::ImageQuery) -> ImageOrder {
    let by = match query.sort {
        api::ImageSort::CreateTime => SortBy::CreateTime,
        api::ImageSort::UpdateTime => SortBy::UpdateTime,
        api::ImageSort::Size => SortBy::Size,
        api::ImageSort::Name => SortBy::Name,
    };
    ImageOrder { by, ascending: query.ascending }
}
