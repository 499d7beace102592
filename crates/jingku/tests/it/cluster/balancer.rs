//! haproxy in front of two servers, as docs/operate/scale.md configures it.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::{Host, Shared};
use crate::disk;
use crate::home::{Ended, until};
use crate::server::Server;

/// A running haproxy; ended when dropped.
struct Balancer {
    child: Child,
    base_url: String,
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
    /// `None` where haproxy is not installed, except in CI.
    fn start(home: &Host, port: u16, servers: &[&Server]) -> Option<Self> {
        let lines = servers.iter().enumerate().map(|(number, server)| {
            format!("    server gpu-{number} {} check inter 100ms fall 1 rise 1\n", server.address())
        });
        let servers: String = lines.collect();
        let text = format!(
            "defaults\n    timeout connect 5s\n    timeout client 60s\n    timeout server 60s\n\
             frontend jingku\n    mode http\n    bind 127.0.0.1:{port}\n    default_backend jingku\n\
             backend jingku\n    mode http\n    balance roundrobin\n    option httpchk GET /readyz\n\
             \x20   option forwardfor\n{servers}"
        );
        let config = home.0.file("haproxy.cfg", text.as_bytes());
        let started = Command::new("haproxy")
            .args(["-db", "-f", &config])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = match started {
            Ok(child) => child,
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "haproxy: {error}");
                println!("skipped: haproxy is not installed");
                return None;
            }
        };
        let balancer = Self { child, base_url: format!("http://127.0.0.1:{port}") };
        until("haproxy listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(balancer)
    }
}

#[test]
fn a_client_of_a_balancer_does_not_notice_which_server_answers() {
    let Some(shared) = Shared::new() else { return };
    let port = free_port();
    let settings = format!("public_url = 'http://127.0.0.1:{port}'");
    let [a, b] = ["a", "b"].map(|name| shared.host(name, &settings));
    let (mut server_a, server_b) = (a.serve(), b.serve());
    let Some(balancer) = Balancer::start(&a, port, &[&server_a, &server_b]) else { return };
    a.add_instance("uhost-a", &disk::bytes(5, 1));
    b.add_instance("uhost-b", &disk::bytes(7, 2));
    let run =
        |args: &[&str]| Ended::of(b.command(args).env("JINGKU_BASE_URL", &balancer.base_url)).succeeded();
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
        let bytes = std::fs::read(&file).unwrap();
        std::fs::remove_file(file).unwrap();
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
    // The other one continues alone.
    server_a.kill();
    for _ in 0..4 {
        assert!(export(&ids[0]) == disk::bytes(5, 1) && export(&ids[1]) == disk::bytes(7, 2));
    }
    make("uhost-b", "later");
    b.assert_intact();
    server_b.stop();
}
