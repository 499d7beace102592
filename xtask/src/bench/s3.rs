//! `cargo xtask bench s3`: creates an image in an object store and exports it. The reference is the same client library,
//! which sends and reads objects of the same sizes, without hashing, compressing and claiming them.

pub(super) mod object_store;
mod plain_client;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use jingku_chunks::S3Server;

use self::object_store::{BUCKET, ObjectStore};
use self::plain_client::{Object, PlainClient};
use super::daemon::{self, Daemon};
use super::disk;
use super::process::{Server, timed};
use super::report::{Report, Table, mega};
use crate::workspace::{Workspace, run as run_command};

const ROOM_DISKS: u64 = 4;
/// Requests of the plain client in flight: as many as an image has, and the most of a process.
const IN_FLIGHT: [usize; 2] = [16, 64];
/// How long the server's log may be behind its answers.
const LOG_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    disk: disk::Args,
    /// Measure also with an object store that handles every request only after this time; 0 leaves it out.
    #[arg(long, value_name = "MS", default_value_t = 10)]
    latency: u64,
    /// Measure also this binary, such as that of an earlier commit.
    #[arg(long, value_name = "BINARY")]
    against: Option<PathBuf>,
}

pub(super) fn run(workspace: &Workspace, folder: &Path, args: &Args) -> Result<Report> {
    let built = Daemon::build(workspace, folder)?;
    let disk_bytes = args.disk.create(folder, ROOM_DISKS)?.disk;
    let mut rows = Vec::new();
    let latencies = [0, args.latency];
    for (number, latency_ms) in latencies.into_iter().enumerate().take(1 + usize::from(args.latency > 0)) {
        let store = ObjectStore::start(folder, 2 * disk_bytes, latency_ms)?;
        let plain = PlainClient::new(store.endpoint())?;
        let against = args.against.iter().map(|binary| ("before", binary));
        let mut bench = Bench { folder, store, plain, latency_ms, rows: Vec::new() };
        for (name, binary) in [("jingku", &built.binary)].into_iter().chain(against) {
            let data = folder.join(format!("data-{name}-{number}"));
            bench.measure(name, Daemon { binary: binary.clone(), data, database: None })?;
        }
        bench.measure_plain()?;
        rows.append(&mut bench.rows);
    }
    let headings = "latency of the object store, ms | what | seconds | MB/s of objects | CPU seconds | … of the object store";
    let table = Table { headings, rows };
    Report::new(&table, &table)
}

struct Bench<'a> {
    folder: &'a Path,
    store: ObjectStore,
    plain: PlainClient,
    latency_ms: u64,
    rows: Vec<String>,
}

impl Bench<'_> {
    /// Creates an image and exports it.
    fn measure(&mut self, name: &str, daemon: Daemon) -> Result<()> {
        let disk = self.folder.join("v1.raw");
        let jingku = Jingku { daemon, config: self.folder.join(format!("{name}.toml")) };
        jingku.declare(&self.store.endpoint(), name, &disk)?;
        let (image, made) = jingku.make(&self.store.process)?;
        let exported = jingku.export(&image, &disk, &self.folder.join("export"), &self.store.process)?;
        let objects = self.plain.list(&format!("{name}/chunks"))?;
        self.row(&format!("{name}, make"), &made, &objects);
        self.row(&format!("{name}, export"), &exported, &objects);
        Ok(())
    }

    fn measure_plain(&mut self) -> Result<()> {
        let objects = self.plain.list("jingku/chunks")?;
        for in_flight in IN_FLIGHT {
            let cost = Cost::of(&self.store.process, || self.plain.copy(&objects, in_flight))?;
            self.row(&format!("plain client, {in_flight} PUT in flight"), &cost, &objects);
        }
        for in_flight in IN_FLIGHT {
            let cost = Cost::of(&self.store.process, || self.plain.read(&objects, in_flight))?;
            self.row(&format!("plain client, {in_flight} GET in flight"), &cost, &objects);
        }
        Ok(())
    }

    fn row(&mut self, what: &str, cost: &Cost, objects: &[Object]) {
        let Cost { seconds, cpu, store_cpu } = cost;
        let rate = mega(objects.iter().map(|object| object.bytes).sum()) / seconds;
        let latency = self.latency_ms;
        self.rows.push(format!("{latency} | {what} | {seconds:.2} | {rate:.0} | {cpu:.2} | {store_cpu:.2}"));
    }
}

/// Seconds of one step, and CPU seconds of the client and the object store.
struct Cost {
    seconds: f64,
    cpu: f64,
    store_cpu: f64,
}

impl Cost {
    /// Of a step of this program and its children.
    fn of(store: &Server, act: impl FnOnce() -> Result<()>) -> Result<Self> {
        let before = store.cpu_seconds()?;
        let ((), seconds, cpu) = timed(act)?;
        Ok(Self { seconds, cpu, store_cpu: store.cpu_seconds()? - before })
    }
}

/// Jingku with a bucket.
struct Jingku {
    daemon: Daemon,
    config: PathBuf,
}

impl Jingku {
    fn command(&self, arguments: &[&str]) -> Command {
        let (id, secret) = S3Server::key_pair();
        let mut command = self.daemon.command(arguments);
        command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
        command
    }

    /// Begins a store below a prefix, and declares the instance.
    fn declare(&self, endpoint: &str, prefix: &str, disk: &Path) -> Result<()> {
        let text = format!("[s3]\nendpoint = '{endpoint}'\npath_style = true\nallow_http = true\n");
        fs::write(&self.config, format!("storage = 's3://{BUCKET}/{prefix}'\n{text}"))?;
        // The first start creates the account of the instance.
        drop(self.serve()?);
        let mut add = self.command(&["instance", "add", "--id", "uhost-v1"]);
        run_command(add.arg("--disk").arg(disk).stdout(Stdio::null()))
    }

    fn serve(&self) -> Result<Server> {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        Server::start(command.arg("--config").arg(&self.config).stderr(Stdio::piped()))
    }

    /// Returns the id of the image, and what the server needed for it.
    fn make(&self, store: &Server) -> Result<(String, Cost)> {
        let mut server = self.serve()?;
        let log = daemon::follow(server.child.stderr.take().context("the log is not piped")?);
        settle(&server, store)?;
        let (before, store_before) = (server.cpu_seconds()?, store.cpu_seconds()?);
        let create = ["image", "create", "--instance", "uhost-v1", "--name", "v1", "--wait", "--json"];
        let made: serde_json::Value = serde_json::from_str(&self.daemon.run(&create)?)?;
        let making = log.recv_timeout(LOG_TIMEOUT).context("the log does not say that the image was made")?;
        let id = made["CompShareImageId"].as_str().context("the image has no id")?;
        let cost = Cost {
            seconds: making.time.as_secs_f64(),
            cpu: server.cpu_seconds()? - before,
            store_cpu: store.cpu_seconds()? - store_before,
        };
        Ok((id.to_owned(), cost))
    }

    /// Returns what the server and the command needed.
    fn export(&self, image: &str, disk: &Path, to: &Path, store: &Server) -> Result<Cost> {
        let mut server = self.serve()?;
        drop(daemon::follow(server.child.stderr.take().context("the log is not piped")?));
        settle(&server, store)?;
        let before = server.cpu_seconds()?;
        let export = ["image", "export", image, "--format", "raw", "--output", to.to_str().context("UTF-8")?];
        let mut cost = Cost::of(store, || self.daemon.run(&export).map(drop))?;
        cost.cpu += server.cpu_seconds()? - before;
        if !Command::new("cmp").arg(to).arg(disk).status()?.success() {
            bail!("the exported disk differs");
        }
        fs::remove_file(to)?;
        Ok(cost)
    }
}

/// Waits until the scrub of the start has ended, which lists the whole bucket.
fn settle(server: &Server, store: &Server) -> Result<()> {
    server.settle()?;
    store.settle()
}
