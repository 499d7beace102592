//! From an outcome to the bytes of an HTTP response.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use jingku_protocol::actions::Action;
use jingku_protocol::{Class, NameRefusal, ParamError};
use serde::Serialize;

use crate::error::Error;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// What a successful action answers with.
pub(crate) enum Reply {
    /// A JSON object, serialised, without the members that every reply has.
    Object(Bytes),
    /// A file of known length.
    File {
        /// Bytes.
        length: u64,
        /// Names its content: two files of one tag are the same.
        etag: HeaderValue,
        /// The file.
        body: Body,
    },
}

impl Reply {
    /// Serialises a response object.
    pub(crate) fn object<T: Serialize>(response: &T) -> Self {
        // Response types hold text, numbers and lists of these: serialising them cannot fail.
        Self::Object(serde_json::to_vec(response).expect("response types serialise").into())
    }
}

/// Builds the response of a call that was carried out.
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

/// Builds a response that is a file of `length` bytes.
pub(crate) fn file(request_id: &str, content_type: HeaderValue, length: u64, body: Body) -> Response {
    let mut response = response(StatusCode::OK, request_id, content_type, body);
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// Builds the response of a request that was no call. No SDK sends one, so HTTP may say that it failed.
pub(crate) fn failure(status: StatusCode, error: &Error, request_id: &str) -> Response {
    let mut response = refusal(None, error, request_id);
    *response.status_mut() = status;
    response
}

/// The HTTP status of a refusal where HTTP may say that it is one.
pub(crate) fn status(error: &Error) -> StatusCode {
    match error.ret_code().class() {
        Class::FixRequest => StatusCode::BAD_REQUEST,
        Class::FixCredentials => StatusCode::FORBIDDEN,
        Class::LookAgain => StatusCode::NOT_FOUND,
        Class::AskAgainLater => StatusCode::SERVICE_UNAVAILABLE,
        Class::ServiceFault => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Builds the response of a call that was refused. HTTP 200 for every request that could be read: SDKs throw the body
/// of any other away, and with it code and message.
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

/// A name that was refused as it is, by an action that gives an image one.
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

/// Builds a refusal of any code and text.
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
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        holder: Option<&'a str>,
        #[serde(rename = "request_uuid")]
        request_id: &'a str,
    }
    let action = action.map(|action| format!("{}Response", action.name()));
    let (reason, holder) = (name.map(NameRefusal::reason), name.and_then(NameRefusal::holder));
    let json = serde_json::to_vec(&Refusal { action, ret_code, message, reason, holder, request_id });
    response(StatusCode::OK, request_id, JSON, Body::from(json.expect("a refusal serialises")))
}

/// Builds the answer to an HTTP method that the API does not use.
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
