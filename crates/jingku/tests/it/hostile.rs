//! Concurrent requests made to exhaust memory, signed and unsigned: the server stays below a limit and answers others.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use jingku_protocol::{MAX_BODY_BYTES, Params, sign_request};

use crate::home::{Home, PATIENCE};
use crate::server::Server;

/// The most memory that a server may use for any requests: SECURITY.md.
const PEAK_BYTES_MAX: u64 = 128 << 20;
/// How long `/healthz` may take during the load, on a machine that is busy with other tests.
const HEALTH_MAX: Duration = Duration::from_secs(5);
/// As many concurrent clients as once exhausted a server's memory.
const AT_ONCE: usize = 16;
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const LIST: &str = "DescribeCompShareCustomImages";
const UPDATE: &str = "UpdateCompShareImage";

/// A persistent connection.
struct Connection {
    address: String,
    stream: BufReader<TcpStream>,
}

impl Connection {
    fn open(server: &Server) -> Self {
        let address = server.address().to_owned();
        Self { stream: connect(&address), address }
    }

    /// Posts a body and reads the answer; reconnects if the server has closed the connection.
    fn post(&mut self, content_type: &str, extra: &str, body: &[u8]) -> String {
        let head = format!(
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\n{extra}Content-Length: {}\r\n\r\n",
            body.len()
        );
        // A server that refuses a body need not read it.
        let sent = self
            .stream
            .get_mut()
            .write_all(head.as_bytes())
            .and_then(|()| self.stream.get_mut().write_all(body));
        let answer = self.answer();
        if sent.is_err() || answer.is_none() {
            self.stream = connect(&self.address);
        }
        answer.unwrap_or_default()
    }

    fn call(&mut self, keys: &[String; 2], params: Params) -> String {
        let signed = sign_request(params, &keys[0], &keys[1]);
        self.post(FORM, "", signed.to_form().as_bytes())
    }

    fn answer(&mut self) -> Option<String> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok()?;
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).ok()?;
        String::from_utf8(body).ok()
    }
}

fn connect(address: &str) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    BufReader::new(stream)
}

/// Runs the same work on several connections at once, while another polls `/healthz`.
fn at_once(server: &Server, what: &str, work: impl Fn(&mut Connection, usize) + Sync) {
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE)
            .map(|number| {
                let work = &work;
                scope.spawn(move || work(&mut Connection::open(server), number))
            })
            .collect();
        while workers.iter().any(|worker| !worker.is_finished()) {
            let started = Instant::now();
            assert_eq!(server.get("/healthz"), "ok\n");
            let took = started.elapsed();
            assert!(took < HEALTH_MAX, "{what}: /healthz took {took:?}");
            thread::sleep(Duration::from_millis(50));
        }
        for worker in workers {
            worker.join().unwrap();
        }
    });
    let peak = server.memory_peak();
    println!("{what}: {} MiB", peak >> 20);
    assert!(peak <= PEAK_BYTES_MAX, "{what}: {peak} bytes");
}

/// `start` and `end` around repetitions of `piece`, up to the longest body.
fn filled(start: &str, piece: &str, end: &str) -> Vec<u8> {
    let room = MAX_BODY_BYTES - start.len() - end.len();
    [start, &piece.repeat(room / piece.len()), end].concat().into_bytes()
}

/// Bodies of the largest size that are, or were, costly to parse.
fn large_bodies() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        (JSON, filled("{\"a\":[", "1,", "1]}")),
        (JSON, filled("{\"a\":[", "{},", "1]}")),
        (JSON, filled("{\"a\":", "[", "")),
        (JSON, filled("{", "\"a\":1,", "\"b\":1}")),
        (JSON, filled("{\"a\":{\"b\":{\"c\":[[[\"", "x", "\"]]]}}}")),
        (JSON, filled("{\"a\":\"", "\\u4e00", "\"}")),
        (JSON, filled("{\"", "n", "\":1}")),
        (JSON, filled("{\"a\":", "9", "}")),
        (JSON, filled("{\"Action\":\"X\",\"Signature\":\"x\",\"PublicKey\":\"", "k", "\"}")),
        (JSON, filled("{\"Action\":\"", "A", "\"}")),
        (FORM, filled("", "a&", "")),
        (FORM, filled("a=", "%41", "")),
        (FORM, filled("a=", "+", "")),
        (FORM, filled("", "a.", "=1")),
        (FORM, filled("", "%41", "=1")),
        (FORM, filled("{\"a\":[", "1,", "1]}")),
        ("multipart/form-data; boundary=x", filled("--x\r\nContent-Disposition: form-data\r\n\r\n", "x", "")),
        ("", filled("", "\u{4e00}", "")),
    ]
}

/// A PNG of the largest dimensions: a few kilobytes that are 48 MiB when decoded.
fn large_picture() -> Vec<u8> {
    let chunk = |name: &[u8], data: &[u8]| {
        let mut crc = Crc::new();
        crc.update(name);
        crc.update(data);
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&length[..], name, data, &crc.sum().to_be_bytes()].concat()
    };
    let mut pixels = ZlibEncoder::new(Vec::new(), Compression::best());
    let row = vec![0; 1 + 4096 * 3];
    for _ in 0..4096 {
        pixels.write_all(&row).unwrap();
    }
    let head = [&4096_u32.to_be_bytes()[..], &4096_u32.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let (head, pixels) = (chunk(b"IHDR", &head), chunk(b"IDAT", &pixels.finish().unwrap()));
    [b"\x89PNG\r\n\x1a\n", &head[..], &pixels, &chunk(b"IEND", b"")].concat()
}

#[test]
fn memory_stays_below_the_limit_under_hostile_requests() {
    let home = Home::new();
    let server = home.serve();
    let keys = home.key_pair();
    home.add_instance("uhost-1", &vec![7; 1 << 20]);
    let image = home.make("uhost-1", "env");
    let list = || Params::for_action(LIST);

    at_once(&server, "unsigned bodies of 8 MiB", |connection, number| {
        let bodies = large_bodies();
        for offset in 0..5 {
            let (content_type, body) = &bodies[(number + 4 * offset) % bodies.len()];
            let answer = connection.post(content_type, "", body);
            assert!(!answer.contains("\"RetCode\":0"), "{answer}");
        }
    });
    at_once(&server, "signed bodies of 8 MiB", |connection, _| {
        // Together they exceed the memory for bodies: some are cut off.
        let is_cut = |answer: &str| answer.is_empty() || answer.contains("did not arrive whole");
        let answer = connection.call(&keys, list().text("Pad", Some(&"x".repeat(MAX_BODY_BYTES - 400))));
        assert!(answer.contains("\"RetCode\":0") || is_cut(&answer), "{answer}");
        let answer = connection.call(&keys, list().text("CompShareImageId", Some(&"i".repeat(6 << 20))));
        let refused = answer.contains("Params [CompShareImageId] not available");
        assert!(refused || is_cut(&answer), "{answer}");
    });
    at_once(&server, "different lists with long filters", |connection, number| {
        for round in 0..200 {
            let tag = |index: usize| format!("{}{number}-{round}-{index}", "镜".repeat(48));
            let tagged =
                (0..32).fold(list(), |call, index| call.text(&format!("Tag.{index}"), Some(&tag(index))));
            assert!(connection.call(&keys, tagged).contains("\"TotalCount\":0"));
            // Matching rows, cached under a key of its own.
            let call = (0..32)
                .fold(list(), |call, index| call.text(&format!("Status.{index}"), Some("Available")))
                .text("CreatedFrom", Some(&round.to_string()))
                .text("Name", Some("env"))
                .text("SizeBelow", Some(&(1000 + number).to_string()));
            let answer = connection.call(&keys, call);
            assert!(answer.contains("\"TotalCount\":1"), "{answer}");
        }
    });
    let readme = Params::for_action(UPDATE).text("CompShareImageId", Some(&image));
    let readme = readme.text("Readme", Some(&"镜".repeat(100_000)));
    assert!(Connection::open(&server).call(&keys, readme).contains("\"RetCode\":0"));
    at_once(&server, "different pages with a long readme", |connection, number| {
        for limit in 1..=40 {
            let call = list()
                .text("CompShareImageId", Some(&image))
                .text("Limit", Some(&limit.to_string()))
                .text("CreatedFrom", Some(&number.to_string()));
            assert!(connection.call(&keys, call).contains("镜镜"));
        }
    });
    let cover = base64(&large_picture());
    at_once(&server, "large pictures", |connection, _| {
        let call = Params::for_action(UPDATE).text("CompShareImageId", Some(&image));
        let answer = connection.call(&keys, call.text("Cover", Some(&cover)));
        assert!(answer.contains("\"RetCode\":0"), "{answer}");
    });
    server.stop();
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
