//! One request and its response on a connection: refusals before routing, and when each body ends.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version, header};
use axum::response::Response;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use jingku_library::ProxySettings;
use tokio::time::sleep_until;

use super::connection::Connection;
use super::connections::Connections;
use super::health::{HEALTH, READINESS};
use super::proxied;
use super::unsent::Unsent;
use crate::limits::FLOOD_PAUSE_TIMEOUT;
use crate::request_rate::Flood;
use crate::trace_parent::TraceParent;

/// Bytes of an upload are not counted as held: its handler limits them.
const UPLOADS: &str = "/uploads/";

/// What the requests of one connection share.
pub(super) struct Exchanges {
    pub(super) router: TowerToHyperService<Router>,
    pub(super) connections: Arc<Connections>,
    pub(super) connection: Arc<Connection>,
    pub(super) proxies: Arc<ProxySettings>,
    pub(super) peer: SocketAddr,
}

impl Exchanges {
    pub(super) async fn answer(
        self: Arc<Self>,
        request: hyper::Request<Incoming>,
    ) -> Result<Response<impl HttpBody<Data = Bytes, Error = axum::Error>>, Infallible> {
        // Requests that were sent ahead wait too.
        let (paused_until, flooding) = self.connection.take_pause();
        if let Some(until) = paused_until {
            sleep_until(until).await;
        }
        let path = request.uri().path();
        let is_health = [HEALTH, READINESS].contains(&path.trim_end_matches('/'));
        let has_body = !request.body().is_end_stream() && !path.starts_with(UPLOADS);
        let is_h2 = request.version() == Version::HTTP_2;
        let ambiguous = self.connection.begin();
        let open =
            Arc::new(OpenRequest { connection: Arc::clone(&self.connection), held: AtomicUsize::new(0) });
        let response = if let Some((status, text)) = refusal(request.headers(), ambiguous) {
            refuse(status, text)
        } else if self.connection.reserved && !is_health {
            refuse(StatusCode::SERVICE_UNAVAILABLE, "All connections are in use; send the request again\n")
        } else {
            // The gateway checks it: a key can be restricted by IP address.
            let client = proxied::client(&self.proxies, self.peer, request.headers());
            let mut request: Request = if has_body {
                self.connection.begin_body();
                let (connections, open) = (Arc::clone(&self.connections), Arc::clone(&open));
                request.map(|body| Body::new(ReceivedBody { body, connections, open, counts: is_h2 }))
            } else {
                request.map(Body::new)
            };
            // Strangers cannot add to traces, or fill the collector with long ones.
            if self.proxies.trusts(self.peer.ip())
                && let Some(parent) = TraceParent::read(request.headers())
            {
                request.extensions_mut().insert(parent);
            }
            if flooding.is_some() {
                request.extensions_mut().insert(Flood(flooding));
            }
            if let Some(client) = client {
                request.extensions_mut().insert(ConnectInfo(client));
            }
            self.router.call(request).await?
        };
        // The next request from a proxy may be that of another client.
        if let Some(Flood(account)) = response.extensions().get()
            && !self.proxies.trusts(self.peer.ip())
        {
            self.connection.pause(FLOOD_PAUSE_TIMEOUT, *account);
        }
        let number = is_h2.then(|| self.connection.begin_response());
        Ok(response.map(|body| {
            let unsent = Unsent::of(&body, &self.connections, &self.connection);
            SentBody { body, number, open, unsent }
        }))
    }
}

/// A request whose response was not sent. Ends it when dropped.
struct OpenRequest {
    connection: Arc<Connection>,
    /// Received bytes that are counted for this request alone.
    held: AtomicUsize,
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.connection.end(self.held.load(Ordering::Relaxed));
    }
}

/// The body of a request, until it was read or dropped.
struct ReceivedBody {
    body: Incoming,
    connections: Arc<Connections>,
    open: Arc<OpenRequest>,
    /// Whether its bytes are counted here. Those of HTTP/1.1 are counted when they arrive.
    counts: bool,
}

impl HttpBody for ReceivedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(context);
        if let (true, Poll::Ready(Some(Ok(frame)))) = (this.counts, &polled)
            && let Some(bytes) = frame.data_ref()
        {
            this.open.held.fetch_add(bytes.len(), Ordering::Relaxed);
            this.connections.received_part(&this.open.connection, bytes.len());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for ReceivedBody {
    fn drop(&mut self) {
        self.open.connection.end_body();
    }
}

/// The body of a response, until it was sent or dropped.
struct SentBody {
    body: Body,
    /// Of the response, if the connection has several.
    number: Option<u64>,
    open: Arc<OpenRequest>,
    unsent: Unsent,
}

impl HttpBody for SentBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(context);
        if let Some(number) = this.number {
            this.open.connection.taken(number, polled.is_ready());
        }
        polled.map_ok(|frame| frame.map_data(|bytes| this.unsent.hand_over(bytes)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for SentBody {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.open.connection.taken(number, false);
        }
    }
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
