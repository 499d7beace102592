//! `cargo xtask bench make`: creates images and exports them. docs/operate/figures.md says what is compared with what.

mod peer;
mod results;

use std::fs::{self, Metadata};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use jingku_chunks::{CHUNK_SIZE, ZSTD_LEVEL};

use super::bare_store::{BareStore, Cutting, Listing};
use super::daemon::Daemon;
use super::disk;
use super::http;
use super::report::Report;
use crate::workspace::{Workspace, command, run as run_command};
use peer::PEERS;
use results::Results;

/// Space that the benchmark needs, as a multiple of the disk.
const ROOM_DISKS: u64 = 4;
/// How long the server's log may be behind its answers.
const LOG_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) fn run(workspace: &Workspace, folder: &Path, args: &disk::Args) -> Result<Report> {
    peer::ensure_tools()?;
    let daemon = Daemon::build(workspace, folder)?;
    let sizes = args.create(folder, ROOM_DISKS)?;
    let results = Results { sizes, steps: Vec::new(), left_out: Vec::new() };
    let mut bench = Bench { folder, daemon, results };
    bench.make_beside_the_bare_loop()?;
    bench.peers()?;
    let results = bench.results;
    Report::new(&results, format!("{}\n{}", results.table(), results.goals()))
}

struct Bench<'a> {
    /// With the disks `v1.raw`, `v2.raw` and `v3.raw`, and all that the steps write.
    folder: &'a Path,
    daemon: Daemon,
    results: Results,
}

impl Bench<'_> {
    fn make_beside_the_bare_loop(&mut self) -> Result<()> {
        let mut copy = self.command("cp", "--sparse=always v1.raw export");
        self.results.timed("cp", || run_command(&mut copy))?;
        self.remove_if_equal("raw")?;
        self.declare_instances()?;
        let bare = BareStore::create(&self.folder.join("bare"), Cutting::Fixed(CHUNK_SIZE), ZSTD_LEVEL)?;
        let (listing, image) = self.make("v1", &bare, "v1")?;
        // Now, because the store has only this image: it reads as much as its export.
        self.results.timed("jingku, check --read-data", || self.daemon.run(&["check", "--read-data"]))?;
        for (name, disk) in [("v2", "v2"), ("v3", "v3"), ("unchanged", "v1")] {
            self.make(name, &bare, disk)?;
        }
        self.floors_of_export()?;
        let exported = self.folder.join("export");
        self.results.timed("bare loop, export raw", || bare.read(&listing, &exported))?;
        self.remove_if_equal("raw")?;
        drop(bare);
        fs::remove_dir_all(self.folder.join("bare"))?;
        self.export(&image, "raw")?;
        self.export(&image, "qcow2")?;
        self.download_beside_sendfile(&image)?;
        Ok(fs::remove_dir_all(&self.daemon.data)?)
    }

    fn declare_instances(&self) -> Result<()> {
        // The first start creates the account of the instances.
        drop(self.daemon.serve(&[])?);
        for disk in ["v1", "v2", "v3"] {
            let path = self.folder.join(disk).with_extension("raw");
            let path = path.to_str().context("the folder's name is not UTF-8")?;
            self.daemon.run(&["instance", "add", "--id", &format!("uhost-{disk}"), "--disk", path])?;
        }
        Ok(())
    }

    /// Creates an image on a new server, so that the peak memory is that of this image. Runs the bare loop right before,
    /// because the load of the machine changes slowly. Returns the bare loop's listing and the id of the image.
    fn make(&mut self, name: &str, bare: &BareStore, disk: &str) -> Result<(Listing, String)> {
        let path = self.folder.join(disk).with_extension("raw");
        let listing = self.results.timed(&format!("bare loop, {name}"), || bare.write(&path))?;
        self.results.last().new_bytes = Some(listing.new_bytes);

        let (server, log) = self.daemon.serve_and_follow(&[])?;
        let instance = format!("uhost-{disk}");
        let create = ["image", "create", "--instance", &instance, "--name", name, "--wait", "--json"];
        let made =
            self.results.timed_with(&server, &format!("jingku, {name}"), || self.daemon.run(&create))?;
        let making = log.recv_timeout(LOG_TIMEOUT).context("the log does not say that the image was made")?;
        let step = self.results.last();
        step.command_seconds = Some(step.seconds);
        step.seconds = making.time.as_secs_f64();
        step.new_bytes = Some(making.new_bytes);
        let image: serde_json::Value = serde_json::from_str(&made).context("read the image")?;
        Ok((listing, image["CompShareImageId"].as_str().context("the image has no id")?.to_owned()))
    }

    /// Measures what limits an export: decompression, and writing the data.
    fn floors_of_export(&mut self) -> Result<()> {
        run_command(&mut self.command("zstd", "-q -1 -T0 v1.raw -o v1.zst"))?;
        self.results.child("zstd -d, to nowhere", self.command("zstd", "-q -d -c v1.zst"))?;
        self.results.child("zstd -d, to a sparse file", self.command("zstd", "-q -d v1.zst -o export"))?;
        self.remove_if_equal("raw")?;
        let dd = self.command("dd", "bs=1M conv=sparse,fsync status=none if=v1.raw of=export");
        self.results.child("write (dd, synced)", dd)?;
        fs::remove_file(self.folder.join("export"))?;
        Ok(fs::remove_file(self.folder.join("v1.zst"))?)
    }

    fn export(&mut self, image: &str, format: &str) -> Result<()> {
        let server = self.daemon.serve(&[])?;
        let to = self.folder.join("export");
        let to = to.to_str().context("the folder's name is not UTF-8")?;
        let export = ["image", "export", image, "--format", format, "--output", to];
        self.results.timed_with(&server, &format!("jingku, export {format}"), || self.daemon.run(&export))?;
        self.remove_if_equal(format)
    }

    fn download_beside_sendfile(&mut self, image: &str) -> Result<()> {
        let (address, sending) = http::send_file(&self.folder.join("v1.raw"))?;
        let sent = self.results.timed("sendfile, download", || http::get(address, "/"))?;
        sending.join().map_err(|_| anyhow!("sendfile panicked"))??;
        let server = self.daemon.serve(&[])?;
        let url = self.daemon.run(&["image", "url", image])?;
        let base = format!("http://{}", server.address);
        let path = url.trim().strip_prefix(&base).context("the link has another address")?;
        let received =
            self.results.timed_with(&server, "jingku, download", || http::get(server.address, path))?;
        ensure!(received == sent, "{received} bytes were downloaded, not {sent}");
        Ok(())
    }

    fn peers(&mut self) -> Result<()> {
        for (what, options) in [
            ("qemu-img convert, qcow2", ""),
            ("qemu-img convert -c, zlib", "-c"),
            ("qemu-img convert -c, zstd", "-c -o compression_type=zstd"),
        ] {
            let arguments = format!("convert -f raw -O qcow2 {options} v1.raw converted");
            self.results.child(what, self.command("qemu-img", &arguments))?;
            let converted = self.folder.join("converted");
            self.results.last().new_bytes = Some(fs::metadata(&converted)?.len());
            fs::remove_file(&converted)?;
        }
        for peer in PEERS {
            if let Some(why) = peer.missing() {
                eprintln!("{why}");
                self.results.left_out.push(why);
                continue;
            }
            peer.init(self.folder)?;
            let repository = self.folder.join("repository");
            for disk in ["v1", "v2", "v3"] {
                let before = disk::sum_files(&repository, Metadata::len)?;
                let keep = peer.keep(self.folder, &format!("{disk}.raw"));
                self.results.child(&format!("{}, {disk}", peer.name()), keep)?;
                let after = disk::sum_files(&repository, Metadata::len)?;
                self.results.last().new_bytes = Some(after.saturating_sub(before));
            }
            fs::remove_dir_all(&repository)?;
        }
        Ok(())
    }

    fn command(&self, program: &str, arguments: &str) -> Command {
        command(self.folder, program, arguments)
    }

    /// Fails if the exported disk differs from the original.
    fn remove_if_equal(&self, format: &str) -> Result<()> {
        let mut compare = self.command("qemu-img", &format!("compare -f raw -F {format} v1.raw export"));
        run_command(compare.stdout(Stdio::null()))?;
        Ok(fs::remove_file(self.folder.join("export"))?)
    }
}
