//! A container of 300 MB: memory of the server, and a pull of an image that is deleted meanwhile.

use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jingku_engine::testing::Kind;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Bench, skopeo};
use crate::home::PATIENCE;

/// The most memory of the server, in bytes.
const PEAK_BYTES_MAX: u64 = 128 << 20;

/// Begins to read the layer of an image. The first MB of the answer is read.
struct Reading {
    stream: TcpStream,
    head: Vec<u8>,
}

impl Reading {
    fn begin(bench: &Bench, image: &Value, digest: &str) -> Self {
        let mut stream = TcpStream::connect(bench.server.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let credentials = BASE64_STANDARD.encode(bench.home.key_pair().join(":"));
        let repository = image["Repository"].as_str().unwrap();
        let request = format!(
            "GET /v2/{repository}/blobs/{digest} HTTP/1.1\r\nHost: jingku\r\nConnection: close\r\n\
             Authorization: Basic {credentials}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut head = vec![0; 1 << 20];
        stream.read_exact(&mut head).unwrap();
        assert!(head.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&head[..300]));
        let body = head.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
        head.drain(..body);
        Self { stream, head }
    }

    /// Reads the rest. Returns the digest of the whole layer.
    fn finish(mut self) -> String {
        let mut hash = Sha256::new();
        hash.update(&self.head);
        let mut piece = vec![0; 1 << 20];
        loop {
            match self.stream.read(&mut piece).unwrap() {
                0 => return format!("sha256:{}", hex::encode(hash.finalize())),
                length => hash.update(&piece[..length]),
            }
        }
    }
}

#[test]
fn a_large_container_is_saved_and_pulled_in_little_memory_even_when_it_is_deleted_meanwhile() {
    let Some(bench) = Bench::start(Kind::Podman) else { return };
    bench.exec("dd if=/dev/urandom of=/root/model bs=1M count=300 2>/dev/null");
    let image = bench.save("large");
    let saved_peak = bench.server.memory_peak();
    assert!(saved_peak <= PEAK_BYTES_MAX, "{saved_peak} bytes for a save");
    let name = bench.pull(&image);
    let pulled_peak = bench.server.memory_peak();
    assert!(pulled_peak <= PEAK_BYTES_MAX, "{pulled_peak} bytes for a pull");
    println!("peak {saved_peak} bytes after the save, {pulled_peak} after the pull");
    let sum = "md5sum /root/model";
    assert_eq!(bench.in_image(&name, sum), bench.exec(sum));

    let inspected: Value =
        serde_json::from_str(&skopeo(&bench, &["inspect"], &image).succeeded().out).unwrap();
    let digest = inspected["Layers"][0].as_str().unwrap();
    let reading = Reading::begin(&bench, &image, digest);
    bench.home.purge(image["CompShareImageId"].as_str().unwrap());
    bench.home.run(&["sweep"]).succeeded();
    // A pull that began before ends well.
    assert_eq!(reading.finish(), digest);
    bench.home.run(&["sweep"]).succeeded();
    bench.engine.run(&["rmi", "-f", &name]);
    let again = skopeo(&bench, &["inspect"], &image);
    assert!(again.code != Some(0) && again.err.contains("known"), "{again:?}");
    bench.assert_sound(1, "swept");
    bench.server.stop();
}
