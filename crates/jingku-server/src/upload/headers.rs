//! The headers of an upload.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use jingku_catalog::Upload;
use jingku_protocol::{HashKind, ParamError};

use crate::reply;

/// Number of bytes received; in a request, where its bytes start.
pub(super) const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
/// Length of the file.
pub(super) const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
/// Hash of the received bytes; at the end, of the file.
pub(super) const UPLOAD_BLAKE3: HeaderName = HeaderName::from_static("upload-blake3");
/// Kind of the hash.
pub(super) const UPLOAD_HASH: HeaderName = HeaderName::from_static("upload-hash");
/// Number of zeros to append instead of a body.
pub(super) const UPLOAD_ZEROS: HeaderName = HeaderName::from_static("upload-zeros");

/// Reads a number from a header.
pub(super) fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64, ParamError> {
    let name_shown = || match name.as_str() {
        "upload-offset" => "Upload-Offset".to_owned(),
        "upload-length" => "Upload-Length".to_owned(),
        "upload-zeros" => "Upload-Zeros".to_owned(),
        other => other.to_owned(),
    };
    let value = headers.get(name).ok_or_else(|| ParamError::Missing(name_shown()))?;
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| ParamError::NotAvailable(name_shown()))
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

/// Reads the requested kind of hash.
pub(super) fn requested_kind(headers: &HeaderMap) -> Result<HashKind, ParamError> {
    let Some(value) = headers.get(&UPLOAD_HASH) else { return Ok(HashKind::default()) };
    let kind = value.to_str().ok().and_then(HashKind::from_name);
    kind.ok_or_else(|| ParamError::NotAvailable("Upload-Hash".to_owned()))
}

/// A response with the number of received bytes.
pub(super) fn response(
    request_id: &str,
    status: StatusCode,
    received_bytes: u64,
    kind: HashKind,
) -> Response {
    let content_type = HeaderValue::from_static("application/octet-stream");
    let mut response = reply::file(request_id, content_type, 0, Body::empty());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if status == StatusCode::NO_CONTENT {
        headers.remove(header::CONTENT_LENGTH);
    }
    headers.insert(UPLOAD_OFFSET, HeaderValue::from(received_bytes));
    headers.insert(UPLOAD_HASH, HeaderValue::from_static(kind.name()));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Adds a hash.
pub(super) fn set_hash(headers: &mut HeaderMap, hash: &str) {
    headers.insert(UPLOAD_BLAKE3, HeaderValue::from_str(hash).expect("a hash is ASCII"));
}
