//! `cargo xtask bench make`: creates images of a 4 GiB disk and of changed copies, and exports them. A bare loop and
//! other tools do the same with the same bytes in the same run.
//!
//! The disk is in the page cache, so the machine's disks are not measured. Jingku makes data durable before it reports
//! success; the bare loop and qemu-img do not.

mod download;
mod log;
mod peer;
mod results;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::bare_store::{BareStore, Listing};
use super::daemon::{Daemon, build_release};
use super::disk::{self, Change};
use super::folder;
use super::machine::Machine;
use super::process::{cpu_time_of_this_program, run_watched};
use super::report::{mega, print};
use crate::workspace::{Workspace, run as run_command};
use log::Log;
use peer::Peer;
use results::{Results, Step};

/// Space that the benchmark needs, as a multiple of the disk.
const ROOM_DISKS: u64 = 4;
const SEED: u64 = 2;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Working folder, with space for four disks; its new files are removed at the end [default: target/bench].
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Size of the disk; docs/operate/figures.md uses 4 GiB.
    #[arg(long, value_name = "GIB", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=64))]
    size: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let machine = Machine::this();
    peer::ensure_tools()?;
    let binary = build_release(workspace)?;
    let parent = args.dir.clone().unwrap_or_else(|| workspace.target.join("bench"));
    let disk_bytes = args.size << 30;
    fs::create_dir_all(&parent)?;
    ensure_room(&parent, disk_bytes * ROOM_DISKS)?;
    let folder = tempfile::Builder::new().prefix("make-").tempdir_in(&parent)?;
    let results = Bench::new(binary, folder.path()).run(disk_bytes)?;
    print(args.json, &machine, &results, &results.table())?;
    if !args.json {
        println!("{}", results.goals());
    }
    Ok(())
}

/// Fails if the file system of a folder has fewer free bytes.
pub(super) fn ensure_room(folder: &Path, needed: u64) -> Result<()> {
    let output = Command::new("df").args(["--block-size=1", "--output=avail"]).arg(folder).output()?;
    let text = String::from_utf8(output.stdout)?;
    let free: u64 =
        text.lines().last().and_then(|line| line.trim().parse().ok()).context("read the output of df")?;
    let (free_mb, needed_mb) = (mega(free), mega(needed));
    ensure!(free >= needed, "{} has {free_mb:.0} MB free; {needed_mb:.0} are needed", folder.display());
    Ok(())
}

struct Bench<'a> {
    folder: &'a Path,
    daemon: Daemon,
    results: Results,
}

/// The three versions of the disk: as it was, 2 % changed in runs, 2 % changed in scattered blocks.
struct Disks {
    v1: PathBuf,
    v2: PathBuf,
    v3: PathBuf,
}

impl<'a> Bench<'a> {
    fn new(binary: PathBuf, folder: &'a Path) -> Self {
        Self { folder, daemon: Daemon::new(binary, folder), results: Results::default() }
    }

    fn run(mut self, disk_bytes: u64) -> Result<Results> {
        let disks = self.create_disks(disk_bytes)?;
        self.make_beside_the_bare_loop(&disks)?;
        self.peers(&disks)?;
        Ok(self.results)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn create_disks(&mut self, disk_bytes: u64) -> Result<Disks> {
        eprintln!("filling a disk");
        let disks = Disks { v1: self.path("v1.raw"), v2: self.path("v2.raw"), v3: self.path("v3.raw") };
        self.results.disk_bytes = disk_bytes;
        self.results.data_bytes = disk::create(&disks.v1, disk_bytes)?;
        let copy = |to: &Path| run_command(Command::new("cp").arg("--sparse=always").args([&disks.v1, to]));
        self.timed("cp", || copy(&disks.v2))?;
        copy(&disks.v3)?;
        self.results.changed_bytes = disk::change(&disks.v2, Change::Runs, SEED)?;
        disk::change(&disks.v3, Change::Blocks, SEED)?;
        Ok(disks)
    }

    /// Runs the bare loop right before Jingku, because the load of the machine changes slowly.
    fn make_beside_the_bare_loop(&mut self, disks: &Disks) -> Result<()> {
        self.declare(&[("uhost-v1", &disks.v1), ("uhost-v2", &disks.v2), ("uhost-v3", &disks.v3)])?;
        let bare = BareStore::create(&self.path("bare"))?;
        let listing = self.bare_write("bare loop, v1", &bare, &disks.v1)?;
        let image = self.make("jingku, v1", "uhost-v1", "v1")?;
        // Now, because the store has only this image: it reads as much as its export.
        let daemon = self.daemon.clone();
        self.timed("jingku, check --read-data", || daemon.run(&["check", "--read-data"]))?;
        self.bare_write("bare loop, v2", &bare, &disks.v2)?;
        self.make("jingku, v2", "uhost-v2", "v2")?;
        self.bare_write("bare loop, v3", &bare, &disks.v3)?;
        self.make("jingku, v3", "uhost-v3", "v3")?;
        self.bare_write("bare loop, unchanged", &bare, &disks.v1)?;
        self.make("jingku, unchanged", "uhost-v1", "unchanged")?;

        let exported = self.path("export");
        self.floors_of_export(&disks.v1, &exported)?;
        self.timed("bare loop, export raw", || bare.read(&listing, &exported))?;
        remove_if_equal(&disks.v1, &exported, "raw")?;
        drop(bare);
        fs::remove_dir_all(self.path("bare"))?;
        for (what, format) in [("jingku, export raw", "raw"), ("jingku, export qcow2", "qcow2")] {
            self.export(what, &image, format, &exported)?;
            remove_if_equal(&disks.v1, &exported, format)?;
        }
        self.download_beside_sendfile(&disks.v1, &image)?;
        fs::remove_dir_all(&self.daemon.data)?;
        Ok(())
    }

    /// Measures what limits an export: decompression, and writing the data.
    fn floors_of_export(&mut self, disk: &Path, to: &Path) -> Result<()> {
        let packed = self.path("v1.zst");
        run_command(Command::new("zstd").args(["-q", "-1", "-T0"]).arg(disk).arg("-o").arg(&packed))?;
        self.child(
            "zstd -d, to nowhere",
            Command::new("zstd").args(["-q", "-d", "-c"]).arg(&packed).stdout(Stdio::null()),
        )?;
        self.child(
            "zstd -d, to a sparse file",
            Command::new("zstd").args(["-q", "-d"]).arg(&packed).arg("-o").arg(to),
        )?;
        remove_if_equal(disk, to, "raw")?;
        let mut dd = Command::new("dd");
        let named = |name: &str, path: &Path| {
            let mut argument = OsString::from(name);
            argument.push(path);
            argument
        };
        dd.args(["bs=1M", "conv=sparse,fsync", "status=none"]).arg(named("if=", disk)).arg(named("of=", to));
        self.child("write (dd, synced)", &mut dd)?;
        fs::remove_file(to)?;
        Ok(fs::remove_file(&packed)?)
    }

    fn peers(&mut self, disks: &Disks) -> Result<()> {
        self.convert("qemu-img convert, qcow2", &[], &disks.v1)?;
        self.convert("qemu-img convert -c, zlib", &["-c"], &disks.v1)?;
        self.convert("qemu-img convert -c, zstd", &["-c", "-o", "compression_type=zstd"], &disks.v1)?;
        for peer in Peer::ALL {
            if let Some(why) = peer.missing() {
                eprintln!("{why}");
                self.results.left_out.push(why);
                continue;
            }
            let place = self.path(peer.name().split(' ').next().unwrap_or_default());
            peer.init(&place)?;
            for (name, disk) in [("v1", &disks.v1), ("v2", &disks.v2), ("v3", &disks.v3)] {
                let before = folder::sum(&place, std::fs::Metadata::len)?;
                self.child(&format!("{}, {name}", peer.name()), &mut peer.keep(&place, name, disk))?;
                self.last().new_bytes =
                    Some(folder::sum(&place, std::fs::Metadata::len)?.saturating_sub(before));
            }
            fs::remove_dir_all(&place)?;
        }
        Ok(())
    }

    /// Runs one step and records its time and CPU time, of this program and its children.
    fn timed<T>(&mut self, what: &str, act: impl FnOnce() -> Result<T>) -> Result<T> {
        eprintln!("{what}");
        // Do not measure writes of an earlier step.
        run_command(&mut Command::new("sync"))?;
        let (start, cpu) = (Instant::now(), cpu_time_of_this_program()?);
        let done = act().with_context(|| what.to_owned())?;
        let seconds = start.elapsed().as_secs_f64();
        let cpu_seconds = cpu_time_of_this_program()?.saturating_sub(cpu).as_secs_f64();
        self.results.steps.push(Step::new(what, seconds, cpu_seconds));
        Ok(done)
    }

    /// Runs one step that is a program, and also records its peak memory.
    fn child(&mut self, what: &str, command: &mut Command) -> Result<()> {
        let peak = self.timed(what, || run_watched(command))?;
        self.last().peak_bytes = Some(peak);
        Ok(())
    }

    fn last(&mut self) -> &mut Step {
        self.results.steps.last_mut().expect("a step was timed")
    }

    fn declare(&self, instances: &[(&str, &Path)]) -> Result<()> {
        // The first start creates the account of the instances.
        drop(self.daemon.serve()?);
        for (id, disk) in instances {
            let disk = disk.to_str().context("the folder's name is not UTF-8")?;
            self.daemon.run(&["instance", "add", "--id", id, "--disk", disk])?;
        }
        Ok(())
    }

    fn bare_write(&mut self, what: &str, store: &BareStore, disk: &Path) -> Result<Listing> {
        let listing = self.timed(what, || store.write(disk))?;
        self.last().new_bytes = Some(listing.new_bytes);
        Ok(listing)
    }

    /// Creates an image on a new server, so that the peak memory is that of this image. Returns its id.
    fn make(&mut self, what: &str, instance: &str, name: &str) -> Result<String> {
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
        step.peak_bytes = Some(server.memory_bytes("VmHWM")?);
        Ok(image["CompShareImageId"].as_str().context("the image has no id")?.to_owned())
    }

    fn export(&mut self, what: &str, image: &str, format: &str, to: &Path) -> Result<()> {
        let server = self.daemon.serve()?;
        let cpu = server.cpu_time()?;
        let to = to.to_str().context("the folder's name is not UTF-8")?;
        let daemon = self.daemon.clone();
        self.timed(what, || daemon.run(&["image", "export", image, "--format", format, "--output", to]))?;
        let step = self.last();
        step.cpu_seconds += server.cpu_time()?.saturating_sub(cpu).as_secs_f64();
        step.peak_bytes = Some(server.memory_bytes("VmHWM")?);
        Ok(())
    }

    fn download_beside_sendfile(&mut self, disk: &Path, image: &str) -> Result<()> {
        let (address, sending) = download::send_file(disk)?;
        let sent = self.timed("sendfile, download", || download::get(address, "/"))?;
        sending.join().map_err(|_| anyhow::anyhow!("sendfile panicked"))??;
        let server = self.daemon.serve()?;
        let url = self.daemon.run(&["image", "url", image])?;
        let base = format!("http://{}", server.address);
        let path = url.trim().strip_prefix(&base).context("the link has another address")?;
        let cpu = server.cpu_time()?;
        let received = self.timed("jingku, download", || download::get(server.address, path))?;
        ensure!(received == sent, "{received} bytes were downloaded, not {sent}");
        let step = self.last();
        step.cpu_seconds += server.cpu_time()?.saturating_sub(cpu).as_secs_f64();
        step.peak_bytes = Some(server.memory_bytes("VmHWM")?);
        Ok(())
    }

    fn convert(&mut self, what: &str, options: &[&str], disk: &Path) -> Result<()> {
        let to = self.path("converted");
        let mut convert = Command::new("qemu-img");
        convert.args(["convert", "-f", "raw", "-O", "qcow2"]).args(options).arg(disk).arg(&to);
        self.child(what, &mut convert)?;
        self.last().new_bytes = Some(fs::metadata(&to)?.len());
        Ok(fs::remove_file(&to)?)
    }
}

/// Fails if the exported disk differs from the original.
fn remove_if_equal(original: &Path, exported: &Path, format: &str) -> Result<()> {
    let mut compare = Command::new("qemu-img");
    compare.args(["compare", "-f", "raw", "-F", format]).args([original, exported]).stdout(Stdio::null());
    run_command(&mut compare)?;
    Ok(fs::remove_file(exported)?)
}
