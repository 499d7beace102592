//! One request and its response on a connection: refusals before routing, and when each body ends.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Incoming};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use super::connection::Connection;
use super::health::{HEALTH, READINESS};

/// Bytes of an upload are not counted as held: its handler limits them.
const UPLOADS: &str = "/uploads/";

pub(super) async fn answer(
    router: TowerToHyperService<Router>,
    connection: Arc<Connection>,
    peer: SocketAddr,
    request: hyper::Request<Incoming>,
) -> Result<Response<impl HttpBody<Data = Bytes, Error = axum::Error>>, Infallible> {
    let path = request.uri().path();
    let is_health = [HEALTH, READINESS].contains(&path.trim_end_matches('/'));
    let has_body = !request.body().is_end_stream() && !path.starts_with(UPLOADS);
    let ambiguous = connection.begin(has_body);
    let end = End(Arc::clone(&connection), Connection::end);
    let refusal = refusal(request.headers(), ambiguous);
    let response = if let Some((status, text)) = refusal {
        refuse(status, text)
    } else if connection.reserved && !is_health {
        refuse(StatusCode::SERVICE_UNAVAILABLE, "All connections are in use; send the request again\n")
    } else {
        let body_end = End(connection, Connection::end_body);
        let mut request: Request = request.map(|body| Body::new(holding(body_end, body)));
        // The gateway checks it: a key can be restricted by IP address.
        request.extensions_mut().insert(ConnectInfo(peer));
        router.call(request).await?
    };
    Ok(response.map(|body| holding(end, body)))
}

/// A body that drops `held` at its end.
fn holding<T: Send + 'static, B: HttpBody>(
    held: T,
    body: B,
) -> impl HttpBody<Data = B::Data, Error = B::Error> {
    body.map_err(move |error| {
        let _held = &held;
        error
    })
}

/// Returns the refusal of a request head that is ambiguous or uses what the server does not support.
fn refusal(headers: &HeaderMap, ambiguous: bool) -> Option<(StatusCode, &'static str)> {
    if ambiguous {
        return Some((
            StatusCode::BAD_REQUEST,
            "Send either Content-Length or Transfer-Encoding, and only once\n",
        ));
    }
    let is = |name, word: &str| {
        headers
            .get(name)
            .is_none_or(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
    };
    if !is(header::TRANSFER_ENCODING, "chunked") {
        return Some((StatusCode::NOT_IMPLEMENTED, "The only Transfer-Encoding is chunked\n"));
    }
    if !is(header::EXPECT, "100-continue") {
        return Some((StatusCode::EXPECTATION_FAILED, "The only Expect is 100-continue\n"));
    }
    None
}

/// A refusal that closes the connection: the length of the request is unknown.
fn refuse(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Notifies a connection when dropped.
struct End(Arc<Connection>, fn(&Connection));

impl Drop for End {
    fn drop(&mut self) {
        (self.1)(&self.0);
    }
}
