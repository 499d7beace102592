//! Direct requests to the proxy of `jingku run`.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;

use super::Running;
use crate::client::block_on;
use crate::home::{Home, PATIENCE};

pub(super) const UNSIGNED: &str = "\"RetCode\":170";

/// Sends these bytes and returns the answer up to the end of the connection.
pub(super) fn say(running: &Running, bytes: &str) -> String {
    let mut stream = TcpStream::connect(&running.proxy).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = Vec::new();
    // The proxy may close or reset the connection before it has read everything.
    let written = stream.write_all(bytes.as_bytes()).and_then(|()| stream.shutdown(Shutdown::Write));
    let _ = written.and_then(|()| stream.read_to_end(&mut answer));
    String::from_utf8(answer).unwrap()
}

/// A client with the settings of the command.
pub(super) fn client(running: &Running) -> reqwest::Client {
    let certificate = std::fs::read(&running.certificate).unwrap();
    let builder =
        reqwest::Client::builder().tls_certs_only([reqwest::Certificate::from_pem(&certificate).unwrap()]);
    let proxy = reqwest::Proxy::all(format!("http://{}", running.proxy)).unwrap();
    builder.proxy(proxy).build().unwrap()
}

/// Opens a tunnel to a host, with TLS inside.
async fn tunnel(
    running: &Running,
    host: &'static str,
) -> tokio_rustls::client::TlsStream<tokio::net::TcpStream> {
    let mut stream = tokio::net::TcpStream::connect(&running.proxy).await.unwrap();
    stream
        .write_all(format!("CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&head));
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&running.certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    TlsConnector::from(config).connect(ServerName::try_from(host).unwrap(), stream).await.unwrap()
}

#[test]
fn many_requests_to_both_hosts_reach_the_server() {
    let home = Home::new();
    let server = home.serve();
    let running = Running::start(&home, &[]);
    let client = client(&running);
    block_on(async {
        let calls = (0..40).map(|n| {
            let host = ["api.compshare.cn", "api.ucloud.cn"][n % 2];
            let call =
                client.post(format!("https://{host}/?n={n}")).header("content-type", "application/json");
            let call =
                call.body(format!("{{\"Action\":\"GetRegion\",\"Text\":\"{}\"}}", "x".repeat(n * 1000)));
            async { call.send().await.unwrap().text().await.unwrap() }
        });
        for text in join_all(calls).await {
            assert!(text.contains(UNSIGNED), "{text}");
        }
        // And in sequence, on persistent connections.
        for _ in 0..10 {
            let text = client.get("https://api.compshare.cn/").send().await.unwrap().text().await.unwrap();
            assert!(text.contains("Missing Action"), "{text}");
        }
    });
    assert_eq!(running.finish(), "");
    server.stop();
}

#[test]
fn a_connection_is_persistent_and_may_be_half_closed() {
    let home = Home::new();
    let _server = home.serve();
    let running = Running::start(&home, &[]);
    block_on(async {
        let mut stream = tunnel(&running, "api.ucloud.cn").await;
        let request = "POST /?Action=GetRegion HTTP/1.1\r\nHost: api.ucloud.cn\r\nContent-Length: 0\r\n\r\n";
        stream.write_all(request.repeat(3).as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).await.unwrap();
        assert_eq!(answers.matches(UNSIGNED).count(), 3, "{answers}");
        assert_eq!(answers.to_lowercase().matches("x-ucloud-request-uuid: ").count(), 3, "{answers}");
    });
    running.finish();
}

#[test]
fn other_hosts_are_refused_and_reported_once() {
    let home = Home::new();
    let server = home.serve();
    let running = Running::start(&home, &[]);
    let refused = [
        ("CONNECT example.com:443", "example.com:443"),
        ("CONNECT api.compshare.cn:80", "api.compshare.cn:80"),
        ("CONNECT api.compshare.cn", "api.compshare.cn"),
        ("CONNECT api.compshare.cn.:443", "api.compshare.cn.:443"),
        ("CONNECT x.api.compshare.cn:443", "x.api.compshare.cn:443"),
        ("CONNECT api.compshare.cn@example.com:443", "example.com"),
        ("CONNECT 127.0.0.1:443", "127.0.0.1"),
        ("CONNECT [::1]:443", "[::1]"),
        ("GET http://example.com/", "example.com"),
        ("POST http://api.ucloud.cn/", "api.ucloud.cn"),
        ("GET https://example.com/", "example.com"),
        ("GET https://u:p@api.compshare.cn/", "api.compshare.cn"),
        ("GET https://api.compshare.cn:8443/", "api.compshare.cn:8443"),
        ("GET /", "/"),
        ("OPTIONS *", "*"),
    ];
    for (line, named) in refused {
        let answer = say(&running, &format!("{line} HTTP/1.1\r\nHost: x\r\n\r\n"));
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{line}: {answer:?}"));
        assert!(head.starts_with("HTTP/1.1 403 Forbidden"), "{line}: {head}");
        assert!(body.contains(named) && body.trim_end().lines().count() == 1, "{line}: {body}");
    }
    for _ in 0..3 {
        say(&running, "CONNECT example.com:443 HTTP/1.1\r\n\r\n");
    }
    let said = running.finish();
    assert_eq!(said.matches("refused to connect to example.com:443: only").count(), 1, "{said}");
    assert!(!said.contains("u:p"), "a password is printed: {said}");
    assert!(said.contains("refused POST to api.ucloud.cn: only HTTPS"), "{said}");
    assert!(said.contains(&format!("and requests to {} are allowed.", server.base_url)), "{said}");

    let running = Running::start(&home, &["--lang", "zh"]);
    assert!(
        say(&running, "CONNECT example.com:443 HTTP/1.1\r\n\r\n")
            .contains("拒绝连接 example.com:443：只允许")
    );
    assert!(running.finish().contains("拒绝连接 example.com:443"));
}

#[test]
fn an_https_url_without_a_tunnel_is_forwarded() {
    let home = Home::new();
    let _server = home.serve();
    let running = Running::start(&home, &[]);
    for address in
        ["https://api.ucloud.cn/?Action=GetRegion", "https://API.compshare.cn:443/?Action=GetRegion"]
    {
        let answer = say(&running, &format!("GET {address} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(UNSIGNED), "{answer}");
    }
    assert_eq!(running.finish(), "");
}

#[test]
fn request_heads_have_a_size_and_a_time_limit() {
    let home = Home::new();
    let _server = home.serve();
    let running = Running::start(&home, &[]);
    let long = format!("CONNECT api.ucloud.cn:443 HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1_000_000));
    assert!(!say(&running, &long).contains("HTTP/1.1 200"), "a head of 1 MB");
    assert!(
        say(&running, "\u{16}\u{3}\u{1}\0\0\r\n\r\n").contains("HTTP/1.1 400"),
        "TLS to the proxy itself"
    );

    let started = Instant::now();
    let mut slow = TcpStream::connect(&running.proxy).unwrap();
    slow.set_read_timeout(Some(PATIENCE)).unwrap();
    slow.write_all(b"CONNECT api.ucloud").unwrap();
    let mut answer = Vec::new();
    let _ = slow.read_to_end(&mut answer);
    assert!((8..30).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    assert!(!String::from_utf8_lossy(&answer).contains("200"));
    running.finish();
}

#[test]
fn a_stopped_server_is_reported_once() {
    let home = Home::new();
    let server = home.serve();
    let running = Running::start(&home, &[]);
    let client = client(&running);
    server.stop();
    block_on(async {
        for _ in 0..2 {
            let answer = client.get("https://api.compshare.cn/").send().await.unwrap();
            assert_eq!(answer.status(), 502);
            assert!(answer.text().await.unwrap().contains("the server did not answer"));
        }
    });
    assert_eq!(running.finish().matches("the server did not answer").count(), 1);
}

#[test]
fn the_number_of_tunnels_is_limited() {
    let home = Home::new();
    let _server = home.serve();
    let running = Running::start(&home, &[]);
    block_on(async {
        let open = (0..256).map(|_| tunnel(&running, "api.compshare.cn"));
        let mut open = join_all(open).await;
        let next = tunnel(&running, "api.ucloud.cn");
        tokio::pin!(next);
        assert!(
            tokio::time::timeout(Duration::from_millis(300), &mut next).await.is_err(),
            "no place is free"
        );
        open.pop().unwrap().shutdown().await.unwrap();
        tokio::time::timeout(PATIENCE, next).await.expect("a place is free again");
    });
    running.finish();
}
