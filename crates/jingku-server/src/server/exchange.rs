//! One request and its answer on a connection: what is refused before any route, and when which of them ends.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use super::connection::Connection;
use super::health::{HEALTH, READINESS};

/// Whatever a transfer takes in is bounded where it is written down.
const TRANSFERS: &str = "/uploads/";

/// Answers one request.
pub(super) async fn answer(
    router: TowerToHyperService<Router>,
    connection: Arc<Connection>,
    peer: SocketAddr,
    request: hyper::Request<Incoming>,
) -> Result<Response<Answer>, Infallible> {
    let path = request.uri().path();
    let is_health = [HEALTH, READINESS].contains(&path.trim_end_matches('/'));
    let has_body = !request.body().is_end_stream() && !path.starts_with(TRANSFERS);
    let ambiguous = connection.begin(has_body);
    let end = End(Arc::clone(&connection));
    let refusal = refusal(request.headers(), ambiguous);
    let response = if let Some((status, text)) = refusal {
        refuse(status, text)
    } else if connection.reserved && !is_health {
        refuse(StatusCode::SERVICE_UNAVAILABLE, "All connections are in use; send the request again\n")
    } else {
        let mut request: Request = request.map(|body| Body::new(Received { body, connection }));
        // The gateway asks for it: a key may be good from some addresses only.
        request.extensions_mut().insert(ConnectInfo(peer));
        router.call(request).await?
    };
    Ok(response.map(|body| Answer { body, _end: end }))
}

/// Why a request is refused by its head alone.
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

/// An answer after which the connection is closed: nobody knows what the rest of the bytes are.
fn refuse(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The body of a request. Tells the connection when it ends.
struct Received {
    body: Incoming,
    connection: Arc<Connection>,
}

impl HttpBody for Received {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let frame = Pin::new(&mut this.body).poll_frame(context);
        if this.body.is_end_stream() {
            this.connection.end_body();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        self.connection.end_body();
    }
}

/// The body of an answer. Tells the connection when it ends.
pub(super) struct Answer {
    body: Body,
    _end: End,
}

struct End(Arc<Connection>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
