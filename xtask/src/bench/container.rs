//! `cargo xtask bench container`: saves a running container, and pulls its image. docs/operate/figures.md says what is
//! compared with what.

mod content;
mod registry;
mod results;

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use jingku_engine::testing::{Kind, TestEngine};

use super::daemon::Daemon;
use super::disk::sum_files;
use super::process::Server;
use super::report::Report;
use crate::workspace::{Workspace, run as run_command};
use content::{Content, DATA, PARTS};
use registry::{ensure_tools, image_bytes, start_registry};
use results::{CHANGED, EXPORT, FIRST, JINGKU, LAYERS, PEER, PULL, Results, What};

/// The instance of the container.
const INSTANCE: &str = "cpod-bench";
/// The name of the container, and of the images that Podman makes of it.
const NAME: &str = "trainer";
/// How long the server may take to find the container. It asks every 3 seconds.
const INSTANCE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the server's log may be behind its answers.
const LOG_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub(super) struct Args {
    /// Size of the container's files.
    #[arg(long, value_name = "MIB", default_value_t = 400, value_parser = clap::value_parser!(u64).range(50..=8192))]
    mib: u64,
    /// Number of repetitions; the tables show medians.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
}

pub(super) fn run(workspace: &Workspace, folder: &Path, args: &Args) -> Result<Report> {
    ensure_tools()?;
    let daemon = Daemon::build(workspace, folder)?;
    let engine = start_engine()?;
    let container = engine.container(&["--name", NAME, "--label", &format!("jingku.instance={INSTANCE}")]);
    let root = PathBuf::from(engine.run(&["mount", &container]));
    eprintln!("filling a container");
    let content = Content::create(&root, args.mib << 20)?;
    let results = Results::new(content.bytes);
    let mut bench = Bench { folder, daemon, engine, pullers: Vec::new(), content, results };
    for round in 0..args.rounds {
        eprintln!("round {} of {}", round + 1, args.rounds);
        let folder = folder.join(round.to_string());
        bench.daemon.data = folder.join("data");
        bench.save_and_pull(round, &folder.join("registry"))?;
    }
    bench.pull_layers(&root, args.rounds)?;
    let results = bench.results;
    Report::new(&results, format!("{}\n{}", results.table(), results.goals()))
}

/// Podman with its own storage.
fn start_engine() -> Result<TestEngine> {
    TestEngine::start(Kind::Podman).context("podman or /bin/busybox is not installed")
}

struct Bench<'a> {
    folder: &'a Path,
    daemon: Daemon,
    /// Has the container.
    engine: TestEngine,
    /// Each pulled one image. Nothing is deleted before the end: for minutes after many files were deleted, ext4 takes
    /// several times as long to create files.
    pullers: Vec<TestEngine>,
    content: Content,
    results: Results,
}

impl Bench<'_> {
    /// Each step on both sides, one right after the other, because the load of the machine changes slowly.
    fn save_and_pull(&mut self, round: u32, stored: &Path) -> Result<()> {
        let registry = start_registry(stored)?;
        self.save(FIRST, "first")?;
        self.commit_and_push(FIRST, "first", &registry, stored)?;
        self.results.changed_bytes = self.content.change(u64::from(round))?;
        self.export(&registry)?;
        self.save(CHANGED, "changed")?;
        self.commit_and_push(CHANGED, "changed", &registry, stored)?;
        // Alternate the order, so that neither always comes first.
        if round.is_multiple_of(2) {
            self.pull_from_jingku()?;
            self.pull(PULL, PEER, &registry, "bench/changed", None)
        } else {
            self.pull(PULL, PEER, &registry, "bench/changed", None)?;
            self.pull_from_jingku()
        }
    }

    /// Makes an image with a new server, so that the peak memory is that of this image.
    fn save(&mut self, step: What, name: &str) -> Result<()> {
        let (server, log) = self.daemon.serve_and_follow(&["--engine", &self.engine.url()])?;
        self.wait_for_instance()?;
        let create = ["image", "create", "--instance", INSTANCE, "--name", name, "--wait"];
        let service = self.engine.service_id();
        self.results.timed(step, JINGKU, &server, service, || self.daemon.run(&create))?;
        let making = log.recv_timeout(LOG_TIMEOUT).context("the log does not say that the image was made")?;
        let sent = image_bytes(&server, &format!("1/{name}"), Some(&self.credentials()?))?;
        let sample = self.results.last();
        sample.working_seconds = Some(making.time.as_secs_f64());
        sample.stored_bytes = Some(making.new_bytes);
        sample.sent_bytes = Some(sent);
        Ok(())
    }

    fn wait_for_instance(&self) -> Result<()> {
        let start = Instant::now();
        while !self.daemon.run(&["instance", "list"])?.contains(INSTANCE) {
            ensure!(start.elapsed() < INSTANCE_TIMEOUT, "the server does not find the container");
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Reads the container's files as Jingku does, and discards them: no save can be faster.
    fn export(&mut self, idle: &Server) -> Result<()> {
        let mut export = self.engine.client();
        export.args(["export", NAME]).stdout(Stdio::null());
        self.results.timed(EXPORT, PEER, idle, None, || run_command(&mut export))
    }

    /// `podman commit`, then `podman push`.
    fn commit_and_push(&mut self, step: What, name: &str, registry: &Server, stored: &Path) -> Result<()> {
        let image = format!("{}/bench/{name}", registry.address);
        let before = sum_files(stored, Metadata::len)?;
        self.results.timed(step, PEER, registry, None, || {
            run_command(self.engine.client().args(["commit", "-q", NAME, &image]).stdout(Stdio::null()))?;
            run_command(&mut push(&self.engine, &image))
        })?;
        // Podman keeps a copy of its own, which is not counted.
        let new = sum_files(stored, Metadata::len)? - before;
        let sample = self.results.last();
        sample.stored_bytes = Some(new);
        sample.sent_bytes = Some(new);
        Ok(())
    }

    fn pull_from_jingku(&mut self) -> Result<()> {
        let server = self.daemon.serve(&["--engine", "none"])?;
        let credentials = self.credentials()?;
        self.pull(PULL, JINGKU, &server, "1/changed", Some(&credentials))
    }

    /// Pulls the container's files from docker-registry in one layer, and in one layer for each part.
    fn pull_layers(&mut self, root: &Path, rounds: u32) -> Result<()> {
        let registry = start_registry(&self.folder.join("registry"))?;
        let file = self.folder.join("Containerfile");
        let copy = |part: usize| format!("COPY {DATA}/{part} /{DATA}/{part}\n");
        fs::write(&file, format!("FROM base\n{}", (0..PARTS).map(copy).collect::<String>()))?;
        for (name, squash) in [("one", "--squash"), ("several", "--squash=false")] {
            let image = format!("{}/bench/{name}", registry.address);
            let mut build = self.engine.client();
            build.args(["build", "-q", squash, "-t", &image, "-f"]).arg(&file).arg(root);
            run_command(build.stdout(Stdio::null()))?;
            run_command(&mut push(&self.engine, &image))?;
        }
        for _ in 0..rounds {
            for (step, name) in LAYERS.into_iter().zip(["one", "several"]) {
                self.pull(step, PEER, &registry, &format!("bench/{name}"), None)?;
            }
        }
        Ok(())
    }

    /// Pulls an image into a storage that has no part of it.
    fn pull(
        &mut self,
        step: What,
        side: &'static str,
        server: &Server,
        name: &str,
        credentials: Option<&str>,
    ) -> Result<()> {
        let image = format!("{}/{name}", server.address);
        let puller = start_engine()?;
        let mut pull = puller.client();
        pull.args(["pull", "-q", "--tls-verify=false"]).arg(&image).stdout(Stdio::null());
        if let Some(credentials) = credentials {
            pull.args(["--creds", credentials]);
        }
        self.results.timed(step, side, server, None, || run_command(&mut pull))?;
        self.results.last().sent_bytes = Some(image_bytes(server, name, credentials)?);
        self.pullers.push(puller);
        Ok(())
    }

    /// The key pair of the account that the first start creates, as `PUBLIC:PRIVATE`.
    fn credentials(&self) -> Result<String> {
        let text = fs::read_to_string(self.daemon.data.join("credentials.toml"))?;
        let mut values = text.split('"').skip(1).step_by(2);
        let pair = values.next().zip(values.next()).context("credentials.toml has no key pair")?;
        Ok(format!("{}:{}", pair.0, pair.1))
    }
}

/// Pushes an image to a registry without TLS.
fn push(engine: &TestEngine, image: &str) -> Command {
    let mut push = engine.client();
    push.args(["push", "-q", "--tls-verify=false", image]);
    push
}
