//! A small HTTP client, and a server of one file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, Result, ensure};

/// Bytes per read.
const PART_BYTES: usize = 256 << 10;
/// The longest head of a request or a reply, in bytes.
const HEAD_BYTES_MAX: u64 = 4096;

/// Sends a request. Returns the head of the reply, which must have status 200, and a reader of its body.
pub(super) fn send(address: SocketAddr, request: &[u8]) -> Result<(String, BufReader<TcpStream>)> {
    let mut stream = TcpStream::connect(address).context("connect to a server")?;
    stream.write_all(request)?;
    let mut reader = BufReader::with_capacity(PART_BYTES, stream);
    let head = read_head(&mut reader)?;
    ensure!(head.starts_with("HTTP/1.1 200 "), "the server answers {head:?}");
    Ok((head, reader))
}

/// Requests a path and query, discards the body, and returns its length.
pub(super) fn get(address: SocketAddr, path: &str) -> Result<u64> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let (_, mut body) = send(address, request.as_bytes())?;
    Ok(io::copy(&mut body, &mut io::sink())?)
}

/// Answers one request with a file. `io::copy` uses `sendfile` here.
pub(super) fn send_file(path: &Path) -> Result<(SocketAddr, JoinHandle<io::Result<u64>>)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let mut file = File::open(path)?;
    let sending = thread::spawn(move || {
        let (mut stream, _) = listener.accept()?;
        read_head(&mut BufReader::new(&stream))?;
        let length = file.metadata()?.len();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n")?;
        io::copy(&mut file, &mut stream)
    });
    Ok((address, sending))
}

/// Reads a head, with the empty line at its end.
fn read_head(reader: &mut impl BufRead) -> io::Result<String> {
    let (mut head, mut reader) = (String::new(), reader.take(HEAD_BYTES_MAX));
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head)
}
