//! HTTP responses: replies of actions, files, refusals.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use jingku_catalog::Limit;
use jingku_protocol::actions::Action;
use jingku_protocol::{Class, NameRefusal, ParamError, RetCode};
use serde::Serialize;

use crate::error::Error;

pub(crate) enum Reply {
    /// A serialised JSON object without the members of every reply.
    Object(Bytes),
    /// A file of known length.
    File {
        /// In bytes.
        length: u64,
        /// Files with the same tag have the same content.
        etag: HeaderValue,
        body: Body,
    },
}

impl Reply {
    pub(crate) fn object<T: Serialize>(response: &T) -> Self {
        // Response types contain text, numbers and lists: serialising them cannot fail.
        Self::Object(serde_json::to_vec(response).expect("response types serialise").into())
    }
}

impl<T: Serialize> From<T> for Reply {
    fn from(response: T) -> Self {
        Self::object(&response)
    }
}

/// Builds a response without headers but the request id.
pub(crate) fn response(status: StatusCode, request_id: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let request_id = HeaderValue::from_str(request_id).expect("a UUID is ASCII");
    response.headers_mut().insert(HeaderName::from_static("x-ucloud-request-uuid"), request_id);
    response
}

pub(crate) fn json(request_id: &str, json: Body) -> Response {
    let mut response = response(StatusCode::OK, request_id, json);
    let media_type = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    response
}

/// Builds the response with a file of `length` bytes.
pub(crate) fn file(request_id: &str, length: u64, body: Body) -> Response {
    let mut response = response(StatusCode::OK, request_id, body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// Logs and answers the failure of a request that is no API call. SDKs do not send these, so the HTTP status tells the
/// error.
pub(crate) fn failure(error: &Error, request: &str, request_id: &str) -> Response {
    error.log(request_id, Some(request));
    let mut response = refusal(None, error, request_id);
    *response.status_mut() = match error {
        Error::UploadOffset { .. } | Error::UploadBusy(_) => StatusCode::CONFLICT,
        Error::UploadTooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Error::UploadDiffers(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::OverLimit(over) if over.limit == Limit::Transfers => StatusCode::TOO_MANY_REQUESTS,
        Error::DataFolderFull { .. } | Error::OverLimit(_) | Error::OverUploadShare => {
            StatusCode::INSUFFICIENT_STORAGE
        }
        Error::BodyIncomplete => StatusCode::REQUEST_TIMEOUT,
        error => match error.ret_code().class() {
            Class::FixRequest => StatusCode::BAD_REQUEST,
            Class::FixCredentials => StatusCode::FORBIDDEN,
            Class::LookAgain => StatusCode::NOT_FOUND,
            Class::AskAgainLater => StatusCode::SERVICE_UNAVAILABLE,
            Class::ServiceFault => StatusCode::INTERNAL_SERVER_ERROR,
        },
    };
    response
}

/// Builds the response of a refused call. The status is 200 for every request that was decoded: SDKs discard the body,
/// with code and message, of any other.
pub(crate) fn refusal(action: Option<Action>, error: &Error, request_id: &str) -> Response {
    let name = action.and_then(|action| name_refusal(action, error));
    let message = error.to_string();
    let mut response = refused(action, error.ret_code().code(), &message, name.as_ref(), request_id);
    *response.status_mut() = match error {
        Error::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Error::BodyIncomplete => StatusCode::REQUEST_TIMEOUT,
        _ => StatusCode::OK,
    };
    response
}

/// Why an action that sets the name of an image refuses it: an extension of the reply.
fn name_refusal(action: Action, error: &Error) -> Option<NameRefusal> {
    let param = match error {
        Error::NameTaken { refusal, .. } => return refusal.clone(),
        Error::Param(ParamError::NotAvailable(param)) => param,
        _ => return None,
    };
    let is_name = match action {
        Action::CreateCompShareCustomImage
        | Action::ImportCompShareCustomImage
        | Action::UpdateCompShareImage => param == "Name",
        Action::CopyCompShareCustomImage | Action::SyncCompShareCustomImage => param == "TargetImageName",
        _ => false,
    };
    is_name.then_some(NameRefusal::Invalid)
}

/// Builds a refusal with any code and message.
pub(crate) fn refused(
    action: Option<Action>,
    ret_code: i64,
    message: &str,
    name: Option<&NameRefusal>,
    request_id: &str,
) -> Response {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Refusal<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        action: Option<String>,
        ret_code: i64,
        message: &'a str,
        #[serde(flatten)]
        name: Option<&'a NameRefusal>,
        #[serde(rename = "request_uuid")]
        request_id: &'a str,
    }
    let action = action.map(|action| format!("{}Response", action.name()));
    let refusal = Refusal { action, ret_code, message, name, request_id };
    json(request_id, serde_json::to_vec(&refusal).expect("a refusal serialises").into())
}

/// Builds the response to an HTTP method that the API does not support.
pub(crate) fn method_not_allowed(request_id: &str) -> Response {
    let code = RetCode::ParamNotAvailable.code();
    let mut response = refused(None, code, "Send GET or POST", None, request_id);
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
    response
}
