//! Three servers in network namespaces under traffic, while links break and one of them is lost.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use jingku_catalog::testing::{PostgresServer, chosen_database};
use jingku_chunks::S3Server;
use serde_json::{Value, json};

use super::Host;
use super::network::{Network, Way};
use super::traffic::{Traffic, assert_kept, assert_used, bytes_of, work_during};
use crate::client::block_on;
use crate::crash::assert_killed;
use crate::home::until;
use crate::server::Server;
use crate::soak::python::{SCRIPT, python};

/// A machine, its disks, and the number of its namespace.
struct Machine {
    host: Host,
    number: u8,
}

impl Machine {
    fn serve(&self, network: &Network, failpoint: Option<&str>) -> Server {
        let listen = format!("{}:8480", Network::address(Way::Clients, self.number));
        let mut command = network.on(self.number, &self.host.serve_command_at(&listen));
        if let Some(failpoint) = failpoint {
            command.env("JINGKU_FAILPOINT", failpoint);
        }
        Server::start(&mut command)
    }
}

/// A PostgreSQL server that the machines reach. Also returns the URL of a database.
fn start_database() -> Option<(PostgresServer, String)> {
    let address = Network::address(Way::Database, 0);
    let server = PostgresServer::start(&format!("listen_addresses = '{address}'"))?;
    let rules = server.folder().join("data/pg_hba.conf");
    let mut rules = fs::OpenOptions::new().append(true).open(rules).unwrap();
    writeln!(rules, "host all all 10.0.0.0/8 trust").unwrap();
    server.control(&["reload"]);
    block_on(server.create_database("cluster"));
    Some((server, format!("postgresql://jingku@{address}/cluster?sslmode=disable")))
}

/// Starts a client that is the Python SDK; `None` where it is not installed, except in CI.
fn start_python(host: &Host, server: &Server) -> Option<Child> {
    let Some(python) = python() else {
        assert!(std::env::var_os("CI").is_none(), "run cargo xtask test --only python");
        println!("without the Python SDK, which is not installed");
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCRIPT);
    let mut command = host.0.other_command(python.to_str().unwrap(), &[script.to_str().unwrap()]);
    command.args([&server.base_url, "first", "first-secret", "uhost-b", "python", "1"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(b"[]\n").unwrap();
    Some(child)
}

/// Ends it, and returns the ids of the images that must be listed.
fn stop_python(mut child: Child) -> Vec<String> {
    drop(child.stdin.take());
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(child.wait().unwrap().success());
    let report: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(report["ended"], Value::Null, "{report}");
    assert!(report["answered"].as_u64() > Some(0), "{report}");
    println!("the Python SDK got {} answers", report["answered"]);
    let listed = report["images"].as_array().unwrap().iter().filter(|image| image["places"] == 1);
    listed.map(|image| image["id"].as_str().unwrap().to_owned()).collect()
}

/// What happens to the machines, while clients use them.
fn break_things(network: &Network, [a, b, c]: [&Machine; 3], server_c: &mut Server) {
    let is_live = |name: &str| b.host.1.is_live(name);
    // The database: another server may take over, and it is back later.
    network.cut(a.number, Way::Database);
    until("the lease has ended", || !is_live("a"));
    network.repair(a.number, Way::Database);
    until("the server is back", || is_live("a"));
    // The bucket: jobs wait.
    network.cut(b.number, Way::Bucket);
    c.host.run(&["sweep"]);
    thread::sleep(Duration::from_secs(2));
    network.repair(b.number, Way::Bucket);
    // The others pass their files on over the slow one.
    network.slow_down(a.number, Way::Database);
    network.slow_down(a.number, Way::Bucket);
    b.host.run(&["trash", "empty"]).succeeded();
    // Lost in the middle of an image.
    c.host.run(&["image", "create", "--instance", "uhost-c", "--name", "lost"]).succeeded();
    assert_killed(server_c.wait(), "store.chunk_put:3");
    b.host.run(&["cluster", "forget", "c"]).failed(3, &["was alive"]);
    until("the lease has ended", || !is_live("c"));
    b.host.run(&["sweep"]).succeeded();
}

#[test]
fn nothing_acknowledged_is_lost_while_links_break_and_a_server_is_lost() {
    if block_on(chosen_database()).is_none() {
        return;
    }
    let Some(mut network) = Network::start() else { return };
    let Some((_postgres, database)) = start_database() else { return };
    let folder = tempfile::tempdir().unwrap();
    let s3 = S3Server::start_on(folder.path(), &["images"], Network::socket(Way::Bucket)).unwrap();
    let [a, b, c] = ["a", "b", "c"].map(|name| {
        let settings = "plain_http_on_public_addresses = true";
        let host = Host::over(name, settings, &database, &s3.endpoint());
        Machine { host, number: network.add_machine() }
    });
    let (server_a, server_b) = (a.serve(&network, None), b.serve(&network, None));
    let mut server_c = c.serve(&network, Some("store.chunk_put:3"));
    for (machine, id) in [(&a, "uhost-a"), (&b, "uhost-b"), (&c, "uhost-c")] {
        machine.host.add_instance(id, &bytes_of(id));
    }
    let urls = [&server_a, &server_b, &server_c].map(|server| server.base_url.clone());
    let mut clients =
        [(1, "uhost-a"), (2, "uhost-b")].map(|(number, instance)| Traffic::new(number, instance, &urls));
    let python = start_python(&b.host, &server_b);
    work_during(&mut clients, || break_things(&network, [&a, &b, &c], &mut server_c));
    let python = python.map(stop_python).unwrap_or_default();

    // What belonged to the lost server has ended, and its name is free.
    let forgotten = b.host.json(&["cluster", "forget", "c"]);
    assert_eq!(forgotten, json!({ "Name": "c", "RemovedInstances": 1, "FailedJobs": 1, "FailedUploads": 0 }));
    b.host.run(&["cluster", "forget", "c"]).failed(3, &["There is no server"]);
    let lost = b.host.image("lost").unwrap();
    assert_eq!(lost["Status"], "UnAvailable", "{lost}");
    let instances = b.host.json(&["instance", "list"]);
    assert!(instances.as_array().unwrap().iter().all(|row| row["Host"] != "c"), "{instances}");

    assert_kept(&b.host, &clients, &python);
    b.host.run(&["trash", "empty"]).succeeded();
    b.host.run(&["sweep"]).succeeded();
    b.host.assert_intact();
    assert_used(&clients);
    server_a.stop();
    server_b.stop();
}
