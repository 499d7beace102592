//! The client's address behind trusted proxies, and clients that pretend to have one.

use std::net::SocketAddr;

use jingku_library::KeyLimits;
use jingku_protocol::Params;
use jingku_protocol::actions::Action;
use jingku_server::router;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::serve;
use crate::support::{Caller, Service};

/// The only address that the key of [`restricted`] works from.
const CLIENT: &str = "198.51.100.7";

/// A signed list with a key that works from [`CLIENT`] only.
async fn restricted(service: &Service) -> String {
    let limits = KeyLimits { read_only: false, addresses: vec![CLIENT.to_owned()] };
    let (pair, _) = service.context.library.create_key(1, "limited", &limits).await.unwrap();
    let caller = Caller::with_keys(router(service.context.clone()), &pair);
    caller.sign(Params::for_action(Action::DescribeCompShareCustomImages.name())).to_form()
}

/// Sends a list after some bytes and with some headers, and returns everything received.
async fn ask(server: SocketAddr, start: &[u8], headers: &str, form: &str) -> String {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let length = form.len();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n{headers}\r\n"
    );
    // The server may close the connection before it has read everything.
    let _ = stream.write_all(&[start, head.as_bytes(), form.as_bytes()].concat()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn allowed(answer: &str) -> bool {
    assert!(answer.contains("\"RetCode\":0") || answer.contains("IP Denied"), "{answer}");
    answer.contains("\"RetCode\":0")
}

#[tokio::test]
async fn a_header_counts_only_from_a_trusted_proxy() {
    let (service, server) = serve("[proxies]\ntrusted = ['127.0.0.1', '10.0.0.0/8']").await;
    let form = restricted(&service).await;
    let from = async |header: &str| allowed(&ask(server, b"", header, &form).await);
    assert!(from(&format!("X-Forwarded-For: {CLIENT}\r\n")).await);
    assert!(from(&format!("X-Forwarded-For: {CLIENT}, 10.1.1.1\r\n")).await);
    assert!(!from("").await);
    // The client wrote the first address, the proxy the last one.
    assert!(!from(&format!("X-Forwarded-For: {CLIENT}, 203.0.113.9\r\n")).await);
    assert!(!from(&format!("X-Forwarded-For: {CLIENT}\r\nX-Forwarded-For: 203.0.113.9\r\n")).await);
    assert!(!from(&format!("X-Forwarded-For: {CLIENT}, unknown\r\n")).await);
    assert!(!from(&format!("X-Real-IP: {CLIENT}\r\nForwarded: for={CLIENT}\r\n")).await);

    let (service, server) = serve("[proxies]\ntrusted = ['10.0.0.0/8']").await;
    let form = restricted(&service).await;
    assert!(!allowed(&ask(server, b"", &format!("X-Forwarded-For: {CLIENT}\r\n"), &form).await));
}

#[tokio::test]
async fn the_proxy_protocol_counts_only_from_a_trusted_proxy() {
    let (service, server) = serve("[proxies]\ntrusted = ['127.0.0.1']\nprotocol = 'proxy'").await;
    let form = restricted(&service).await;
    let line = |address: &str| format!("PROXY TCP4 {address} 192.0.2.1 4000 443\r\n").into_bytes();
    assert!(allowed(&ask(server, &line(CLIENT), "", &form).await));
    assert!(!allowed(&ask(server, &line("203.0.113.9"), "", &form).await));
    assert!(!allowed(&ask(server, b"PROXY UNKNOWN\r\n", "", &form).await), "the proxy itself");
    // Headers do not count, because this proxy does not replace them.
    let claim = format!("X-Forwarded-For: {CLIENT}\r\n");
    assert!(!allowed(&ask(server, &line("203.0.113.9"), &claim, &form).await));
    let mut v2 = Vec::from(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c");
    v2.extend([198, 51, 100, 7, 192, 0, 2, 1, 0, 1, 0, 2]);
    assert!(allowed(&ask(server, &v2, "", &form).await));
    // Every connection of the proxy starts with a header. A second one is no HTTP.
    assert_eq!(ask(server, b"", "", &form).await, "");
    let twice = [line("203.0.113.9"), line(CLIENT)].concat();
    assert!(ask(server, &twice, "", &form).await.starts_with("HTTP/1.1 400 "));

    let (service, server) = serve("[proxies]\ntrusted = ['10.0.0.0/8']\nprotocol = 'proxy'").await;
    let form = restricted(&service).await;
    assert!(ask(server, &line(CLIENT), "", &form).await.starts_with("HTTP/1.1 400 "));
    assert!(!allowed(&ask(server, b"", "", &form).await));
}
