//! Responses that break off: a body that fails closes its connection.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures::StreamExt;

/// Time to send the first half before the connection is closed.
const HALF_TIME: Duration = Duration::from_millis(50);

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "closed by the lab")
}

/// No response: the body fails before the head is sent.
pub(super) fn no_response() -> Response {
    Response::new(Body::from_stream(futures::stream::once(async { Err::<Bytes, _>(closed()) })))
}

/// The head, with the full length, and half of the body.
pub(super) fn halve(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let declared =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let length: u64 = declared.or_else(|| body.size_hint().exact()).unwrap_or(0);
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let first = body.into_data_stream().scan(length / 2, |left, piece| {
        let piece = piece.map(|mut bytes| {
            bytes.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= bytes.len() as u64;
            bytes
        });
        let continues = piece.as_ref().is_ok_and(|bytes| !bytes.is_empty());
        std::future::ready(continues.then(|| piece.map_err(io::Error::other)))
    });
    let end = futures::stream::once(async {
        tokio::time::sleep(HALF_TIME).await;
        Err(closed())
    });
    Response::from_parts(parts, Body::from_stream(first.chain(end)))
}
