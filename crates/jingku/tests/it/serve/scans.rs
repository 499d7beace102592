//! Searches over every image of a large account do not delay short requests.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use jingku_catalog::{AccountId, Catalog, ImageStatus, SeedImage, SeedImages};
use jingku_protocol::{Params, sign_request};

use crate::client::block_on;
use crate::home::Home;
use crate::server::Server;

const IMAGES: usize = 100_000;
const CLIENTS: usize = 8;
/// How often each short request is sent.
const REQUESTS: usize = 150;
/// The 99th percentile of short requests, on a busy machine. Eight searches one after another take more than a second.
const P99_MAX: Duration = Duration::from_millis(400);

const KEYS: [&str; 2] = ["public", "private"];

/// A persistent connection.
struct Client(BufReader<TcpStream>);

impl Client {
    fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(crate::home::PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    fn list(&mut self, name: Option<&str>) -> String {
        let params = Params::for_action("DescribeCompShareCustomImages").text("Name", name);
        let form = sign_request(params, KEYS[0], KEYS[1]).to_form();
        self.ask("POST /", &form)
    }

    fn ask(&mut self, head: &str, body: &str) -> String {
        let mut request = format!("{head} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n", body.len());
        write!(request, "Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}").unwrap();
        self.0.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            self.0.read_line(&mut line).unwrap();
            let value = line.to_ascii_lowercase();
            if let Some(value) = value.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut answer = vec![0; length];
        self.0.read_exact(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    }
}

/// The 99th percentile of the time of a request.
fn p99(mut ask: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..REQUESTS)
        .map(|_| {
            let started = Instant::now();
            ask();
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[REQUESTS - REQUESTS / 100 - 1]
}

/// Asserts that short requests stay fast while other clients search.
fn assert_short_requests_stay_fast(server: &Server) {
    let (stop, scans) = (AtomicBool::new(false), AtomicU64::new(0));
    let (health, page) = thread::scope(|threads| {
        for number in 0..CLIENTS {
            let (stop, scans) = (&stop, &scans);
            threads.spawn(move || {
                let mut client = Client::connect(server);
                while !stop.load(Ordering::Relaxed) {
                    let answer = client.list(Some(&format!("no-image-{number}")));
                    assert!(answer.contains("\"TotalCount\":0"), "{answer}");
                    scans.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let mut client = Client::connect(server);
        client.list(None);
        let health = p99(|| assert_eq!(client.ask("GET /healthz", ""), "ok\n"));
        let page = p99(|| {
            let answer = client.list(None);
            assert!(answer.contains(&format!("\"TotalCount\":{IMAGES}")), "{answer}");
        });
        crate::home::until("every client got an answer", || {
            scans.load(Ordering::Relaxed) >= u64::try_from(CLIENTS).unwrap()
        });
        stop.store(true, Ordering::Relaxed);
        (health, page)
    });
    println!("p99 beside {CLIENTS} searches: health {health:?}, page {page:?}");
    assert!(health < P99_MAX && page < P99_MAX, "health {health:?}, page {page:?}");
}

#[test]
fn searches_do_not_delay_short_requests_with_a_catalogue_on_disk() {
    let home = Home::new();
    let keys = [("JINGKU_PUBLIC_KEY", KEYS[0]), ("JINGKU_PRIVATE_KEY", KEYS[1])];
    let start = || home.serve_with(&[], &keys);
    start().stop();
    let images: Vec<_> = (0..IMAGES).map(image).collect();
    block_on(async {
        let catalog = Catalog::open_sqlite(&home.data().join("catalog.db")).await.unwrap();
        assert_eq!(catalog.seed_images(&images, &[], 0).await.unwrap(), SeedImages::Seeded);
    });
    let server = start();
    assert_short_requests_stay_fast(&server);
    server.stop();
}

#[test]
fn searches_do_not_delay_short_requests_with_a_catalogue_in_memory() {
    let home = Home::new();
    let [public, private] = KEYS;
    let fixtures = format!(
        "[[accounts]]\nname = 'lab'\nkeys = [{{ public_key = '{public}', private_key = '{private}' }}]\n\
         [[images]]\nname = 'nightly'\ncount = {IMAGES}\n"
    );
    std::fs::write(home.path("lab.toml"), fixtures).unwrap();
    let server = home.serve_with(&["--ephemeral", "--fixtures", "lab.toml"], &[]);
    assert_short_requests_stay_fast(&server);
    server.stop();
}

fn image(number: usize) -> SeedImage<'static> {
    SeedImage {
        id: format!("compshareImage-{number:012}"),
        account: AccountId(1),
        name: format!("训练环境-{number}"),
        status: ImageStatus::Available,
        description: "PyTorch 2.7 with CUDA 12.8, Jupyter and the data loaders of the vision group",
        readme: "",
        tags: &[],
        supported_gpu_types: &[],
        price_cents: 0,
        failed_reason: "",
        create_time: 1_712_563_200 + i64::try_from(number / 3).unwrap(),
        region: "cn-wlcb",
        zone: "cn-wlcb-01",
        source_gpu_type: "4090",
        source_instance_id: "",
        size_bytes: 1 << 30,
        manifest: None,
        done_bytes: 0,
        container: false,
        platform_type: "",
        shared_with: &[],
        version: None,
    }
}
