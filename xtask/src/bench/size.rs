//! `cargo xtask bench size`: size, dependencies, start time, idle memory and build time of the binary.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Serialize;

use super::build::{Build, build_from_nothing};
use super::daemon::{Daemon, build_release};
use super::list::fill;
use super::machine::Machine;
use super::report::{Table, median, mega, print};
use crate::workspace::Workspace;

const IMAGES: u32 = 10_000;
const STARTS: usize = 20;
/// After this long without a request a server is idle.
const IDLE: Duration = Duration::from_secs(2);

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Skip the clean build, which takes minutes.
    #[arg(long)]
    skip_build: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Results {
    binary_bytes: u64,
    dependencies: usize,
    /// Until the base URL is printed, on a data directory with 10,000 images; median and slowest of 20.
    start_ms: f64,
    start_slowest_ms: f64,
    /// Until `/healthz` has answered.
    answer_ms: f64,
    /// The start that creates the data directory.
    first_start_ms: f64,
    /// In memory, with a lab: until the base URL is printed; median and slowest of 20.
    ephemeral_start_ms: f64,
    ephemeral_start_slowest_ms: f64,
    /// The same with fixtures of 10,000 images.
    ephemeral_filled_start_ms: f64,
    /// Anonymous memory of an idle server, before its first request and after listing one page.
    idle_bytes: u64,
    idle_after_list_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<Build>,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let machine = Machine::this();
    let binary = build_release(workspace)?;
    let folder = tempfile::Builder::new().prefix("bench-size-").tempdir_in(&workspace.target)?;
    let daemon = Daemon::new(binary.clone(), folder.path());
    let first_start = Instant::now();
    drop(daemon.serve()?);
    let first_start_ms = ms(first_start);
    let account = daemon.create_account("lab")?;
    fill(&daemon.data, &account, IMAGES)?;

    let starts = (0..STARTS).map(|_| start(&daemon)).collect::<Result<Vec<_>>>()?;
    let (idle_bytes, idle_after_list_bytes) =
        idle_memory(&daemon, &account.public_key, &account.private_key)?;
    let fixtures = folder.path().join("fixtures.json");
    fs::write(&fixtures, format!(r#"{{"images":[{{"name":"env","count":{IMAGES}}}]}}"#))?;
    let fixtures = fixtures.to_str().context("the target folder is not UTF-8")?;
    let ephemeral = start_in_memory(&daemon, &["--lab"])?;
    let filled = start_in_memory(&daemon, &["--lab", "--fixtures", fixtures])?;
    let results = Results {
        binary_bytes: fs::metadata(&binary)?.len(),
        dependencies: dependencies(workspace)?,
        start_ms: median(starts.iter().map(|(line, _)| *line)),
        start_slowest_ms: starts.iter().map(|(line, _)| *line).fold(0.0, f64::max),
        answer_ms: median(starts.iter().map(|(_, answer)| *answer)),
        first_start_ms,
        ephemeral_start_ms: median(ephemeral.iter().copied()),
        ephemeral_start_slowest_ms: ephemeral.iter().copied().fold(0.0, f64::max),
        ephemeral_filled_start_ms: median(filled.iter().copied()),
        idle_bytes,
        idle_after_list_bytes,
        build: (!args.skip_build).then(|| build_from_nothing(workspace)).transpose()?,
    };
    print(args.json, &machine, &results, &table(&results))
}

/// Starts once: milliseconds until the first line, and until `/healthz` has answered.
fn start(daemon: &Daemon) -> Result<(f64, f64)> {
    let begin = Instant::now();
    let server = daemon.serve()?;
    let line = ms(begin);
    let mut stream = TcpStream::connect(server.address)?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    ensure!(reply.starts_with("HTTP/1.1 200"), "/healthz answers {reply}");
    Ok((line, ms(begin)))
}

/// Milliseconds until the first line, of each start in memory.
fn start_in_memory(daemon: &Daemon, more: &[&str]) -> Result<Vec<f64>> {
    let start = |_| {
        let begin = Instant::now();
        let _server = daemon.serve_in_memory(more)?;
        Ok(ms(begin))
    };
    (0..STARTS).map(start).collect()
}

/// Anonymous memory before the first request, and after listing one page.
fn idle_memory(daemon: &Daemon, public_key: &str, private_key: &str) -> Result<(u64, u64)> {
    let server = daemon.serve()?;
    std::thread::sleep(IDLE);
    let before = server.memory_bytes("RssAnon")?;
    let listed = daemon
        .command(&["image", "list", "--json"])
        .env("JINGKU_BASE_URL", format!("http://{}", server.address))
        .env("JINGKU_PUBLIC_KEY", public_key)
        .env("JINGKU_PRIVATE_KEY", private_key)
        .output()?;
    let page: serde_json::Value = serde_json::from_slice(&listed.stdout).context("read the listed page")?;
    ensure!(page["TotalCount"] == IMAGES, "unexpected page: {page}");
    std::thread::sleep(IDLE);
    Ok((before, server.memory_bytes("RssAnon")?))
}

/// Counts the third-party crates in the binary, each version separately.
fn dependencies(workspace: &Workspace) -> Result<usize> {
    let mut tree = workspace.cargo("tree --package jingku --edges normal --prefix none --no-dedupe");
    let output = tree.output()?;
    if !output.status.success() {
        bail!("cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8(output.stdout)?;
    // Our own crates come with their folder in parentheses.
    let foreign = text.lines().filter(|line| !line.contains("(/"));
    Ok(foreign.map(|line| line.trim_end_matches(" (proc-macro)")).collect::<BTreeSet<_>>().len())
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn table(results: &Results) -> Table {
    let mut table = Table::new(&["what", "measured"]);
    let mib = |bytes: u64| format!("{:.1} MiB", mega(bytes) * 1e6 / 1_048_576.0);
    let mut row = |what: &str, measured: String| table.row(&[what.to_owned(), measured]);
    row("release binary", format!("{:.1} MB", mega(results.binary_bytes)));
    row("third-party crates in it", results.dependencies.to_string());
    row(
        "start on a data directory with 10,000 images, until the first line",
        format!("{:.0} ms, slowest of {STARTS} {:.0} ms", results.start_ms, results.start_slowest_ms),
    );
    row("… until /healthz has answered", format!("{:.0} ms", results.answer_ms));
    row("first start, which creates the data directory", format!("{:.0} ms", results.first_start_ms));
    row(
        "in-memory start with a lab, until the first line",
        format!(
            "{:.0} ms, slowest of {STARTS} {:.0} ms",
            results.ephemeral_start_ms, results.ephemeral_start_slowest_ms
        ),
    );
    row("… with fixtures of 10,000 images", format!("{:.0} ms", results.ephemeral_filled_start_ms));
    row("anonymous memory when idle with 10,000 images", mib(results.idle_bytes));
    row("… after listing one page", mib(results.idle_after_list_bytes));
    if let Some(Build { seconds, crate_seconds, heaviest }) = &results.build {
        row("clean release build", format!("{seconds:.0} s, {crate_seconds:.0} crate-seconds"));
        for (name, seconds) in heaviest {
            row(&format!("… {name}"), format!("{seconds:.0} s"));
        }
    }
    table
}
