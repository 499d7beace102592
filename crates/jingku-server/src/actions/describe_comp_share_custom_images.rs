use jingku_catalog::{ImageFilter, ImageOrder, ImageSort as SortBy};
use jingku_library::Internal;
use jingku_protocol::actions as api;
use jingku_protocol::{LeftOut, LeftOutPath};
use jingku_sources::tree::{self, Report};

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
    let mut page = image_page(call.context, call.own(), filter, &request.paging).await?;
    if let (Some(id), [image]) = (request.image_id.as_deref(), &mut page.images[..]) {
        image.left_out = left_out(call, id).await?;
    }
    Ok(api::DescribeCompShareCustomImagesResponse {
        total_count: page.total,
        image_set: page.images,
        next_token: page.next_token,
    })
}

/// What was left out of the image of a container.
async fn left_out(call: &Call<'_>, id: &str) -> Result<Option<LeftOut>, Error> {
    let Some(text) = call.library.catalog.left_out(call.own(), id).await? else { return Ok(None) };
    let report: Report = serde_json::from_str(&text)
        .map_err(|error| Internal::BadRow(format!("what was left out of image {id}: {error}")))?;
    let path = |left: tree::LeftOut| LeftOutPath { path: left.path, reason: left.reason.as_str().to_owned() };
    Ok(Some(LeftOut {
        count: report.left_out_count,
        bytes: report.left_out_bytes,
        paths: report.left_out.into_iter().map(path).collect(),
        secrets: report.secrets,
        secret_count: report.secrets_count,
    }))
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
