//! `jingku serve`: start, stop, and reasons not to start.

mod crowds;
mod listen;
mod lost_files;
mod parent;
mod refusals;
mod scans;
mod service_manager;
mod stopping;
mod supervision;
mod tls;
mod traces;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::disk;
use crate::home::{Ended, Home, PATIENCE, until};
use crate::server::Server;

#[test]
fn the_first_line_is_the_base_url_alone() {
    let home = Home::new();
    home.serve().stop();
    let started = Instant::now();
    let mut server = home.serve();
    assert!(started.elapsed() < Duration::from_secs(5), "ready after {:?}", started.elapsed());
    let port = server.base_url.strip_prefix("http://127.0.0.1:").unwrap().parse::<u16>().unwrap();
    assert_ne!(port, 0);
    assert_eq!(server.get("/healthz"), "ok\n");
    assert_eq!(server.get("/readyz"), "ready\n");
    server.signal(Signal::TERM);
    assert_eq!(server.wait().code(), Some(0));
    assert_eq!(server.rest_of_stdout(), "", "only the URL is on standard output");
}

#[test]
fn logs_in_a_file_have_no_colours() {
    let home = Home::new();
    let server = home.serve();
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    home.make("uhost-1", "env");
    let log = server.log();
    assert!(log.contains("image made") && !log.contains('\u{1b}'), "{log}");
}

#[test]
fn the_log_can_be_json_with_the_job_of_each_event() {
    let home = Home::new();
    let server = home.serve_with(&["--log-format", "json"], &[]);
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let image_id = home.make("uhost-1", "env");
    let log = server.log();
    let events: Vec<serde_json::Value> = log
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let made = events.iter().find(|event| event["fields"]["message"] == "image made");
    let made = made.unwrap_or_else(|| panic!("{log}"));
    assert_eq!((&made["level"], &made["fields"]["image_id"]), (&"INFO".into(), &image_id.as_str().into()));
    assert_eq!(
        (&made["span"]["name"], &made["span"]["image_id"]),
        (&"job".into(), &image_id.as_str().into())
    );
    server.stop();
}

/// An action that fails in the server is logged inside the span of its request.
#[test]
fn a_json_log_has_the_request_of_each_event() {
    let home = Home::new();
    let server = home.serve_with(&["--log-format", "json"], &[]);
    home.add_instance("uhost-1", &disk::bytes(1, 0));
    let image_id = home.make("uhost-1", "env");
    fs::remove_dir_all(home.data().join("store/manifests")).unwrap();
    let failed = home.run(&["image", "export", &image_id, "-o", "exported", "--json"]);
    let error: serde_json::Value = serde_json::from_str(&failed.err).unwrap();
    let log = server.log();
    let events = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let event = events.into_iter().find(|event| event["fields"]["message"] == "request failed");
    let event = event.unwrap_or_else(|| panic!("{log}"));
    let request_id = &error["error"]["request_id"];
    assert!(request_id.is_string(), "{error}");
    assert_eq!((&event["span"]["name"], &event["span"]["request_id"]), (&"request".into(), request_id));
    server.stop();
}

#[test]
fn the_first_key_pair_can_come_from_the_environment() {
    let home = Home::new();
    let with_keys = |args: &[&str], private_key: &str| {
        let mut command = home.command(args);
        command.env("JINGKU_PUBLIC_KEY", "my-public").env("JINGKU_PRIVATE_KEY", private_key);
        command
    };
    for _ in 0..2 {
        let server = Server::start(&mut with_keys(&["serve", "--listen", "127.0.0.1:0"], "my-private"));
        let list = ["image", "list"];
        Ended::of(&mut with_keys(&list, "my-private")).succeeded();
        Ended::of(&mut with_keys(&list, "another")).failed(4, &["Signature VerifyAC Error", "171"]);
        server.stop();
    }
    let keys = home.json(&["key", "list"]);
    assert_eq!(keys.as_array().unwrap().len(), 1, "{keys}");
    assert_eq!((&keys[0]["PublicKey"], &keys[0]["AccountId"]), (&"my-public".into(), &1.into()));
    assert!(!home.data().join("credentials.toml").exists(), "a pair from the environment is not stored");
}

#[test]
fn a_stop_finishes_requests_and_releases_the_job() {
    let home = Home::new();
    let source = disk::bytes(1200, 1);
    home.add_instance("uhost-1", &source);
    let mut server = home.serve();
    let mut request = Halfway::open(&server);
    let mut create = home.command(&["image", "create", "--instance", "uhost-1", "--name", "env"]);
    let create = create.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("the job is claimed", || server.log().contains("making image"));

    server.signal(Signal::TERM);
    until("the listener is closed", || TcpStream::connect(server.address()).is_err());
    assert!(request.finish().contains("Missing Signature"), "a running request is answered");
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    assert!(server.log().contains("job given back"), "{}", server.log());

    let created = Ended::from(create.wait_with_output().unwrap()).succeeded();
    let image_id = created.out.trim();
    let server = home.serve();
    home.run(&["image", "progress", image_id, "--wait"]).succeeded();
    // A released job has not failed, so it is the same attempt.
    assert!(server.log().contains("image made") && server.log().contains("attempt=1"), "{}", server.log());
    assert!(home.bytes(image_id) == source, "wrong bytes");
}

/// A request of which the server has read the head.
struct Halfway(BufReader<TcpStream>);

const BODY: &str = "Action=GetRegion";

impl Halfway {
    fn open(server: &Server) -> Self {
        let mut stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: jingku\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n",
            BODY.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        // The server sends this when it reads the body, so the request is being handled.
        reader.read_line(&mut line).unwrap();
        assert!(line.starts_with("HTTP/1.1 100"), "{line}");
        Self(reader)
    }

    fn finish(&mut self) -> String {
        self.0.get_mut().write_all(BODY.as_bytes()).unwrap();
        let mut answer = String::new();
        while !answer.contains('}') && self.0.read_line(&mut answer).unwrap() > 0 {}
        answer
    }
}

#[test]
fn the_demo_prints_commands_and_is_repeatable() {
    let home = Home::new();
    let mut server = home.serve_with(&["--demo"], &[]);
    let shown = server.stdout_until("instance list");
    assert!(shown.contains("my-custom-env") && shown.contains("Available"), "{shown}");
    let commands: Vec<&str> = shown.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    assert_eq!(commands.len(), 4, "{shown}");
    for command in commands {
        Ended::of(&mut home.other_command("sh", &["-c", command])).succeeded();
    }
    assert_eq!(std::fs::read(home.path("disk.raw")).unwrap().len(), 64 << 20);
    server.stop();

    let mut server = home.serve_with(&["--demo"], &[]);
    server.stdout_until("instance list");
    assert_eq!(home.json(&["image", "list"])["TotalCount"], 2);
    assert_eq!(home.json(&["instance", "list"]).as_array().unwrap().len(), 2);
    server.stop();
}
