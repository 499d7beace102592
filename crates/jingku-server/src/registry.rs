//! The read side of the OCI Distribution specification: engines pull images of containers from here.
//!
//! A repository is `ACCOUNT/NAME`, with the number of the owner's account: see [`Repository`]. Specification:
//! opencontainers/distribution-spec, version 1.1. docs/wire/registry.md describes what is served.

mod access;
mod error;
mod repository;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use jingku_catalog::{AccountId, ContainerImage, ImageKey, Scope};
use jingku_library::{Credentials, Internal, request_id};
use jingku_sources::oci::{CONFIG_TYPE, MANIFEST_TYPE, OciImage};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::json;

use crate::context::Context;
use crate::download;
use crate::download::range::{RangeRequest, range_request};
use crate::error::Error;
use crate::transfer::{self, Permit};
use error::RegistryError;
pub(crate) use repository::Repository;

/// The media type of a list of referrers, which is always empty here.
const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
/// The media type of other blobs.
const BLOB_TYPE: &str = "application/octet-stream";
/// The most repositories in an answer, and how many if the client does not say.
const REPOSITORIES_MAX: u32 = 100;

/// How much of a list a client wants.
#[derive(Deserialize)]
pub(crate) struct ListQuery {
    n: Option<u32>,
    #[serde(default)]
    last: String,
}

/// Answers `GET` and `HEAD` of `/v2/token`.
pub(crate) async fn token(State(context): State<Arc<Context>>, request: Parts) -> Response {
    let request_id = request_id(&*context.library.random);
    let answer = access::token(&context, &request).await.map(|token| Json(token).into_response());
    finish(answer, &context, &request_id)
}

/// Answers `GET` and `HEAD` of every other path below `/v2/`.
pub(crate) async fn serve(
    State(context): State<Arc<Context>>,
    query: Result<Query<ListQuery>, QueryRejection>,
    request: Parts,
) -> Response {
    let request_id = request_id(&*context.library.random);
    let answer = answer(&context, query.ok().map(|Query(query)| query), &request).await;
    finish(answer, &context, &request_id)
}

/// The part of a path below `/v2/`; `None` if it is not UTF-8.
fn path_below(uri: &Uri) -> Option<String> {
    let path = uri.path().strip_prefix("/v2").unwrap_or_default();
    let path = percent_decode_str(path.strip_prefix('/').unwrap_or(path)).decode_utf8();
    path.ok().map(Into::into)
}

/// Adds the headers that every answer has.
fn finish(answer: Result<Response, RegistryError>, context: &Context, request_id: &str) -> Response {
    let mut response =
        answer.unwrap_or_else(|error| error.response(&context.link_url("/v2/token"), request_id));
    let headers = response.headers_mut();
    let version = HeaderName::from_static("docker-distribution-api-version");
    headers.insert(version, HeaderValue::from_static("registry/2.0"));
    let request_id = HeaderValue::from_str(request_id).expect("a UUID is ASCII");
    headers.insert(HeaderName::from_static("x-ucloud-request-uuid"), request_id);
    response
}

async fn answer(
    context: &Context,
    list: Option<ListQuery>,
    request: &Parts,
) -> Result<Response, RegistryError> {
    let caller = access::caller(context, request).await?;
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return Err(RegistryError::Unsupported);
    }
    let path = path_below(&request.uri).ok_or(RegistryError::NameUnknown)?;
    if path.is_empty() {
        return Ok(Json(json!({})).into_response());
    }
    if path == "_catalog" {
        return catalog(context, &caller, &list.ok_or(RegistryError::PaginationInvalid)?).await;
    }
    let (head, reference) = path.rsplit_once('/').ok_or(RegistryError::NameUnknown)?;
    let (name, kind) = head.rsplit_once('/').ok_or(RegistryError::NameUnknown)?;
    let image = find(context, &caller, name).await?;
    match kind {
        "manifests" => manifest(&image, reference, &request.method),
        "blobs" => blob(context, &caller, &image, reference, &request.method, &request.headers).await,
        "tags" if reference == "list" => {
            Ok(tags(&image, name, &list.ok_or(RegistryError::PaginationInvalid)?))
        }
        "referrers" => Ok(referrers()),
        _ => Err(RegistryError::NameUnknown),
    }
}

/// An image of a container that the caller can see.
struct Found {
    row: ContainerImage,
    oci: OciImage,
}

impl Found {
    /// In the order of the specification.
    fn tags(&self) -> BTreeSet<&str> {
        let version = Some(&*self.row.version_name).filter(|version| repository::is_tag(version));
        std::iter::once("latest").chain(version).collect()
    }
}

async fn find(context: &Context, caller: &Credentials, name: &str) -> Result<Found, RegistryError> {
    let repository = Repository::parse(name).ok_or(RegistryError::NameUnknown)?;
    let id = repository.image_id();
    let key = id.as_deref().map_or(ImageKey::Name(repository.name), ImageKey::Id);
    let scope = Scope::visible_to(caller.account.id);
    let row = context.library.catalog.container_image(scope, AccountId(repository.account), key).await?;
    let row = row.ok_or(RegistryError::NameUnknown)?;
    // A pull needs the same access as a download.
    match download::find(context, caller.account.id, &row.image_id).await {
        Ok(_) => {}
        Err(Error::ImageNotAvailable(_)) => return Err(RegistryError::Denied),
        Err(Error::ResourceNotFound(_)) => return Err(RegistryError::NameUnknown),
        Err(error) => return Err(error.into()),
    }
    let oci = serde_json::from_str(&row.oci)
        .map_err(|error| Internal::BadRow(format!("documents of image {}: {error}", row.image_id)))?;
    Ok(Found { row, oci })
}

fn manifest(image: &Found, reference: &str, method: &Method) -> Result<Response, RegistryError> {
    let digest = image.oci.digest();
    if reference != digest && !image.tags().contains(reference) {
        return Err(RegistryError::ManifestUnknown);
    }
    Ok(document(&image.oci.manifest, MANIFEST_TYPE, &digest, method))
}

fn tags(image: &Found, name: &str, list: &ListQuery) -> Response {
    let limit = list.n.map_or(usize::MAX, |limit| limit as usize);
    let tags: Vec<&str> = image.tags().into_iter().filter(|tag| *tag > &*list.last).take(limit).collect();
    Json(json!({ "name": name, "tags": tags })).into_response()
}

async fn blob(
    context: &Context,
    caller: &Credentials,
    image: &Found,
    digest: &str,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, RegistryError> {
    if digest == image.oci.config_digest() {
        return Ok(document(&image.oci.config, CONFIG_TYPE, digest, method));
    }
    let layer = &image.oci.layer;
    if digest != layer.digest {
        return Err(RegistryError::BlobUnknown);
    }
    let etag = HeaderValue::from_str(&format!("\"{digest}\"")).map_err(|_| RegistryError::BlobUnknown)?;
    let range =
        if *method == Method::HEAD { RangeRequest::Whole } else { range_request(headers, &etag, layer.size) };
    let part = match range {
        RangeRequest::Whole => 0..layer.size,
        RangeRequest::Part(ref part) => part.clone(),
        RangeRequest::Unsatisfiable => return Err(RegistryError::RangeInvalid(layer.size)),
    };
    let length = part.end - part.start;
    let body = if *method == Method::HEAD {
        // HEAD reads a row, not the store.
        Body::empty()
    } else {
        let permit = Permit::take(&context.library, &context.limits.exports, caller.account.id).await?;
        let (store, manifests) = (&context.library.store, &context.manifests);
        let layer = transfer::open(store, manifests, image.row.image_id.clone(), &image.row.manifest).await?;
        layer.read(part.clone(), permit).await?
    };
    let mut response = content(body, BLOB_TYPE, digest, length);
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let RangeRequest::Part(part) = range {
        let range = format!("bytes {}-{}/{}", part.start, part.end - 1, layer.size);
        headers.insert(header::CONTENT_RANGE, text(&range));
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    Ok(response)
}

/// Lists the caller's own repositories.
async fn catalog(
    context: &Context,
    caller: &Credentials,
    list: &ListQuery,
) -> Result<Response, RegistryError> {
    let limit = list.n.unwrap_or(REPOSITORIES_MAX).min(REPOSITORIES_MAX);
    let account = caller.account.id;
    let by_id = Repository::parse(&list.last).and_then(|repository| repository.image_id());
    let after = match by_id {
        Some(id) => id,
        None if list.last.is_empty() => String::new(),
        None => match find(context, caller, &list.last).await {
            Ok(image) => image.row.image_id,
            Err(RegistryError::NameUnknown) => return Err(RegistryError::PaginationInvalid),
            Err(error) => return Err(error),
        },
    };
    let images = context.library.catalog.container_images(account, &after, limit).await?;
    let names: Vec<String> =
        images.iter().map(|image| Repository::of(account.0, &image.name, &image.image_id)).collect();
    let final_image = images.last().filter(|_| images.len() == limit as usize);
    // By its id, which keeps its place in the order when the image is deleted.
    let link = final_image.map(|image| {
        let id = image.image_id.to_ascii_lowercase();
        format!("</v2/_catalog?n={limit}&last={}%2F{id}>; rel=\"next\"", account.0)
    });
    let mut response = Json(json!({ "repositories": names })).into_response();
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, text(&link));
    }
    Ok(response)
}

/// Images here have no signatures or other attachments.
fn referrers() -> Response {
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [] });
    let mut response = Json(index).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(INDEX_TYPE));
    response
}

fn document(content_text: &str, media_type: &'static str, digest: &str, method: &Method) -> Response {
    let length = content_text.len() as u64;
    let body = if *method == Method::HEAD { Body::empty() } else { content_text.to_owned().into() };
    content(body, media_type, digest, length)
}

fn content(body: Body, media_type: &'static str, digest: &str, length: u64) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(HeaderName::from_static("docker-content-digest"), text(digest));
    // Images are private: proxies must not keep them.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}

fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).expect("digests, numbers and repository names are ASCII")
}
