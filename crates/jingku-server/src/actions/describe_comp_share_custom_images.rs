use bytes::Bytes;
use jingku_catalog::{ImageFilter, ImageOrder, ImageSort as SortBy, ImageStatus as Status};
use jingku_library::Internal;
use jingku_protocol::actions as api;
use jingku_protocol::{LeftOut, LeftOutPath};
use jingku_sources::tree::{self, Report};
use serde::Deserialize;

use crate::call::Call;
use crate::error::Error;
use crate::newest;
use crate::reply::Reply;
use crate::view::{image_page, row_status, smallest_bytes, texts};

pub(crate) async fn run(
    call: &Call<'_>,
    request: api::DescribeCompShareCustomImagesRequest,
) -> Result<Reply, Error> {
    let (pages, catalog) = (&call.context.pages, &call.library.catalog);
    let key = (call.account().id, request);
    if let Some(reply) = pages.current(&key, call.generation) {
        return Ok(reply);
    }
    // Read with the key: on PostgreSQL, a page that is still current takes no statement of its own.
    if let Some(reply) = pages.confirmed(&key, call.credentials.revision, call.generation) {
        return Ok(reply);
    }
    let request = &key.1;
    let zones = call.library.zones.resolve(&request.place)?;
    let statuses: Vec<_> = request.query.statuses.iter().filter_map(|status| row_status(*status)).collect();
    let tags = texts(&request.query.tags);
    let filter = filter(request, zones.as_deref(), &statuses, &tags);
    if request.image_id.is_none()
        && let Some(reply) = newest::page(call, &key, &filter).await?
    {
        return Ok(reply);
    }
    let Some(revision) = catalog.account_revision(key.0).await? else {
        return Ok(page(call, request, filter).await?.into());
    };
    if let Some(reply) = pages.confirmed(&key, revision, call.generation) {
        return Ok(reply);
    }
    let response = page(call, request, filter).await?;
    let reply = Reply::object(&response);
    // Empty pages are cheap to read, and there is one for every unknown id.
    if let Reply::Object(members) = &reply
        && !response.image_set.is_empty()
    {
        // A copy without spare capacity.
        pages.keep(key, Bytes::copy_from_slice(members), revision, call.generation);
    }
    Ok(reply)
}

fn filter<'a>(
    request: &'a api::DescribeCompShareCustomImagesRequest,
    zones: Option<&'a [&'a str]>,
    statuses: &'a [Status],
    tags: &'a [&'a str],
) -> ImageFilter<'a> {
    let query = &request.query;
    ImageFilter {
        id: request.image_id.as_deref(),
        zones,
        name: query.name.as_deref(),
        statuses,
        tags,
        created_from: query.created_from,
        created_before: query.created_before,
        bytes_from: query.size_from.map(smallest_bytes),
        bytes_below: query.size_below.map(smallest_bytes),
        order: order(query),
        with_readme: request.image_id.is_some(),
        ..ImageFilter::default()
    }
}

async fn page(
    call: &Call<'_>,
    request: &api::DescribeCompShareCustomImagesRequest,
    filter: ImageFilter<'_>,
) -> Result<api::DescribeCompShareCustomImagesResponse, Error> {
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

/// What the catalogue keeps about the files of a container.
#[derive(Deserialize)]
struct Notes {
    #[serde(flatten)]
    report: Report,
    #[serde(default)]
    read_from: String,
}

/// What was left out of the image of a container.
async fn left_out(call: &Call<'_>, id: &str) -> Result<Option<LeftOut>, Error> {
    let Some(text) = call.library.catalog.left_out(call.own(), id).await? else { return Ok(None) };
    let Notes { report, read_from } = serde_json::from_str(&text)
        .map_err(|error| Internal::BadRow(format!("what was left out of image {id}: {error}")))?;
    let path = |left: tree::LeftOut| LeftOutPath { path: left.path, reason: left.reason.as_str().to_owned() };
    Ok(Some(LeftOut {
        count: report.left_out_count,
        bytes: report.left_out_bytes,
        paths: report.left_out.into_iter().map(path).collect(),
        secrets: report.secrets,
        secret_count: report.secrets_count,
        read_from,
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
