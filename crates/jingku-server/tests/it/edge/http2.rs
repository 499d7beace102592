//! Clients that abuse HTTP/2.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Request;
use bytes::Bytes;
use h2::client::{self, SendRequest};
use jingku_protocol::Params;
use jingku_protocol::actions::Action;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use super::{Authority, serve};
use crate::support::INSTANCE;

const SOON: Duration = Duration::from_secs(20);

/// Connects with HTTP/2. The task ends with the connection.
async fn connect(
    authority: &Authority,
    server: SocketAddr,
    settings: &client::Builder,
) -> (SendRequest<Bytes>, JoinHandle<Result<(), h2::Error>>) {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(server).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let (send, connection) = settings.handshake(stream).await.unwrap();
    (send, tokio::spawn(connection))
}

fn request() -> Request<()> {
    Request::get("https://localhost/healthz").body(()).unwrap()
}

async fn assert_answers(authority: &Authority, server: SocketAddr) {
    let url = format!("https://localhost:{}/healthz", server.port());
    let asked = authority.client("localhost", server).get(url).send();
    assert_eq!(timeout(SOON, asked).await.unwrap().unwrap().status(), 200);
}

/// CVE-2023-44487: each stream costs the server a request and the client nothing.
#[tokio::test]
async fn rapid_reset_ends_the_connection() {
    let authority = Authority::new();
    let (_service, server) = serve(&authority.config()).await;
    let (send, connection) = connect(&authority, server, &client::Builder::new()).await;
    let flood = tokio::spawn(async move {
        for reset in 0.. {
            let Ok(mut send) = send.clone().ready().await else { return reset };
            let Ok((_, mut stream)) = send.send_request(request(), false) else { return reset };
            stream.send_reset(h2::Reason::CANCEL);
            if reset % 64 == 0 {
                tokio::task::yield_now().await;
            }
        }
        0
    });
    let error =
        timeout(SOON, connection).await.expect("the server ends the connection").unwrap().unwrap_err();
    // The client may notice that the connection is closed before it reads why.
    assert!(error.is_io() || error.reason() == Some(h2::Reason::ENHANCE_YOUR_CALM), "{error}");
    let resets = flood.await.unwrap();
    assert!((1..10_000).contains(&resets), "{resets} resets");
    assert_answers(&authority, server).await;
}

#[tokio::test]
async fn streams_and_heads_are_limited() {
    let authority = Authority::new();
    let (_service, server) = serve(&authority.config()).await;
    let (send, _connection) = connect(&authority, server, &client::Builder::new()).await;
    let mut send = send.ready().await.unwrap();
    let (response, _) = send.send_request(request(), true).unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
    // The settings have arrived with the response.
    assert_eq!(send.current_max_send_streams(), 32);
    let mut large = request();
    large.headers_mut().insert("x-large", "x".repeat(100_000).parse().unwrap());
    let (response, _) = send.send_request(large, true).unwrap();
    let refused = match timeout(SOON, response).await.unwrap() {
        Ok(response) => response.status() == 431,
        Err(_) => true,
    };
    assert!(refused, "a head of 100 kB was accepted");
    assert_answers(&authority, server).await;
}

#[tokio::test]
async fn idle_connections_and_unread_responses_time_out() {
    let authority = Authority::new();
    let (_service, server) = serve(&authority.config()).await;
    let (send, connection) = connect(&authority, server, &client::Builder::new()).await;
    let mut send = send.ready().await.unwrap();
    let (response, _) = send.send_request(request(), true).unwrap();
    assert_eq!(response.await.unwrap().status(), 200);
    // This client takes no byte of a response.
    let mut settings = client::Builder::new();
    settings.initial_window_size(0);
    let (stalled, stalled_connection) = connect(&authority, server, &settings).await;
    let mut stalled = stalled.ready().await.unwrap();
    let (response, _) = stalled.send_request(request(), true).unwrap();
    let _unread = response.await.unwrap();
    tokio::time::pause();
    let started = Instant::now();
    // It ends without an error: the server said that it closes the connection.
    connection.await.unwrap().unwrap();
    assert!((10..=40).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    assert!(!stalled_connection.is_finished());
    let _ = stalled_connection.await.unwrap();
    assert!((50..=90).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

/// Each response is in memory until the client takes it, also after HTTP/2 has the last part of it.
#[tokio::test]
async fn responses_that_clients_do_not_take_are_bounded() {
    const CONNECTIONS: usize = 5;
    const STREAMS: usize = 13;
    let authority = Authority::new();
    let (service, server) = serve(&authority.config()).await;
    let image = service.make(INSTANCE, "env").await;
    let caller = service.caller();
    let readme = "镜".repeat(100_000);
    caller.ok(Action::UpdateCompShareImage, &[("CompShareImageId", &image), ("Readme", &readme)]).await;
    let show = Params::for_action(Action::DescribeCompShareCustomImages.name());
    let query = caller.sign(show.text("CompShareImageId", Some(&image))).to_form();
    // Takes the head of a response and its first bytes, so that the rest is handed to the connection.
    let mut settings = client::Builder::new();
    settings.initial_window_size(200);
    let mut connections = Vec::new();
    let mut responses = Vec::new();
    for _ in 0..CONNECTIONS {
        let (send, connection) = connect(&authority, server, &settings).await;
        let mut send = send.ready().await.unwrap();
        for _ in 0..STREAMS {
            let request = Request::get(format!("https://localhost/?{query}")).body(()).unwrap();
            let (response, _) = send.send_request(request, true).unwrap();
            if let Ok(response) = timeout(SOON, response).await.unwrap() {
                responses.push(response);
            }
        }
        connections.push((send, connection));
    }
    let mut ended = 0;
    let deadline = Instant::now() + SOON;
    while ended == 0 && Instant::now() < deadline {
        ended = connections.iter().filter(|(_, connection)| connection.is_finished()).count();
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Together they hold 19 MB, and one less is below the limit of 16 MiB.
    assert!((1..=2).contains(&ended), "{ended} of {} connections were closed", connections.len());
    assert_answers(&authority, server).await;
}
