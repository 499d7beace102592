//! Giving the disk of an image to whoever may have it: by a call, or by a link that a call answered.

mod range;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use jingku_catalog::{AccountId, Image, ImageStatus, Scope};
use jingku_library::{Internal, request_id};

use crate::context::Context;
use crate::error::Error;
use crate::link::{BadLink, Link};
use crate::reply;
use crate::transfer;
use range::RangeRequest;

/// Finds an image whose disk the account may have, and the manifest that it is.
///
/// Refuses with `ResourceNotFound` what the account does not see, and with `ImageNotAvailable` what has no bits or
/// would have to be paid.
pub(crate) async fn find(
    context: &Context,
    account: AccountId,
    image_id: &str,
) -> Result<(Image, String), Error> {
    let image = context.catalog.image(Scope::visible_to(account), image_id).await?;
    let mut image = image.ok_or_else(|| Error::ResourceNotFound(image_id.to_owned()))?;
    if !has_bits(&image) || has_to_be_paid(context, account, &image).await? {
        return Err(Error::ImageNotAvailable(image_id.to_owned()));
    }
    let manifest = image.manifest.take();
    let manifest = manifest.ok_or_else(|| Internal::BadRow(format!("image {}: no manifest", image.id)))?;
    Ok((image, manifest))
}

/// The tag of a disk: two with the same are the same.
pub(crate) fn etag(manifest: &str) -> Result<HeaderValue, Internal> {
    let bad = |_| Internal::BadRow(format!("manifest {manifest}"));
    HeaderValue::try_from(format!("\"{manifest}\"")).map_err(bad)
}

/// Whether the making of an image has come to a good end, whatever became of it since.
fn has_bits(image: &Image) -> bool {
    match image.status {
        ImageStatus::Making | ImageStatus::UnAvailable => false,
        ImageStatus::Available | ImageStatus::Reviewing | ImageStatus::Offline => true,
    }
}

/// Whether an image costs something and the account has it from the community only: nobody could charge for it here,
/// so its bits are not given away.
async fn has_to_be_paid(context: &Context, account: AccountId, image: &Image) -> Result<bool, Error> {
    if image.price_cents == 0 || image.account == account || image.account == AccountId::PLATFORM {
        return Ok(false);
    }
    Ok(context.catalog.image(Scope::shared_with(account), &image.id).await?.is_none())
}

/// Answers `GET` and `HEAD` of a link to a disk.
pub(crate) async fn serve(
    State(context): State<Arc<Context>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let request_id = request_id(&*context.random);
    match answer(&context, &method, &uri, &headers, &request_id).await {
        Ok(response) => response,
        Err(error) => {
            if let Error::Internal(inside) = &error {
                let inside = inside as &dyn std::error::Error;
                tracing::error!(request_id, error = inside, "a download failed");
            }
            reply::failure(reply::status(&error), &error, &request_id)
        }
    }
}

async fn answer(
    context: &Context,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    request_id: &str,
) -> Result<Response, Error> {
    let links = context.keyring().links();
    let link = Link::check(uri, links, context.clock.now());
    let link = link.map_err(|BadLink| Error::BadLink)?;
    let gone = || Error::ResourceNotFound(link.image_id.clone());
    let (image, manifest) = match find(context, AccountId(link.account), &link.image_id).await {
        Ok(found) => found,
        // What was to be had when the link was made and is not any more is gone for its bearer.
        Err(Error::ImageNotAvailable(_)) => return Err(gone()),
        Err(error) => return Err(error),
    };
    if manifest != link.manifest {
        return Err(gone());
    }
    let etag = etag(&manifest)?;
    if *method == Method::HEAD {
        // No store is asked: HEAD costs a row.
        let length = u64::try_from(image.size_bytes).unwrap_or(0);
        return Ok(whole(request_id, &image.id, &etag, length, Body::empty()));
    }
    let slot = context.limits.exports.take(AccountId(link.account))?;
    let disk = transfer::open(&context.store, &context.manifests, image.id.clone(), &manifest).await?;
    let length = disk.length();
    match range::range_request(headers, &etag, length) {
        RangeRequest::Whole => {
            let body = disk.read(0..length, slot).await?;
            Ok(whole(request_id, &image.id, &etag, length, body))
        }
        RangeRequest::Part(part) => {
            let told = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            let body = disk.read(part.clone(), slot).await?;
            let mut response = whole(request_id, &image.id, &etag, part.end - part.start, body);
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            set(response.headers_mut(), header::CONTENT_RANGE, &told);
            Ok(response)
        }
        RangeRequest::Nothing => {
            let error = Error::not_available("Range");
            let mut response = reply::failure(StatusCode::RANGE_NOT_SATISFIABLE, &error, request_id);
            set(response.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{length}"));
            Ok(response)
        }
    }
}

fn whole(request_id: &str, image_id: &str, etag: &HeaderValue, length: u64, body: Body) -> Response {
    let octets = HeaderValue::from_static("application/octet-stream");
    let mut response = reply::file(request_id, octets, length, body);
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag.clone());
    set(headers, header::ACCEPT_RANGES, "bytes");
    // The link is a secret and the disk is somebody's own: no cache on the way keeps them.
    set(headers, header::CACHE_CONTROL, "private, no-store");
    set(headers, header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{image_id}.raw\""));
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    headers.insert(name, HeaderValue::from_str(value).expect("numbers and ids are ASCII"));
}
