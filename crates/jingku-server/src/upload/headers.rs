//! The headers of an upload.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use jingku_catalog::Upload;
use jingku_protocol::{HashKind, ParamError};

use crate::reply;

/// Number of bytes received; in a request, where its bytes start.
pub(super) const UPLOAD_OFFSET: &str = "Upload-Offset";
/// Length of the file.
pub(super) const UPLOAD_LENGTH: &str = "Upload-Length";
/// Hash of the received bytes; at the end, of the file.
pub(super) const UPLOAD_BLAKE3: &str = "Upload-Blake3";
/// Kind of the hash.
pub(super) const UPLOAD_HASH: &str = "Upload-Hash";
/// Number of zeros to append instead of a body.
pub(super) const UPLOAD_ZEROS: &str = "Upload-Zeros";

pub(super) fn number(headers: &HeaderMap, name: &str) -> Result<u64, ParamError> {
    let value = headers.get(name).ok_or_else(|| ParamError::Missing(name.to_owned()))?;
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| ParamError::NotAvailable(name.to_owned()))
}

/// Returns the kind of hash of a request and its response: the kind agreed before, else the one comparable with a declared
/// hash, else the requested one.
pub(super) fn hash_kind(headers: &HeaderMap, upload: &Upload) -> Result<HashKind, ParamError> {
    let requested = requested_kind(headers)?;
    Ok(match (&upload.sparse_hash, &upload.blake3) {
        (Some(_), _) => HashKind::Sparse,
        (None, Some(_)) => HashKind::Plain,
        (None, None) => requested,
    })
}

pub(super) fn requested_kind(headers: &HeaderMap) -> Result<HashKind, ParamError> {
    let Some(value) = headers.get(UPLOAD_HASH) else { return Ok(HashKind::default()) };
    let kind = value.to_str().ok().and_then(HashKind::from_name);
    kind.ok_or_else(|| ParamError::NotAvailable(UPLOAD_HASH.to_owned()))
}

/// A response with the number of received bytes.
pub(super) fn response(
    request_id: &str,
    status: StatusCode,
    received_bytes: u64,
    kind: HashKind,
) -> Response {
    let mut response = reply::response(status, request_id, Body::empty());
    let headers = response.headers_mut();
    if status != StatusCode::NO_CONTENT {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(0));
    }
    headers.insert(UPLOAD_OFFSET, HeaderValue::from(received_bytes));
    headers.insert(UPLOAD_HASH, HeaderValue::from_static(kind.name()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(super) fn set_hash(headers: &mut HeaderMap, hash: &str) {
    headers.insert(UPLOAD_BLAKE3, HeaderValue::from_str(hash).expect("a hash is ASCII"));
}
