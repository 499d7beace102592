//! The load: fixed requests over persistent connections, from one thread; every reply is checked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// The longest head of a reply, in bytes.
const HEAD_BYTES_MAX: usize = 2048;
/// The longest body of a reply, in bytes.
const BODY_BYTES_MAX: usize = 1 << 20;
const OK: &[u8] = b"HTTP/1.1 200 OK\r\n";

/// The request for a case: a form, as the Python SDK sends it.
pub(super) fn request(path: &str, form: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: jingku-bench\r\nAccept: */*\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
    .into_bytes()
}

/// The lengths of a reply's head and body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    head: usize,
    body: usize,
}

impl Shape {
    pub(super) fn body(self) -> usize {
        self.body
    }
}

/// Sends one request and reads the body of its reply.
pub(super) async fn ask(address: SocketAddr, request: &[u8]) -> Result<(Shape, Vec<u8>)> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut reply = Vec::new();
    let head = loop {
        ensure!(
            stream.read_buf(&mut reply).await? > 0 && reply.len() < BODY_BYTES_MAX,
            "the reply ends early"
        );
        if let Some(end) = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
        ensure!(reply.len() < HEAD_BYTES_MAX, "the head of the reply is too long");
    };
    let text = std::str::from_utf8(&reply[..head])?.to_ascii_lowercase();
    ensure!(reply.starts_with(OK), "the server answers {text}");
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:"));
    let body: usize = length.context("the reply has no length")?.trim().parse()?;
    ensure!(body <= BODY_BYTES_MAX, "the reply is too long");
    while reply.len() < head + body {
        ensure!(stream.read_buf(&mut reply).await? > 0, "the reply ends early");
    }
    ensure!(reply.len() == head + body, "the reply is longer than its Content-Length");
    Ok((Shape { head, body }, reply.split_off(head)))
}

/// Sends the requests in turn, repeatedly, over this many connections for this long. Returns how many were answered.
///
/// Each reply must have status 200 and the shape of the first. With another length, the next reply would not begin with
/// its status line.
pub(super) async fn load(
    address: SocketAddr,
    requests: &Arc<[Vec<u8>]>,
    shape: Shape,
    connections: u32,
    time: Duration,
) -> Result<u64> {
    let mut tasks = JoinSet::new();
    let deadline = Instant::now() + time;
    for connection in 0..connections {
        let requests = Arc::clone(requests);
        // Each connection begins with another request.
        let first = requests.len() * connection as usize / connections as usize;
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        tasks.spawn(async move {
            let mut reply = vec![0; shape.head + shape.body];
            let mut answered = 0;
            for request in requests.iter().cycle().skip(first) {
                if Instant::now() >= deadline {
                    break;
                }
                stream.write_all(request).await?;
                stream.read_exact(&mut reply).await?;
                if !reply.starts_with(OK) || reply[..shape.head].last_chunk() != Some(b"\r\n\r\n") {
                    bail!("a reply differs from the first: {}", String::from_utf8_lossy(&reply));
                }
                answered += 1;
            }
            Ok(answered)
        });
    }
    let mut answered = 0;
    while let Some(task) = tasks.join_next().await {
        answered += task??;
    }
    Ok(answered)
}
