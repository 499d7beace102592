//! Downloads of image disks: who may have one, and the link that serves it.

pub(crate) mod range;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use jingku_catalog::{AccountId, Image, ImageStatus, Scope};
use jingku_library::{Internal, request_id};

use crate::context::Context;
use crate::error::Error;
use crate::link::{BadLink, DownloadLink};
use crate::reply;
use crate::transfer::{self, Permit};
use range::RangeRequest;

/// Finds an image whose disk the account may download, and its manifest.
///
/// Refuses with `ResourceNotFound` if the account has no access, with `ImageNotAvailable` if there is no disk or it costs
/// money.
pub(crate) async fn find(
    context: &Context,
    account: AccountId,
    image_id: &str,
) -> Result<(Image, String), Error> {
    let image = context.library.catalog.image(Scope::visible_to(account), image_id).await?;
    let mut image = image.ok_or_else(|| Error::ResourceNotFound(image_id.to_owned()))?;
    if !has_disk(&image) || requires_payment(context, account, &image).await? {
        return Err(Error::ImageNotAvailable(image_id.to_owned()));
    }
    let manifest = image.manifest.take();
    let manifest = manifest.ok_or_else(|| Internal::BadRow(format!("image {}: no manifest", image.id)))?;
    Ok((image, manifest))
}

/// The entity tag of a disk. Disks with the same tag have the same content.
pub(crate) fn etag(manifest: &str) -> Result<HeaderValue, Internal> {
    let bad = |_| Internal::BadRow(format!("manifest {manifest}"));
    HeaderValue::try_from(format!("\"{manifest}\"")).map_err(bad)
}

/// Whether the image was made successfully, whatever its status is now.
fn has_disk(image: &Image) -> bool {
    match image.status {
        ImageStatus::Making | ImageStatus::UnAvailable => false,
        ImageStatus::Available | ImageStatus::Reviewing | ImageStatus::Offline => true,
    }
}

/// Whether the image has a price and the account sees it only in the community. The server cannot charge, so it does not
/// send the disk.
async fn requires_payment(context: &Context, account: AccountId, image: &Image) -> Result<bool, Error> {
    if image.price_cents == 0 || image.account == account || image.account == AccountId::PLATFORM {
        return Ok(false);
    }
    Ok(context.library.catalog.image(Scope::shared_with(account), &image.id).await?.is_none())
}

/// Answers `GET` and `HEAD` of a download link.
pub(crate) async fn serve(State(context): State<Arc<Context>>, request: Parts) -> Response {
    let request_id = request_id(&*context.library.random);
    match answer(&context, &request, &request_id).await {
        Ok(response) => response,
        Err(error) => reply::failure(&error, "download", &request_id),
    }
}

async fn answer(context: &Context, request: &Parts, request_id: &str) -> Result<Response, Error> {
    let links = context.library.keyring();
    let link = DownloadLink::check(&request.uri, links, context.library.clock.now());
    let link = link.map_err(|BadLink| Error::BadLink)?;
    let not_found = || Error::ResourceNotFound(link.image_id.clone());
    let (image, manifest) = match find(context, AccountId(link.account), &link.image_id).await {
        Ok(found) => found,
        // The disk was available when the link was made.
        Err(Error::ImageNotAvailable(_)) => return Err(not_found()),
        Err(error) => return Err(error),
    };
    if manifest != link.manifest {
        return Err(not_found());
    }
    let etag = etag(&manifest)?;
    if request.method == Method::HEAD {
        // HEAD reads a row, not the store.
        let length = u64::try_from(image.size_bytes).unwrap_or(0);
        return Ok(disk_response(request_id, &image.id, &etag, length, Body::empty()));
    }
    let permit = Permit::take(&context.library, &context.limits.exports, AccountId(link.account)).await?;
    let disk =
        transfer::open(&context.library.store, &context.manifests, image.id.clone(), &manifest).await?;
    let length = disk.length();
    let (part, is_whole) = match range::range_request(&request.headers, &etag, length) {
        RangeRequest::Whole => (0..length, true),
        RangeRequest::Part(part) => (part, false),
        RangeRequest::Unsatisfiable => {
            let mut response = reply::refusal(None, &Error::not_available("Range"), request_id);
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            set(response.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{length}"));
            return Ok(response);
        }
    };
    let body = disk.read(part.clone(), permit).await?;
    let mut response = disk_response(request_id, &image.id, &etag, part.end - part.start, body);
    if !is_whole {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let content_range = format!("bytes {}-{}/{length}", part.start, part.end - 1);
        set(response.headers_mut(), header::CONTENT_RANGE, &content_range);
    }
    Ok(response)
}

fn disk_response(request_id: &str, image_id: &str, etag: &HeaderValue, length: u64, body: Body) -> Response {
    let mut response = reply::file(request_id, length, body);
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag.clone());
    set(headers, header::ACCEPT_RANGES, "bytes");
    // Link and disk are private: proxies must not cache them.
    set(headers, header::CACHE_CONTROL, "private, no-store");
    set(headers, header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{image_id}.raw\""));
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    headers.insert(name, HeaderValue::from_str(value).expect("numbers and ids are ASCII"));
}
