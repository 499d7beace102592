//! The load: fixed requests over persistent connections, from one thread; every reply is checked.

use std::io::Read as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use futures::future::try_join_all;
use serde::Serialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bench::http;

/// The longest body of a reply, in bytes.
const BODY_BYTES_MAX: usize = 1 << 20;
const OK: &[u8] = b"HTTP/1.1 200 OK\r\n";

/// The lengths of a reply's head and body.
#[derive(Clone, Copy, Serialize)]
pub(in crate::bench) struct Shape {
    head_bytes: usize,
    body_bytes: usize,
}

/// Sends one request and reads the body of its reply.
pub(in crate::bench) fn ask(address: SocketAddr, request: &[u8]) -> Result<(Shape, String)> {
    let (head, mut reply) = http::send(address, request)?;
    let lower_case = head.to_ascii_lowercase();
    let length = lower_case.lines().find_map(|line| line.strip_prefix("content-length:"));
    let body_bytes: usize = length.context("the reply has no length")?.trim().parse()?;
    ensure!(body_bytes <= BODY_BYTES_MAX, "the reply is too long");
    let mut body = vec![0; body_bytes];
    reply.read_exact(&mut body)?;
    ensure!(reply.buffer().is_empty(), "the reply is longer than its Content-Length");
    Ok((Shape { head_bytes: head.len(), body_bytes }, String::from_utf8(body)?))
}

/// Sends the requests in turn, repeatedly, over this many connections for this long. Returns how many were answered.
///
/// Each reply must have status 200 and the shape of the first. With another length, the next reply would not begin with
/// its status line.
pub(in crate::bench) async fn load(
    address: SocketAddr,
    requests: &[Vec<u8>],
    shape: Shape,
    connections: u32,
    time: Duration,
) -> Result<u64> {
    let deadline = Instant::now() + time;
    let answered = (0..connections).map(async |connection| {
        // Each connection begins with another request.
        let first = requests.len() * connection as usize / connections as usize;
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut reply = vec![0; shape.head_bytes + shape.body_bytes];
        let mut answered = 0;
        for request in requests.iter().cycle().skip(first) {
            if Instant::now() >= deadline {
                break;
            }
            stream.write_all(request).await?;
            stream.read_exact(&mut reply).await?;
            if !reply.starts_with(OK) || reply[..shape.head_bytes].last_chunk() != Some(b"\r\n\r\n") {
                bail!("a reply differs from the first: {}", String::from_utf8_lossy(&reply));
            }
            answered += 1;
        }
        Ok(answered)
    });
    Ok(try_join_all(answered).await?.into_iter().sum())
}
