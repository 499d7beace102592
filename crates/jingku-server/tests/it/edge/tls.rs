//! TLS: both versions of HTTP, certificates that change, clients that do not finish a handshake.

use std::time::Duration;

use jingku_server::{Edge, TlsError};
use reqwest::Version;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::{Authority, form, list, ret_code, serve};
use crate::support::wait_until;

#[tokio::test]
async fn both_versions_of_http_are_served() {
    let authority = Authority::new();
    let (service, server) = serve(&authority.config()).await;
    let url = format!("https://localhost:{}/", server.port());
    let client = authority.client("localhost", server);
    let response = form(&client, &url, list(&service)).send().await.unwrap();
    assert_eq!(response.version(), Version::HTTP_2);
    assert_eq!(ret_code(response).await, 0);
    let old = reqwest::Client::builder().http1_only().no_proxy().resolve("localhost", server);
    let root = reqwest::Certificate::from_pem(authority.pem.as_bytes()).unwrap();
    let old = old.tls_certs_only([root]).build().unwrap();
    let response = form(&old, &url, list(&service)).send().await.unwrap();
    assert_eq!(response.version(), Version::HTTP_11);
    assert_eq!(ret_code(response).await, 0);
    for path in ["healthz", "readyz"] {
        assert_eq!(client.get(format!("{url}{path}")).send().await.unwrap().status(), 200);
    }
}

/// A disk of several megabytes, over each version.
#[tokio::test]
async fn an_export_is_complete() {
    use jingku_protocol::Params;
    let authority = Authority::new();
    let (service, server) = serve(&authority.config()).await;
    let id = service.make(crate::support::INSTANCE, "env").await;
    let url = format!("https://localhost:{}/", server.port());
    let client = authority.client("localhost", server);
    let export = Params::for_action("ExportCompShareCustomImage").text("CompShareImageId", Some(&id));
    let export = service.caller().sign(export).to_form();
    let response = form(&client, &url, export).send().await.unwrap();
    assert_eq!(response.version(), Version::HTTP_2);
    assert!(response.bytes().await.unwrap() == crate::support::disk_bytes(1));
}

#[tokio::test]
async fn a_new_certificate_is_used_without_a_restart() {
    let authority = Authority::new();
    let (_service, server) = serve(&authority.config()).await;
    let works = async |host: &str| {
        let url = format!("https://{host}:{}/healthz", server.port());
        authority.client(host, server).get(url).send().await.is_ok()
    };
    assert!(works("localhost").await && !works("images.example.com").await);
    // An unusable certificate changes nothing.
    std::fs::write(authority.files().certificate, "not a certificate").unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(works("localhost").await);
    authority.issue("images.example.com");
    wait_until("the new certificate is used", async || works("images.example.com").await).await;
    assert!(!works("localhost").await);
    // Nor does a key of another certificate, or a missing file.
    let other = Authority::new();
    std::fs::copy(other.files().key, authority.files().key).unwrap();
    std::fs::remove_file(authority.files().certificate).unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(works("images.example.com").await);
}

#[tokio::test]
async fn unusable_files_are_refused_at_the_start() {
    let authority = Authority::new();
    let other = Authority::new();
    let files = authority.files();
    let open = || {
        let config = toml::from_str(&authority.config()).unwrap();
        Edge::open(&config).map(drop).unwrap_err()
    };
    std::fs::copy(other.files().key, &files.key).unwrap();
    assert!(matches!(open(), TlsError::Refused(..)));
    std::fs::write(&files.key, "").unwrap();
    assert!(matches!(open(), TlsError::NoKey(..)));
    std::fs::write(&files.certificate, "").unwrap();
    assert!(matches!(open(), TlsError::NoCertificate(..)));
    std::fs::remove_file(&files.key).unwrap();
    assert!(matches!(open(), TlsError::Unreadable(path, _) if path == files.key));
}

#[tokio::test]
async fn a_client_that_does_not_finish_the_handshake_is_disconnected() {
    let authority = Authority::new();
    let (_service, server) = serve(&authority.config()).await;
    let mut silent = TcpStream::connect(server).await.unwrap();
    // The start of a handshake.
    silent.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
    // A client of plain HTTP, which is not understood.
    let mut plain = TcpStream::connect(server).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    tokio::time::pause();
    let started = Instant::now();
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap(), 0);
    // 10 seconds, less the time before the clock was paused.
    assert!((5..=10).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}
