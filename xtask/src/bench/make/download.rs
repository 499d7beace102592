//! Downloads over HTTP, with the same client: an image by its link, and a plain file by `sendfile`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, Result, ensure};

/// Bytes per read.
const PART_BYTES: usize = 256 << 10;

/// Requests a path and query, discards the body, and returns its length.
pub(super) fn get(address: SocketAddr, path: &str) -> Result<u64> {
    let mut stream = TcpStream::connect(address).context("connect for a download")?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut reader = BufReader::with_capacity(PART_BYTES, stream);
    let status = read_head(&mut reader)?;
    ensure!(status.starts_with("HTTP/1.1 200 "), "the answer to a download is {status:?}");
    let (mut part, mut length) = (vec![0; PART_BYTES], 0);
    loop {
        match reader.read(&mut part)? {
            0 => return Ok(length),
            read => length += read as u64,
        }
    }
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

/// Reads a head up to the empty line, and returns its first line.
fn read_head(reader: &mut impl BufRead) -> io::Result<String> {
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    Ok(first)
}
