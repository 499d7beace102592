//! Answers that break off. A body that fails ends its connection: that is all HTTP has to say so.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures::StreamExt;

/// How long the first half gets to leave before the connection is closed.
const HALF_TIME: Duration = Duration::from_millis(50);

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "closed by the lab")
}

/// No answer at all: the body fails before the head was sent.
pub(super) fn silence() -> Response {
    Response::new(Body::from_stream(futures::stream::once(async { Err::<Bytes, _>(closed()) })))
}

/// The head and half of the body, which was announced whole.
pub(super) fn halve(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let told = parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let length: u64 = told.or_else(|| body.size_hint().exact()).unwrap_or(0);
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let first = body.into_data_stream().scan(length / 2, |left, piece| {
        let piece = piece.map(|mut bytes| {
            bytes.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= bytes.len() as u64;
            bytes
        });
        let go_on = piece.as_ref().is_ok_and(|bytes| !bytes.is_empty());
        std::future::ready(go_on.then(|| piece.map_err(io::Error::other)))
    });
    let end = futures::stream::once(async {
        tokio::time::sleep(HALF_TIME).await;
        Err(closed())
    });
    Response::from_parts(parts, Body::from_stream(first.chain(end)))
}
