//! The object store of the benchmark, in its own process, so that its CPU time is known.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use jingku_chunks::S3Server;
use tempfile::TempDir;

use crate::bench::process::Server;

pub(super) const BUCKET: &str = "images";
/// A file system in memory.
const MEMORY: &str = "/dev/shm";

#[derive(clap::Args)]
pub(crate) struct Args {
    folder: PathBuf,
    /// Handle every request only after this time.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    latency: u64,
}

/// Serves until it is killed.
pub(crate) fn run(args: &Args) -> Result<()> {
    let server = S3Server::start(&args.folder, &[BUCKET])?;
    server.set_latency(Duration::from_millis(args.latency));
    println!("{}", server.endpoint());
    std::io::stdout().flush()?;
    loop {
        thread::park();
    }
}

/// A running object store and the folder of its objects, which is removed when this is dropped.
pub(super) struct ObjectStore {
    pub(super) process: Server,
    _folder: TempDir,
}

impl ObjectStore {
    /// Keeps objects in memory if there is room for this many bytes: the time that ext4 takes to create files varies by
    /// a factor of four between runs.
    pub(super) fn start(folder: &Path, bytes: u64, latency_ms: u64) -> Result<Self> {
        let has_room = rustix::fs::statvfs(MEMORY).is_ok_and(|it| it.f_bavail * it.f_frsize >= bytes);
        let parent = if has_room && fs::metadata(MEMORY).is_ok() { Path::new(MEMORY) } else { folder };
        let objects = tempfile::Builder::new().prefix("bench-s3-").tempdir_in(parent)?;
        let mut command = Command::new(std::env::current_exe().context("find this program")?);
        command.args(["bench", "object-store", "--latency", &latency_ms.to_string()]).arg(objects.path());
        Ok(Self { process: Server::start(command.stderr(Stdio::null()))?, _folder: objects })
    }

    pub(super) fn endpoint(&self) -> String {
        format!("http://{}", self.process.address)
    }
}
