//! Real connections: what a client sees that is slow, sends too much, or is there when the server stops.

use std::time::Duration;

use jingku_protocol::actions::Action;
use jingku_protocol::{MAX_BODY_BYTES, Params};
use jingku_service::{HEADER_READ_TIMEOUT, router, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::support::Service;

async fn connect(base_url: &str) -> TcpStream {
    TcpStream::connect(base_url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Reads an answer to the end of its JSON.
async fn answer(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "closed without an answer");
    }
    String::from_utf8(answer).unwrap()
}

/// The answer arrives although the body is never read to its end.
#[tokio::test]
async fn a_body_that_is_too_large_is_answered() {
    let service = Service::start().await;
    let mut stream = connect(&service.listen().await).await;
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", MAX_BODY_BYTES + 1);
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; MAX_BODY_BYTES + 1]).await.unwrap();
    let answer = answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("x-ucloud-request-uuid: "), "{answer}");
}

#[tokio::test]
async fn a_head_must_arrive_in_time() {
    let service = Service::start().await;
    let mut stream = connect(&service.listen().await).await;
    stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    // The server has to have seen the connection before time begins to jump.
    tokio::time::sleep(Duration::from_millis(100)).await;
    tokio::time::pause();
    let sent = Instant::now();
    assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0, "the server said something");
    assert!(sent.elapsed() <= HEADER_READ_TIMEOUT, "{:?}", sent.elapsed());
}

#[tokio::test]
async fn a_request_under_way_is_answered_when_the_server_stops() {
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
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", form.len());
    busy.write_all(head.as_bytes()).await.unwrap();
    // The server has to have seen both before it stops.
    tokio::time::sleep(Duration::from_millis(100)).await;

    stop.send(()).unwrap();
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0, "an idle connection is closed");
    busy.write_all(form.as_bytes()).await.unwrap();
    let answer = answer(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"RetCode\":0"), "{answer}");
    tokio::time::timeout(Duration::from_secs(5), server).await.expect("the server ends").unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
