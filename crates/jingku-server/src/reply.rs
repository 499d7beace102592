//! HTTP responses: replies of actions, files, refusals.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use jingku_protocol::actions::Action;
use jingku_protocol::{Class, NameRefusal, ParamError};
use serde::Serialize;

use crate::error::Error;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// The reply of a successful action.
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
    /// Serialises a response object.
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

/// Builds the response of a successful call.
pub(crate) fn success(action: Action, reply: Reply, request_id: &str) -> Response {
    match reply {
        Reply::Object(members) => {
            let mut json = Vec::with_capacity(members.len() + 128);
            json.extend_from_slice(b"{\"Action\":\"");
            json.extend_from_slice(action.name().as_bytes());
            json.extend_from_slice(b"Response\",\"RetCode\":0,\"request_uuid\":\"");
            json.extend_from_slice(request_id.as_bytes());
            json.push(b'"');
            if members.len() > "{}".len() {
                json.push(b',');
            }
            json.extend_from_slice(&members[1..]);
            response(StatusCode::OK, request_id, JSON, Body::from(json))
        }
        Reply::File { length, etag, body } => {
            let octets = HeaderValue::from_static("application/octet-stream");
            let mut response = file(request_id, octets, length, body);
            response.headers_mut().insert(header::ETAG, etag);
            response
        }
    }
}

/// Builds the response with a file of `length` bytes.
pub(crate) fn file(request_id: &str, content_type: HeaderValue, length: u64, body: Body) -> Response {
    let mut response = response(StatusCode::OK, request_id, content_type, body);
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// Builds the refusal of a request that is no API call. SDKs do not send these, so the HTTP status tells the error.
pub(crate) fn failure(status: StatusCode, error: &Error, request_id: &str) -> Response {
    let mut response = refusal(None, error, request_id);
    *response.status_mut() = status;
    response
}

/// The HTTP status of a refused request that is no API call.
pub(crate) fn status(error: &Error) -> StatusCode {
    match error.ret_code().class() {
        Class::FixRequest => StatusCode::BAD_REQUEST,
        Class::FixCredentials => StatusCode::FORBIDDEN,
        Class::LookAgain => StatusCode::NOT_FOUND,
        Class::AskAgainLater => StatusCode::SERVICE_UNAVAILABLE,
        Class::ServiceFault => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Builds the response of a refused call. The status is 200 for every request that was decoded: SDKs discard the body,
/// with code and message, of any other.
pub(crate) fn refusal(action: Option<Action>, error: &Error, request_id: &str) -> Response {
    let name = error.name_refusal().or_else(|| invalid_name(action?, error));
    let mut response = refused(action, error.ret_code().code(), &error.message(), name.as_ref(), request_id);
    *response.status_mut() = match error {
        Error::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Error::BodyIncomplete => StatusCode::REQUEST_TIMEOUT,
        _ => StatusCode::OK,
    };
    response
}

/// The refusal of an invalid image name by an action that sets one.
fn invalid_name(action: Action, error: &Error) -> Option<NameRefusal> {
    let Error::Param(ParamError::NotAvailable(param)) = error else { return None };
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
    let json = serde_json::to_vec(&Refusal { action, ret_code, message, name, request_id });
    response(StatusCode::OK, request_id, JSON, Body::from(json.expect("a refusal serialises")))
}

/// Builds the response to an HTTP method that the API does not support.
pub(crate) fn method_not_allowed(request_id: &str) -> Response {
    let json = format!(r#"{{"RetCode":230,"Message":"Send GET or POST","request_uuid":"{request_id}"}}"#);
    let mut response = response(StatusCode::METHOD_NOT_ALLOWED, request_id, JSON, Body::from(json));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, POST"));
    response
}

fn response(status: StatusCode, request_id: &str, content_type: HeaderValue, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(
        header::HeaderName::from_static("x-ucloud-request-uuid"),
        HeaderValue::from_str(request_id).expect("a UUID is ASCII"),
    );
    response
}
