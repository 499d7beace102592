//! `cargo xtask bench make`: images of a 4 GiB disk, and the way back, beside a bare loop and qemu-img.
//!
//! The disk is in the page cache throughout: what is measured is work, not the machine's disks. The product makes
//! everything durable before it says so, which nothing beside it does.

mod bare_store;
mod disk;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Serialize;

use super::daemon::{Daemon, build_release};
use super::machine::Machine;
use super::process::{Server, cpu_time_of_this_program};
use super::report::{Table, mega, print};
use crate::workspace::{Workspace, run as run_command};
use bare_store::BareStore;
use disk::DISK_BYTES;

/// What the benchmark needs at its widest, in bytes.
const FREE_BYTES_MIN: u64 = 15_000_000_000;
const SEED: u64 = 2;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where to work, on a file system with 15 GB to spare; everything is removed in the end [default: target/bench].
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One thing done to the whole disk.
#[derive(Serialize)]
struct Step {
    what: &'static str,
    seconds: f64,
    /// Of all processes that took part.
    cpu_seconds: f64,
    /// What it added to the disk's keep, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    new_bytes: Option<u64>,
    /// The most memory the server had.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_peak_bytes: Option<u64>,
    /// Until `jingku image create --wait` came back, which looks only now and then.
    #[serde(skip_serializing_if = "Option::is_none")]
    command_seconds: Option<f64>,
}

#[derive(Serialize)]
struct Results {
    disk_bytes: u64,
    data_bytes: u64,
    changed_bytes: u64,
    steps: Vec<Step>,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let machine = Machine::this();
    let binary = build_release(workspace)?;
    let parent = args.dir.clone().unwrap_or_else(|| workspace.target.join("bench"));
    fs::create_dir_all(&parent)?;
    ensure_room(&parent)?;
    let folder = tempfile::Builder::new().prefix("make-").tempdir_in(&parent)?;
    let results = Bench::new(binary, folder.path()).run()?;
    print(args.json, &machine, &results, &table(&results))
}

fn ensure_room(folder: &Path) -> Result<()> {
    let output = Command::new("df").args(["--block-size=1", "--output=avail"]).arg(folder).output()?;
    let text = String::from_utf8(output.stdout)?;
    let free: u64 =
        text.lines().last().and_then(|line| line.trim().parse().ok()).context("read what df says")?;
    ensure!(free >= FREE_BYTES_MIN, "{} has {:.0} MB to spare, not 15 GB", folder.display(), mega(free));
    Ok(())
}

struct Bench<'a> {
    folder: &'a Path,
    daemon: Daemon,
    steps: Vec<Step>,
}

impl<'a> Bench<'a> {
    fn new(binary: PathBuf, folder: &'a Path) -> Self {
        Self { folder, daemon: Daemon::new(binary, folder), steps: Vec::new() }
    }

    fn run(mut self) -> Result<Results> {
        let (original, changed) = (self.path("original.raw"), self.path("changed.raw"));
        eprintln!("filling a disk");
        let data_bytes = disk::create(&original)?;
        self.timed("cp", || {
            run_command(Command::new("cp").arg("--sparse=always").args([&original, &changed]))
        })?;
        let changed_bytes = disk::change(&changed, SEED)?;
        self.declare(&[("uhost-original", &original), ("uhost-changed", &changed)])?;

        // The bare loop right before the product, each time: what else the machine does changes slowly.
        let bare = BareStore::create(&self.path("bare"))?;
        let listing = self.bare_write("bare loop, first", &bare, &original)?;
        let image = self.make("jingku, first", "uhost-original", "first")?;
        self.bare_write("bare loop, 2 % changed", &bare, &changed)?;
        self.make("jingku, 2 % changed", "uhost-changed", "changed")?;
        self.make("jingku, unchanged", "uhost-original", "unchanged")?;

        let exported = self.path("export");
        self.timed("bare loop, export raw", || bare.read(&listing, &exported))?;
        remove_if_equal(&original, &exported, "raw")?;
        for (what, format) in [("jingku, export raw", "raw"), ("jingku, export qcow2", "qcow2")] {
            self.export(what, &image, format, &exported)?;
            remove_if_equal(&original, &exported, format)?;
        }
        self.convert("qemu-img convert, qcow2", &[], &original)?;
        self.convert("qemu-img convert -c, zlib", &["-c"], &original)?;
        self.convert("qemu-img convert -c, zstd", &["-c", "-o", "compression_type=zstd"], &original)?;
        Ok(Results { disk_bytes: DISK_BYTES, data_bytes, changed_bytes, steps: self.steps })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Runs one step and notes time and CPU time, of this program and those it waits for.
    fn timed<T>(&mut self, what: &'static str, act: impl FnOnce() -> Result<T>) -> Result<T> {
        eprintln!("{what}");
        // What an earlier step has left to be written is not this one's.
        run_command(&mut Command::new("sync"))?;
        let (start, cpu) = (Instant::now(), cpu_time_of_this_program()?);
        let done = act().with_context(|| what.to_owned())?;
        let seconds = start.elapsed().as_secs_f64();
        let cpu_seconds = cpu_time_of_this_program()?.saturating_sub(cpu).as_secs_f64();
        let (new_bytes, server_peak_bytes, command_seconds) = (None, None, None);
        self.steps.push(Step { what, seconds, cpu_seconds, new_bytes, server_peak_bytes, command_seconds });
        Ok(done)
    }

    fn last(&mut self) -> &mut Step {
        self.steps.last_mut().expect("a step was timed")
    }

    fn declare(&self, instances: &[(&str, &Path)]) -> Result<()> {
        // The first start makes the first account, which the instances belong to.
        drop(self.daemon.serve()?);
        for (id, disk) in instances {
            let disk = disk.to_str().context("the folder's name is not UTF-8")?;
            self.daemon.run(&["instance", "add", "--id", id, "--disk", disk])?;
        }
        Ok(())
    }

    fn bare_write(
        &mut self,
        what: &'static str,
        store: &BareStore,
        disk: &Path,
    ) -> Result<bare_store::Listing> {
        let listing = self.timed(what, || store.write(disk))?;
        self.last().new_bytes = Some(listing.new_bytes);
        Ok(listing)
    }

    /// Makes an image on a server started for it, so that the peak of its memory is this image's. Returns its id.
    fn make(&mut self, what: &'static str, instance: &str, name: &str) -> Result<String> {
        let mut server = self.daemon.serve_with_log()?;
        let log = Log::follow(&mut server)?;
        let cpu = server.cpu_time()?;
        let create = ["image", "create", "--instance", instance, "--name", name, "--wait", "--json"];
        let daemon = self.daemon.clone();
        let made = self.timed(what, || daemon.run(&create))?;
        let image: serde_json::Value = serde_json::from_str(&made).context("read the image")?;
        let making = log.making()?;
        let step = self.last();
        step.command_seconds = Some(step.seconds);
        step.seconds = making.time.as_secs_f64();
        step.cpu_seconds += server.cpu_time()?.saturating_sub(cpu).as_secs_f64();
        step.new_bytes = Some(making.new_bytes);
        step.server_peak_bytes = Some(server.memory_bytes("VmHWM")?);
        Ok(image["CompShareImageId"].as_str().context("the image has no id")?.to_owned())
    }

    fn export(&mut self, what: &'static str, image: &str, format: &str, to: &Path) -> Result<()> {
        let server = self.daemon.serve()?;
        let cpu = server.cpu_time()?;
        let to = to.to_str().context("the folder's name is not UTF-8")?;
        let daemon = self.daemon.clone();
        self.timed(what, || daemon.run(&["image", "export", image, "--format", format, "--output", to]))?;
        let step = self.last();
        step.cpu_seconds += server.cpu_time()?.saturating_sub(cpu).as_secs_f64();
        step.server_peak_bytes = Some(server.memory_bytes("VmHWM")?);
        Ok(())
    }

    fn convert(&mut self, what: &'static str, options: &[&str], disk: &Path) -> Result<()> {
        let to = self.path("converted");
        self.timed(what, || {
            let mut convert = Command::new("qemu-img");
            convert.args(["convert", "-f", "raw", "-O", "qcow2"]).args(options).arg(disk).arg(&to);
            run_command(&mut convert)
        })?;
        self.last().new_bytes = Some(fs::metadata(&to)?.len());
        Ok(fs::remove_file(&to)?)
    }
}

/// A figure counts only if the disk that came out is the one that went in.
fn remove_if_equal(original: &Path, exported: &Path, format: &str) -> Result<()> {
    let mut compare = Command::new("qemu-img");
    compare.args(["compare", "-f", "raw", "-F", format]).args([original, exported]).stdout(Stdio::null());
    run_command(&mut compare)?;
    Ok(fs::remove_file(exported)?)
}

/// The server's log, each line with the moment it came.
struct Log(mpsc::Receiver<(Instant, String)>);

struct Making {
    time: Duration,
    new_bytes: u64,
}

impl Log {
    fn follow(server: &mut Server) -> Result<Self> {
        let log = server.take_log().context("the log is not piped")?;
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                // Whoever wanted to know may have gone; the server must not wait for that.
                let _ = sender.send((Instant::now(), line));
            }
        });
        Ok(Self(receiver))
    }

    /// How long the server was at work on an image, and what it stored.
    fn making(&self) -> Result<Making> {
        let (start, _) = self.line("making image")?;
        let (end, line) = self.line("image made")?;
        let new_bytes =
            line.split_whitespace().find_map(|word| word.strip_prefix("new_bytes=")?.parse().ok());
        let new_bytes = new_bytes.with_context(|| format!("no new_bytes in the log line {line:?}"))?;
        Ok(Making { time: end.saturating_duration_since(start), new_bytes })
    }

    fn line(&self, message: &str) -> Result<(Instant, String)> {
        loop {
            let line = self.0.recv_timeout(Duration::from_secs(5));
            let (moment, line) = line.with_context(|| format!("the log says nothing of {message:?}"))?;
            if line.contains(message) {
                return Ok((moment, line));
            }
        }
    }
}

fn table(results: &Results) -> Table {
    let mut table =
        Table::new(&["what", "MB/s of disk", "MB per CPU second", "new MB", "server's peak MiB", "seconds"]);
    for step in &results.steps {
        let speed = |seconds: f64| format!("{:.0}", mega(DISK_BYTES) / seconds);
        let optional = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
        table.row(&[
            step.what.to_owned(),
            speed(step.seconds),
            speed(step.cpu_seconds),
            optional(step.new_bytes.map(|bytes| format!("{:.1}", mega(bytes)))),
            optional(step.server_peak_bytes.map(|bytes| (bytes >> 20).to_string())),
            match step.command_seconds {
                Some(command) => format!("{:.2} (command {command:.2})", step.seconds),
                None => format!("{:.2}", step.seconds),
            },
        ]);
    }
    table
}
