//! `cargo xtask bench s3`: creates an image in an object store and exports it. The reference is the same client library,
//! which sends and reads objects of the same sizes, without hashing, compressing and claiming them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, TryStreamExt as _};
use jingku_chunks::S3Server;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{ObjectStore as _, ObjectStoreExt as _};

use super::daemon::Daemon;
use super::disk;
use super::process::timed;
use super::report::{Report, Table, mega};
use crate::workspace::{Workspace, run as run_command};

const ROOM_DISKS: u64 = 4;
const BUCKET: &str = "images";
/// Requests of the plain client in flight: as many as an image has, and the most of a process.
const IN_FLIGHT: [usize; 2] = [16, 64];
/// How long the server's log may be behind its answers.
const LOG_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) fn run(workspace: &Workspace, folder: &Path, args: &disk::Args) -> Result<Report> {
    let daemon = Daemon::build(workspace, folder)?;
    args.create(folder, ROOM_DISKS)?;
    let server = S3Server::start(&folder.join("s3"), &[BUCKET])?;
    let mut bench = Bench { folder, daemon, server, rows: Vec::new() };
    bench.measure()?;
    let table =
        Table { headings: "what | seconds | objects | MB of objects | MB/s of objects", rows: bench.rows };
    Report::new(&table, &table)
}

struct Bench<'a> {
    folder: &'a Path,
    daemon: Daemon,
    server: S3Server,
    rows: Vec<String>,
}

impl Bench<'_> {
    fn measure(&mut self) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let s3 = self.client()?;
        let disk = self.folder.join("v1.raw");
        self.declare(&disk)?;
        let (image, seconds) = self.make()?;
        let stored = runtime.block_on(list(&s3, "lab/chunks"))?;
        self.row("jingku, make", seconds, &stored);
        for in_flight in IN_FLIGHT {
            let ((), seconds, _) = timed(|| runtime.block_on(copy(&s3, &stored, in_flight)))?;
            self.row(&format!("plain client, {in_flight} PUT in flight"), seconds, &stored);
        }
        let seconds = self.export(&image, &disk)?;
        self.row("jingku, export", seconds, &stored);
        for in_flight in IN_FLIGHT {
            let ((), seconds, _) = timed(|| runtime.block_on(read(&s3, &stored, in_flight)))?;
            self.row(&format!("plain client, {in_flight} GET in flight"), seconds, &stored);
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "three digits are printed")]
    fn row(&mut self, what: &str, seconds: f64, objects: &[Object]) {
        let bytes = mega(objects.iter().map(|object| object.bytes).sum());
        let count = objects.len() as f64;
        self.rows.push(format!("{what} | {seconds:.2} | {count} | {bytes:.0} | {:.0}", bytes / seconds));
    }

    fn client(&self) -> Result<AmazonS3> {
        let (id, secret) = S3Server::key_pair();
        let builder = AmazonS3Builder::new().with_endpoint(self.server.endpoint()).with_allow_http(true);
        Ok(builder.with_bucket_name(BUCKET).with_access_key_id(id).with_secret_access_key(secret).build()?)
    }

    /// A command with the bucket.
    fn command(&self, arguments: &[&str]) -> Command {
        let (id, secret) = S3Server::key_pair();
        let mut command = self.daemon.command(arguments);
        command.env("AWS_ACCESS_KEY_ID", id).env("AWS_SECRET_ACCESS_KEY", secret);
        command
    }

    fn declare(&self, disk: &Path) -> Result<()> {
        let endpoint = self.server.endpoint();
        let text = format!("[s3]\nendpoint = '{endpoint}'\npath_style = true\nallow_http = true\n");
        fs::write(self.folder.join("jingku.toml"), format!("storage = 's3://{BUCKET}/lab'\n{text}"))?;
        // The first start creates the account of the instance.
        drop(self.serve()?);
        let mut add = self.command(&["instance", "add", "--id", "uhost-v1"]);
        run_command(add.arg("--disk").arg(disk).stdout(Stdio::null()))
    }

    fn serve(&self) -> Result<super::process::Server> {
        let config = self.folder.join("jingku.toml");
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        super::process::Server::start(command.arg("--config").arg(config).stderr(Stdio::piped()))
    }

    /// Returns the id of the image, and how long the server worked on it.
    fn make(&self) -> Result<(String, f64)> {
        let mut server = self.serve()?;
        let log = super::daemon::follow(server.child.stderr.take().context("the log is not piped")?);
        let create = ["image", "create", "--instance", "uhost-v1", "--name", "v1", "--wait", "--json"];
        let made: serde_json::Value = serde_json::from_str(&self.daemon.run(&create)?)?;
        let making = log.recv_timeout(LOG_TIMEOUT).context("the log does not say that the image was made")?;
        let id = made["CompShareImageId"].as_str().context("the image has no id")?;
        Ok((id.to_owned(), making.time.as_secs_f64()))
    }

    fn export(&self, image: &str, disk: &Path) -> Result<f64> {
        let mut server = self.serve()?;
        drop(super::daemon::follow(server.child.stderr.take().context("the log is not piped")?));
        let to = self.folder.join("export");
        let export = ["image", "export", image, "--format", "raw", "--output", to.to_str().context("UTF-8")?];
        let (_, seconds, _) = timed(|| self.daemon.run(&export))?;
        if !Command::new("cmp").arg(&to).arg(disk).status()?.success() {
            bail!("the exported disk differs");
        }
        fs::remove_file(to)?;
        Ok(seconds)
    }
}

struct Object {
    path: object_store::path::Path,
    bytes: u64,
}

async fn list(s3: &AmazonS3, below: &str) -> Result<Vec<Object>> {
    let objects =
        s3.list(Some(&below.into())).map_ok(|found| Object { path: found.location, bytes: found.size });
    Ok(objects.try_collect().await?)
}

/// Sends objects of the same sizes under other names.
async fn copy(s3: &AmazonS3, objects: &[Object], in_flight: usize) -> Result<()> {
    let longest = objects.iter().map(|object| object.bytes).max().unwrap_or(0);
    let noise = bytes::Bytes::from({
        let mut noise = vec![0; usize::try_from(longest)?];
        fastrand::Rng::with_seed(1).fill(&mut noise);
        noise
    });
    let send = |object: &Object| {
        let path = format!("plain-{in_flight}/{}", object.path).into();
        let body = noise.slice(..usize::try_from(object.bytes).unwrap_or(0));
        async move { s3.put(&path, body.into()).await.map(drop) }
    };
    Ok(futures::stream::iter(objects).map(send).buffer_unordered(in_flight).try_collect().await?)
}

/// Reads objects and forgets them.
async fn read(s3: &AmazonS3, objects: &[Object], in_flight: usize) -> Result<()> {
    let read = |object: &Object| {
        let (s3, path) = (s3.clone(), object.path.clone());
        async move { s3.get(&path).await?.bytes().await.map(drop) }
    };
    Ok(futures::stream::iter(objects).map(read).buffer_unordered(in_flight).try_collect().await?)
}
