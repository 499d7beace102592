//! TCP connections: slow clients, oversized and ambiguous requests, shutdown.

use std::time::Duration;

use jingku_protocol::actions::Action;
use jingku_protocol::{MAX_BODY_BYTES, Params};
use jingku_server::{MAX_HEAD_BYTES, router, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::support::Service;

async fn connect(base_url: &str) -> TcpStream {
    TcpStream::connect(base_url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// The response to a head with `Expect: 100-continue`.
const CONTINUE: [u8; 25] = *b"HTTP/1.1 100 Continue\r\n\r\n";

/// Reads a response to the end of its JSON.
async fn answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "closed without a response");
    }
    String::from_utf8(answer).unwrap()
}

/// The response arrives although the server does not read the whole body.
#[tokio::test]
async fn an_oversized_body_gets_a_response() {
    let service = Service::start().await;
    let mut stream = connect(&service.listen().await).await;
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", MAX_BODY_BYTES + 1);
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; MAX_BODY_BYTES + 1]).await.unwrap();
    let answer = answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("x-ucloud-request-uuid: "), "{answer}");
}

#[tokio::test]
async fn a_slow_request_head_times_out() {
    let service = Service::start().await;
    let base_url = service.listen().await;
    let mut stream = connect(&base_url).await;
    stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    // The server accepts connections in order: after the response to a later one, it waits for the rest of this head.
    until_closed(&base_url, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    tokio::time::pause();
    let sent = Instant::now();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0, "the server sent a response");
    // 15 seconds, as documented in docs/wire, less the time before the clock was paused.
    assert!((10..=15).contains(&sent.elapsed().as_secs()), "{:?}", sent.elapsed());
}

#[tokio::test]
async fn a_request_in_flight_is_answered_during_shutdown() {
    let service = Service::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, router(service.context.clone()), async {
        let _ = stopped.await;
    }));
    let mut idle = TcpStream::connect(address).await.unwrap();
    let mut busy = TcpStream::connect(address).await.unwrap();
    let list = Params::for_action(Action::DescribeCompShareCustomImages.name());
    let form = service.caller().sign(list).to_form();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        form.len()
    );
    busy.write_all(head.as_bytes()).await.unwrap();
    // The server has read the head of the busy connection, and accepted the idle one before that.
    let mut interim = [0; CONTINUE.len()];
    busy.read_exact(&mut interim).await.unwrap();
    assert_eq!(interim, CONTINUE);

    stop.send(()).unwrap();
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0, "an idle connection is closed");
    busy.write_all(form.as_bytes()).await.unwrap();
    let answer = answer(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"RetCode\":0"), "{answer}");
    tokio::time::timeout(Duration::from_secs(5), server).await.expect("the server stops").unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "the server still listens");
}

/// Sends a request on a new connection, and returns everything received until the server closes it.
async fn until_closed(base_url: &str, request: &str) -> String {
    let mut stream = connect(base_url).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // The connection is reset if the server did not read everything.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// Two servers could disagree about where such a body ends (request smuggling).
#[tokio::test]
async fn ambiguous_body_framing_is_refused() {
    let service = Service::start().await;
    let base_url = service.listen().await;
    let chunked = "1\r\na\r\n0\r\n\r\n";
    for (headers, status) in [
        ("Content-Length: 16\r\nTransfer-Encoding: chunked", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 16", 400),
        ("transfer-encoding:chunked\r\nX: y\r\ncontent-length:0", 400),
        ("Content-Length: 16\r\nContent-Length: 16", 400),
        ("Content-Length: 16\r\nContent-Length: 3", 400),
        ("Content-Length: 16, 16", 400),
        ("Content-Length: +16", 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 400),
        ("Transfer-Encoding: gzip", 400),
        ("Transfer-Encoding: gzip, chunked", 501),
        ("Expect: 200-ok\r\nContent-Length: 16", 417),
    ] {
        let smuggled = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
        let request = format!("POST / HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n{chunked}{smuggled}");
        let answer = until_closed(&base_url, &request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{headers}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{headers}: {answer}");
        let lower = answer.to_ascii_lowercase();
        assert!(lower.contains("connection: close"), "{headers}: {answer}");
    }
}

/// Bodies that look like headers do not affect the requests that follow.
#[tokio::test]
async fn pipelined_requests_are_answered_separately() {
    let service = Service::start().await;
    let base_url = service.listen().await;
    let body = "Action=x&Content-Length: 1\nTransfer-Encoding: chunked\n\n";
    let post = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let chunked =
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nAction=x\r\n0\r\n\r\n";
    let last = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let answer = until_closed(&base_url, &format!("{post}{post}{chunked}{last}")).await;
    assert_eq!(answer.matches("Missing Signature").count(), 3, "{answer}");
    assert!(answer.ends_with("ok\n"), "{answer}");
}

/// The server refuses an oversized body with `Expect: 100-continue` instead of asking for it.
#[tokio::test]
async fn an_oversized_announced_body_gets_no_100_continue() {
    let service = Service::start().await;
    let base_url = service.listen().await;
    for bytes in [MAX_BODY_BYTES as u64 + 1, u64::MAX / 2] {
        let head =
            format!("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {bytes}\r\n\r\n");
        let answer = until_closed(&base_url, &head).await;
        assert!(answer.starts_with("HTTP/1.1 413 ") && !answer.contains("100 Continue"), "{answer}");
    }
}

#[tokio::test]
async fn the_request_head_has_a_maximum_size() {
    let service = Service::start().await;
    let base_url = service.listen().await;
    let request = format!("GET /?{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(MAX_HEAD_BYTES));
    let answer = until_closed(&base_url, &request).await;
    assert!(answer.starts_with("HTTP/1.1 431 ") || answer.starts_with("HTTP/1.1 414 "), "{answer}");
}

#[tokio::test]
async fn health_checks_accept_a_trailing_slash() {
    let service = Service::start().await;
    let base_url = service.listen().await;
    for (path, text) in
        [("/healthz", "ok\n"), ("/healthz/", "ok\n"), ("/readyz", "ready\n"), ("/readyz/", "ready\n")]
    {
        let answer = async |method: &str| {
            until_closed(
                &base_url,
                &format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
            )
            .await
        };
        let got = answer("GET").await;
        assert!(got.starts_with("HTTP/1.1 200 ") && got.ends_with(text), "{got}");
        assert!(answer("HEAD").await.starts_with("HTTP/1.1 200 "));
        assert!(answer("POST").await.starts_with("HTTP/1.1 405 "));
    }
}
