//! Many idle or slow clients: others are still answered.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::home::Home;
use crate::server::Server;

/// The longest time to an answer, on a busy machine.
const SOON: Duration = Duration::from_secs(5);
/// The most memory of the server, in bytes.
const PEAK_BYTES_MAX: u64 = 128 << 20;
/// The most memory that a body of 300,000 pieces adds, in bytes.
const PIECES_BYTES_MAX: u64 = 4 << 20;
/// Descriptors for the rest of the test process.
const SPARE_DESCRIPTORS: u64 = 500;

/// Raises the limit of descriptors, which the server inherits, and returns the possible number of connections up to
/// `wanted`.
fn raise_descriptors(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let spare = limit.maximum.map_or(u64::MAX, |maximum| maximum.saturating_sub(SPARE_DESCRIPTORS));
    wanted.min(usize::try_from(spare).unwrap())
}

fn connect(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream
}

/// Sends a request on a new connection, and returns the answer, which must arrive within [`SOON`].
fn ask(server: &Server, head: &str, body: &str) -> String {
    let started = Instant::now();
    let mut stream = connect(server);
    let length = body.len();
    let request =
        format!("{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(started.elapsed() < SOON, "{head} took {:?}", started.elapsed());
    answer
}

/// Asserts that health checks and a request of the size of one with a cover are answered.
fn assert_answers(server: &Server) {
    for path in ["/healthz", "/readyz"] {
        let answer = ask(server, &format!("GET {path}"), "");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    let answer = ask(server, "POST /", &format!("Action=GetRegion&Pad={}", "x".repeat(70_000)));
    assert!(answer.contains("Missing Signature"), "{answer}");
}

#[test]
fn ten_thousand_idle_connections_do_not_delay_others() {
    let count = raise_descriptors(10_000);
    let home = Home::new();
    let server = home.serve();
    let mut idle = Vec::with_capacity(count);
    for number in 0..count {
        let mut stream = connect(&server);
        // Some send the start of a request.
        if number % 3 == 0 {
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost:");
        }
        idle.push(stream);
        if number % 2500 == 2499 {
            assert_answers(&server);
        }
    }
    assert_answers(&server);
    assert!(server.memory_peak() <= PEAK_BYTES_MAX, "{}", server.memory_peak());
    drop(idle);
    server.stop();
}

#[test]
fn incomplete_bodies_do_not_delay_others() {
    raise_descriptors(1000);
    let home = Home::new();
    let server = home.serve();
    let large = 8 << 20;
    // Only heads, bodies without their last byte, and bodies that fill the memory for bodies.
    for sent in [0, 1, 69_999, 1 << 20] {
        let length = if sent < 70_000 { 70_000 } else { large };
        let mut waiting = Vec::new();
        for _ in 0..200 {
            let mut stream = connect(&server);
            let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
            stream.write_all(head.as_bytes()).unwrap();
            // The server may have closed the connection.
            let _ = stream.write_all(&vec![b'x'; sent]);
            waiting.push(stream);
        }
        assert_answers(&server);
    }
    assert!(server.memory_peak() <= PEAK_BYTES_MAX, "{}", server.memory_peak());
    server.stop();
}

/// Each piece needs memory in proportion to its size: kept apart, these would need more than twice [`PIECES_BYTES_MAX`].
#[test]
fn a_body_in_small_pieces_needs_little_memory() {
    let home = Home::new();
    let server = home.serve();
    assert_answers(&server);
    let before = server.memory_peak();
    let mut stream = connect(&server);
    stream.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
    let pieces = b"1\r\nx\r\n".repeat(100_000);
    for _ in 0..3 {
        stream.write_all(&pieces).unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    stream.set_read_timeout(Some(crate::home::PATIENCE)).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    let more = server.memory_peak() - before;
    assert!(more <= PIECES_BYTES_MAX, "{more}");
    server.stop();
}

/// With few descriptors fewer connections are kept, and the newest client is still accepted.
#[test]
fn a_server_with_few_descriptors_accepts_new_clients() {
    let home = Home::new();
    let binary = env!("CARGO_BIN_EXE_jingku");
    let script = format!("ulimit -n 256 && exec {binary} serve --listen 127.0.0.1:0");
    let server = Server::start(&mut home.other_command("sh", &["-c", &script]));
    let idle: Vec<_> = (0..600).map(|_| connect(&server)).collect();
    assert_answers(&server);
    drop(idle);
    server.stop();
}
