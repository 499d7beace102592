//! Fail-over by Patroni and etcd of Debian. It takes as long as a lease of Patroni, at least 20 s, so it runs on request:
//! CONTRIBUTING.md.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jingku_catalog::testing::run_sql;
use tempfile::TempDir;

use crate::database_failures::{Load, assert_exact, start};
use crate::support::INSTANCE;

/// The user and group `nobody` of Debian: PostgreSQL refuses to run as root.
const NOBODY: u32 = 65_534;
/// The longest that a test waits for a state of a server.
const PATIENCE: Duration = Duration::from_mins(2);

/// Two servers of PostgreSQL with a Patroni each, and one etcd.
struct Cluster {
    folder: TempDir,
    etcd: Option<Child>,
    nodes: Vec<Node>,
}

struct Node {
    patroni: Child,
    data: PathBuf,
    database_port: u16,
    api_port: u16,
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").unwrap().flatten();
    versions.map(|version| version.path().join("bin")).max().unwrap()
}

/// Runs a program as `nobody`, with its output in a file of the folder.
fn spawn(folder: &Path, log: &str, program: &str, args: &[&str]) -> Child {
    let log = File::create(folder.join(log)).unwrap();
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).uid(NOBODY).gid(NOBODY).process_group(0).stdin(Stdio::null());
    command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

impl Cluster {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        let (client, peer) = (free_port(), free_port());
        let (client_url, peer_url) =
            (format!("http://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer}"));
        let cluster = format!("default={peer_url}");
        let args = [
            ["--listen-client-urls", &client_url],
            ["--advertise-client-urls", &client_url],
            ["--listen-peer-urls", &peer_url],
            ["--initial-advertise-peer-urls", &peer_url],
            ["--initial-cluster", &cluster],
            ["--data-dir", "etcd"],
        ];
        let etcd = spawn(folder.path(), "etcd.log", "etcd", args.as_flattened());
        let mut cluster = Self { folder, etcd: Some(etcd), nodes: Vec::new() };
        for (name, state) in [("a", "primary"), ("b", "sync")] {
            cluster.add(name, client);
            cluster.nodes.last().unwrap().wait_for(state);
        }
        cluster
    }

    fn add(&mut self, name: &str, etcd: u16) {
        let (folder, programs) = (self.folder.path(), programs());
        let (database_port, api_port) = (free_port(), free_port());
        let data = folder.join(name);
        let config = format!(
            "scope: jingku
name: {name}
restapi: {{listen: '127.0.0.1:{api_port}', connect_address: '127.0.0.1:{api_port}'}}
etcd3: {{host: '127.0.0.1:{etcd}'}}
bootstrap:
  dcs: {{ttl: 20, loop_wait: 1, retry_timeout: 3, synchronous_mode: true}}
  initdb: [{{encoding: UTF8}}, {{locale: C.UTF-8}}]
  pg_hba: [host all all 127.0.0.1/32 trust, host replication all 127.0.0.1/32 trust]
postgresql:
  listen: 127.0.0.1:{database_port}
  connect_address: 127.0.0.1:{database_port}
  data_dir: {data}
  bin_dir: {programs}
  pgpass: {folder}/pgpass-{name}
  authentication: {{superuser: {{username: jingku}}, replication: {{username: replicator}}}}
  parameters: {{unix_socket_directories: '{folder}', max_connections: 200}}
",
            data = data.display(),
            programs = programs.display(),
            folder = folder.display(),
        );
        let file = folder.join(format!("{name}.yml"));
        fs::write(&file, config).unwrap();
        let patroni = spawn(folder, &format!("{name}.log"), "patroni", &[file.to_str().unwrap()]);
        self.nodes.push(Node { patroni, data, database_port, api_port });
    }

    /// The URL of a database on whichever server accepts changes.
    fn url(&self, database: &str) -> String {
        let hosts = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.database_port));
        format!("postgres://jingku@{}/{database}", hosts.collect::<Vec<_>>().join(","))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.nodes.iter_mut().for_each(Node::kill);
        if let Some(mut etcd) = self.etcd.take() {
            // It may have ended.
            let _ = etcd.kill();
            let _ = etcd.wait();
        }
    }
}

impl Node {
    /// Waits until Patroni says that the server is in a state.
    fn wait_for(&self, state: &str) {
        let begun = Instant::now();
        while !self.is(state) {
            assert!(begun.elapsed() < PATIENCE, "{} is not {state}", self.data.display());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn is(&self, state: &str) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.api_port)) else { return false };
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let request = format!("GET /{state} HTTP/1.0\r\n\r\n");
        let mut answer = String::new();
        let answered = stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_string(&mut answer));
        answered.is_ok() && answer.split(' ').nth(1) == Some("200")
    }

    /// Ends Patroni and PostgreSQL as a loss of the machine does.
    fn kill(&mut self) {
        // Each may have ended.
        let _ = self.patroni.kill();
        let _ = self.patroni.wait();
        let postmaster = fs::read_to_string(self.data.join("postmaster.pid")).unwrap_or_default();
        if let Some(pid) = postmaster.lines().next() {
            let _ = Command::new("kill").args(["-KILL", pid]).status();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs root, Patroni and etcd, and takes a minute"]
async fn patroni_replaces_a_lost_primary() {
    let mut cluster = Cluster::start();
    run_sql(&cluster.url("postgres"), "CREATE DATABASE jingku").await;
    let (service, caller, base) = start(cluster.url("jingku")).await;
    let load = Load::start(caller.clone(), &base, "a");
    tokio::time::sleep(Duration::from_secs(1)).await;
    let lost = Instant::now();
    tokio::task::block_in_place(|| {
        cluster.nodes[0].kill();
        cluster.nodes[1].wait_for("primary");
    });
    println!("the replica was promoted after {:?}", lost.elapsed());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let load = load.end().await;
    println!("{} changes were acknowledged; the longest request took {:?}", load.ids.len(), load.longest);
    assert_exact(&caller, &base, &[load]).await;
    let id = service.make(INSTANCE, "later").await;
    assert_eq!(caller.image(&id).await["Status"], "Available");
}
