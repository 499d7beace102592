//! A server on loopback that answers as each test says. It refuses to serve a request whose signature does not verify.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use compshare::{Client, Config};
use jingku_protocol::{Params, decode, verify};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const PUBLIC_KEY: &str = "public+key/with=signs";
pub(crate) const PRIVATE_KEY: &str = "top-secret-private-key";

/// What the server does with a request.
pub(crate) enum Answer {
    /// HTTP status 200 and JSON.
    Json(Value),
    /// A whole HTTP response, head and all; then the connection closes.
    Raw(Vec<u8>),
    /// Keeps the connection open and says nothing after these bytes.
    Hang(Vec<u8>),
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self::raw(&format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 13\r\n\r\n<h1>busy</h1>"))
    }

    pub(crate) fn raw(text: &str) -> Self {
        Self::Raw(text.as_bytes().to_vec())
    }

    fn into_bytes(self) -> (Vec<u8>, bool) {
        match self {
            Self::Json(body) => {
                let body = body.to_string();
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n\
                            X-UCLOUD-REQUEST-UUID: request-1\r\nConnection: close\r\n";
                (format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes(), true)
            }
            Self::Raw(bytes) => (bytes, true),
            Self::Hang(bytes) => (bytes, false),
        }
    }
}

/// A request as the server saw it.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) params: Params,
}

impl Seen {
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.params.get_text(name)
    }

    pub(crate) fn action(&self) -> &str {
        self.text("Action").unwrap_or_default()
    }
}

pub(crate) struct Server {
    address: std::net::SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Starts a server; `answer` is called with each request and the number of requests before it.
    pub(crate) async fn start(answer: impl Fn(usize, &Seen) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), seen.clone());
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, answer.clone(), log.clone()));
            }
        });
        Self { address, seen }
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = Config::new(PUBLIC_KEY, PRIVATE_KEY);
        config.base_url = format!("http://{}", self.address);
        config.timeout = Duration::from_secs(20);
        config
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.config()).unwrap()
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: Arc<impl Fn(usize, &Seen) -> Answer>,
    log: Arc<Mutex<Vec<Seen>>>,
) {
    let Some(seen) = receive(&mut stream).await else { return };
    let number = {
        let mut log = log.lock().unwrap();
        log.push(seen.clone());
        log.len() - 1
    };
    let (bytes, close) = answer(number, &seen).into_bytes();
    // The client may have gone away by now.
    let _ = stream.write_all(&bytes).await;
    if !close {
        std::future::pending::<()>().await;
    }
    let _ = stream.shutdown().await;
}

async fn receive(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return None;
        }
        let text = String::from_utf8(bytes.clone()).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && body.len() >= content_length(head)
        {
            break (head.to_owned(), body.to_owned());
        }
    };
    let target = head.split(' ').nth(1).unwrap();
    let query = target.split_once('?').map(|(_, query)| query);
    let body = if target.starts_with("/uploads/") { "" } else { &*body };
    let params = decode(query, Some("application/x-www-form-urlencoded"), body.as_bytes()).unwrap();
    if target.starts_with("/images/") || target.starts_with("/uploads/") {
        // A link needs no signature.
        assert_eq!(params.get_text("PublicKey"), None);
        return Some(Seen { head, params });
    }
    assert_eq!(params.get_text("PublicKey"), Some(PUBLIC_KEY));
    assert!(verify(&params, PRIVATE_KEY, params.get_text("Signature").unwrap()), "bad signature: {params:?}");
    Some(Seen { head, params })
}

fn content_length(head: &str) -> usize {
    let line = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(str::to_owned));
    line.map_or(0, |length| length.trim().parse().unwrap())
}
