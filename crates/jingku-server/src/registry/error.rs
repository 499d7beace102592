//! Errors as the distribution specification spells them.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jingku_catalog::CatalogError;
use jingku_library::Internal;
use serde_json::json;

use crate::error::Error;

/// Why a request for an image is refused.
#[derive(Debug)]
pub(super) enum RegistryError {
    /// The caller gave no credentials, or they are wrong or revoked.
    Unauthorized,
    /// The caller may see the image but not have it, or the key may not be used from its address.
    Denied,
    /// There is no such repository, or the caller may not see it.
    NameUnknown,
    /// The repository has no such tag or digest.
    ManifestUnknown,
    /// The repository has no such blob.
    BlobUnknown,
    /// The range is past the end of a blob of this size.
    RangeInvalid(u64),
    /// The list cannot be continued after this name.
    PaginationInvalid,
    /// Only pulling is possible.
    Unsupported,
    /// Another error of the server.
    Other(Error),
}

impl From<Error> for RegistryError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<Internal> for RegistryError {
    fn from(error: Internal) -> Self {
        Self::Other(error.into())
    }
}

impl From<CatalogError> for RegistryError {
    fn from(error: CatalogError) -> Self {
        Self::Other(error.into())
    }
}

impl RegistryError {
    /// Answers and logs it. `realm` is where tokens come from.
    pub(super) fn response(self, realm: &str, request_id: &str) -> Response {
        let text;
        let (status, code, message) = match &self {
            Self::Unauthorized => {
                (StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "sign in with a public key and its private key")
            }
            Self::Denied => (StatusCode::FORBIDDEN, "DENIED", "this image cannot be pulled with this key"),
            Self::NameUnknown => (StatusCode::NOT_FOUND, "NAME_UNKNOWN", "there is no such image"),
            Self::ManifestUnknown => {
                (StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "the image has no such tag or digest")
            }
            Self::BlobUnknown => (StatusCode::NOT_FOUND, "BLOB_UNKNOWN", "the image has no such blob"),
            Self::RangeInvalid(_) => {
                (StatusCode::RANGE_NOT_SATISFIABLE, "RANGE_INVALID", "the range is past the end of the blob")
            }
            Self::PaginationInvalid => (
                StatusCode::BAD_REQUEST,
                "PAGINATION_NUMBER_INVALID",
                "the list has no such name to continue after",
            ),
            Self::Unsupported => {
                (StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "images can be pulled from here, not pushed")
            }
            Self::Other(error) => {
                error.log(request_id, Some("registry"));
                text = error.to_string();
                match error.ret_code().class() {
                    // Of limits, only that of transfers is checked here.
                    _ if matches!(error, Error::OverLimit(_)) => {
                        (StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", text.as_str())
                    }
                    jingku_protocol::Class::AskAgainLater => {
                        (StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", text.as_str())
                    }
                    _ => (StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", text.as_str()),
                }
            }
        };
        let errors = json!({ "errors": [{ "code": code, "message": message }] });
        let mut response = (status, Json(errors)).into_response();
        let challenge = match self {
            Self::Unauthorized => {
                Some((header::WWW_AUTHENTICATE, format!("Bearer realm=\"{realm}\",service=\"jingku\"")))
            }
            Self::RangeInvalid(size) => Some((header::CONTENT_RANGE, format!("bytes */{size}"))),
            _ => None,
        };
        if let Some((name, value)) = challenge
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
