//! haproxy and nginx in front of two servers, with the configurations in docs/operate.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use compshare::actions::ImportCompShareCustomImageRequest;
use serde_json::Value;

use super::documented::{block, replaced};
use super::{Host, Shared};
use crate::client::{block_on, client_at};
use crate::disk;
use crate::home::{Ended, PATIENCE, until};
use crate::server::Server;

/// The address from which nginx connects to servers; the only one that they trust.
const PROXY: &str = "127.0.0.5";

/// A running balancer; ended when dropped.
struct Balancer {
    child: Child,
    address: String,
    /// The file with its log, if it has one.
    log: Option<PathBuf>,
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Balancer {
    fn haproxy(host: &Host, port: u16, [one, two]: [&Server; 2]) -> Option<Self> {
        let defaults = "defaults\n    timeout connect 5s\n    timeout client 60s\n    timeout server 60s\n";
        let bind = format!("bind 127.0.0.1:{port}");
        let documented = replaced(
            block("scale.md", "haproxy"),
            &[
                ("bind :443 ssl crt /etc/haproxy/images.example.com.pem", &bind),
                ("10.0.0.1:8480", one.address()),
                ("10.0.0.2:8480", two.address()),
                (" check\n", " check inter 100ms fall 1 rise 1\n"),
            ],
        );
        let config = host.0.file("haproxy.cfg", format!("{defaults}{documented}").as_bytes());
        Self::start("haproxy", &["-db", "-f", &config], port)
    }

    fn nginx(host: &Host, port: u16, [one, two]: [&Server; 2]) -> Option<Self> {
        let servers = [("10.0.0.1:8480", one.address()), ("10.0.0.2:8480", two.address())];
        let upstream = replaced(block("scale.md", "nginx"), &servers);
        let listen = format!("listen 127.0.0.1:{port}");
        let server = replaced(
            block("tls.md", "nginx"),
            &[
                ("listen 443 ssl", &listen),
                ("ssl_certificate ", "# "),
                ("ssl_certificate_key ", "# "),
                ("http://127.0.0.1:8480", "http://jingku"),
                ("location / {", &format!("proxy_bind {PROXY};\n    location / {{")),
            ],
        );
        let folder = host.0.path("nginx").display().to_string();
        fs::create_dir(&folder).unwrap();
        let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let places = places.map(|of| format!("{of}_temp_path {folder}/{of};\n")).concat();
        let text = format!(
            "daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log {folder}/error.log warn;\n\
             events {{}}\nhttp {{\naccess_log off;\n{places}{upstream}{server}}}\n"
        );
        let config = host.0.file("nginx/nginx.conf", text.as_bytes());
        let log = format!("{folder}/error.log");
        let mut balancer = Self::start("nginx", &["-c", &config, "-e", &log], port)?;
        balancer.log = Some(log.into());
        Some(balancer)
    }

    /// `None` where the program is not installed, except in CI.
    fn start(program: &str, args: &[&str], port: u16) -> Option<Self> {
        // A user's PATH often lacks the folders of system programs.
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin";
        let mut command = Command::new("env");
        command.arg(format!("PATH={path}")).arg(program).args(args);
        let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = silent.spawn().unwrap();
        let address = format!("127.0.0.1:{port}");
        let mut ended = None;
        until("it listens, or is not installed", || {
            ended = child.try_wait().unwrap();
            ended.is_some() || TcpStream::connect(&address).is_ok()
        });
        match ended.map(|status| status.code()) {
            None => Some(Self { child, address, log: None }),
            Some(Some(127)) => {
                assert!(std::env::var_os("CI").is_none(), "{program} is not installed");
                println!("skipped: {program} is not installed");
                None
            }
            Some(code) => panic!("{program} ended with {code:?}"),
        }
    }

    fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends a request in parts, with a pause after each, and returns the whole response.
    fn exchange(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        for part in parts {
            stream.write_all(part).unwrap();
            thread::sleep(Duration::from_millis(300));
        }
        let mut response = Vec::new();
        stream.read_to_end(&mut response).unwrap();
        response
    }
}

/// The line and the fields of a request for a URL.
fn head(method: &str, url: &str, fields: &str) -> String {
    let target = url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..])).unwrap();
    format!("{method} {target} HTTP/1.1\r\nHost: images\r\nConnection: close\r\n{fields}\r\n")
}

/// Uploads a body without a length that arrives slowly.
fn upload_slowly(balancer: &Balancer) {
    let client = client_at(&balancer.base_url(), "first", "first-secret");
    let request = ImportCompShareCustomImageRequest { name: "slow".into(), ..Default::default() };
    let import = block_on(client.import_comp_share_custom_image(&request)).unwrap();
    let part = disk::bytes(2, 3);
    let chunk = [format!("{:x}\r\n", part.len()).as_bytes(), &part, b"\r\n"].concat();
    let fields = "Upload-Offset: 0\r\nTransfer-Encoding: chunked\r\n";
    let patch = head("PATCH", &import.url, fields);
    let parts = [patch.as_bytes(), &chunk, &chunk, &chunk, b"0\r\n\r\n"];
    let answer = String::from_utf8(balancer.exchange(&parts)).unwrap().to_lowercase();
    let received = format!("upload-offset: {}\r\n", 3 * part.len());
    assert!(answer.starts_with("http/1.1 204") && answer.contains(&received), "{answer}");
}

/// Two servers behind a balancer.
fn a_client_does_not_notice_which_server_answers(
    settings: &str,
    start: impl Fn(&Host, u16, [&Server; 2]) -> Option<Balancer>,
    while_both_run: impl Fn(&Host, &Balancer),
) {
    let Some(shared) = Shared::new() else { return };
    let port = free_port();
    let public = format!("public_url = 'http://127.0.0.1:{port}'");
    let [a, b] = ["a", "b"].map(|name| shared.host(name, &format!("{public}\n{settings}")));
    let (server_a, server_b) = (a.serve(), b.serve());
    let Some(balancer) = start(&a, port, [&server_a, &server_b]) else { return };
    a.add_instance("uhost-a", &disk::bytes(5, 1));
    b.add_instance("uhost-b", &disk::bytes(7, 2));
    let run =
        |args: &[&str]| Ended::of(b.command(args).env("JINGKU_BASE_URL", balancer.base_url())).succeeded();
    let json = |args: &[&str]| {
        let ended = run(&[args, &["--json"]].concat());
        serde_json::from_str::<Value>(&ended.out).unwrap_or_else(|error| panic!("{error}: {}", ended.out))
    };
    let make = |instance: &str, name: &str| {
        let image = json(&["image", "create", "--instance", instance, "--name", name, "--wait"]);
        image["CompShareImageId"].as_str().unwrap().to_owned()
    };
    let export = |id: &str| {
        let file = b.0.path("export.raw");
        run(&["image", "export", id, "-o", file.to_str().unwrap()]);
        let bytes = fs::read(&file).unwrap();
        fs::remove_file(file).unwrap();
        bytes
    };
    let ids = [make("uhost-a", "of-a"), make("uhost-b", "of-b")];
    for number in 0..4 {
        let bytes = disk::bytes(9, 10 + number);
        let file = b.0.file("import.raw", &bytes);
        let imported = json(&["image", "import", &file, "--name", &format!("import-{number}"), "--wait"]);
        assert!(export(imported["CompShareImageId"].as_str().unwrap()) == bytes);
    }
    let jobs = |server: &Server| server.log().matches("image made").count();
    assert_eq!(jobs(&server_a) + jobs(&server_b), 6);
    while_both_run(&b, &balancer);

    // A link needs no key.
    let link = run(&["image", "url", &ids[0]]).out;
    let response = balancer.exchange(&[head("GET", link.trim(), "").as_bytes()]);
    assert!(response.ends_with(&disk::bytes(5, 1)) && response.starts_with(b"HTTP/1.1 200"));

    upload_slowly(&balancer);
    if let Some(log) = &balancer.log {
        let log = fs::read_to_string(log).unwrap();
        assert!(!log.contains("buffered to a temporary file"), "{log}");
    }

    // The other one continues alone.
    server_a.stop();
    for _ in 0..4 {
        assert!(export(&ids[0]) == disk::bytes(5, 1) && export(&ids[1]) == disk::bytes(7, 2));
    }
    make("uhost-b", "later");
    b.assert_intact();
    server_b.stop();
}

#[test]
fn haproxy_balances_two_servers() {
    a_client_does_not_notice_which_server_answers("", Balancer::haproxy, |_, _| ());
}

#[test]
fn nginx_balances_two_servers_streams_and_names_the_client() {
    let trust = format!("proxies = {{ trusted = ['{PROXY}'] }}");
    let of_the_proxy = |host: &Host, balancer: &Balancer| {
        // Keys see the client of nginx, and not nginx.
        for (from, allowed) in [("127.0.0.1", true), (PROXY, false)] {
            let key = host.json(&["key", "create", "--from", from]);
            let [public, private] = ["PublicKey", "PrivateKey"].map(|name| key[name].as_str().unwrap());
            let url = balancer.base_url();
            let args =
                ["image", "list", "--base-url", &url, "--public-key", public, "--private-key", private];
            let listed = host.run(&args);
            if allowed {
                listed.succeeded();
            } else {
                listed.failed(4, &["IP Denied"]);
            }
        }
    };
    a_client_does_not_notice_which_server_answers(&trust, Balancer::nginx, of_the_proxy);
}
