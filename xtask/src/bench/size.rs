//! `cargo xtask bench size`: size, dependencies, start time, idle memory and build time of the binary.

mod against;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

use super::daemon::{Account, Daemon};
use super::http;
use super::list::fill;
use super::report::{Report, Table, median, mega};
use crate::workspace::{Workspace, run as run_command};

const IMAGES: u32 = 10_000;
const STARTS: usize = 20;
/// After this long without a request a server is idle.
const IDLE: Duration = Duration::from_secs(2);

#[derive(clap::Args)]
pub(super) struct Args {
    /// Skip the clean build, which takes minutes.
    #[arg(long)]
    skip_build: bool,
    /// Only compare start time, size and clean build with those of another revision.
    #[arg(long, value_name = "REVISION")]
    against: Option<String>,
}

pub(super) fn run(workspace: &Workspace, folder: &Path, args: &Args) -> Result<Report> {
    if let Some(revision) = &args.against {
        let table = against::compare(workspace, folder, revision)?;
        return Report::new(&table, &table);
    }
    let daemon = Daemon::build(workspace, folder)?;
    let mut rows = Vec::new();
    let mut row = |what: &str, measured: String| rows.push(format!("{what} | {measured}"));
    row("release binary", format!("{:.1} MB", mega(fs::metadata(&daemon.binary)?.len())));
    row("third-party crates in it", dependencies(workspace)?.to_string());

    let first_start = Instant::now();
    drop(daemon.serve(&[])?);
    let first_start = ms(first_start);
    let account = daemon.create_account("lab")?;
    fill(&daemon.data, &account, IMAGES)?;
    let starts = (0..STARTS).map(|_| start(&daemon)).collect::<Result<Vec<_>>>()?;
    let lines = starts.iter().map(|(line, _)| *line);
    row("start on a data directory with 10,000 images, until the first line", median_and_slowest(lines));
    let answer = median(starts.iter().map(|(_, answer)| *answer));
    row("… until /healthz has answered", format!("{answer:.0} ms"));
    row("first start, which creates the data directory", format!("{first_start:.0} ms"));

    let fixtures = folder.join("fixtures.json");
    fs::write(&fixtures, format!(r#"{{"images":[{{"name":"env","count":{IMAGES}}}]}}"#))?;
    let fixtures = fixtures.to_str().context("the target folder is not UTF-8")?;
    let empty = start_in_memory(&daemon, &["--lab"])?;
    row("in-memory start with a lab, until the first line", median_and_slowest(empty));
    let filled = median(start_in_memory(&daemon, &["--lab", "--fixtures", fixtures])?);
    row("… with fixtures of 10,000 images", format!("{filled:.0} ms"));

    let (idle, after_list) = idle_memory(&daemon, &account)?;
    row("anonymous memory when idle with 10,000 images", mib(idle));
    row("… after listing one page", mib(after_list));
    if !args.skip_build {
        let Build { seconds, crate_seconds, heaviest } = build_from_nothing(workspace, folder)?;
        row("clean release build", format!("{seconds:.0} s, {crate_seconds:.0} crate-seconds"));
        for (name, seconds) in heaviest {
            row(&format!("… {name}"), format!("{seconds:.0} s"));
        }
    }
    let table = Table { headings: "what | measured", rows };
    Report::new(&table, &table)
}

/// Starts once: milliseconds until the first line, and until `/healthz` has answered.
fn start(daemon: &Daemon) -> Result<(f64, f64)> {
    let begin = Instant::now();
    let server = daemon.serve(&[])?;
    let line = ms(begin);
    http::get(server.address, "/healthz")?;
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
fn idle_memory(daemon: &Daemon, account: &Account) -> Result<(u64, u64)> {
    let server = daemon.serve(&[])?;
    thread::sleep(IDLE);
    let before = server.memory_bytes("RssAnon")?;
    let mut list = daemon.command(&["image", "list", "--json"]);
    list.env("JINGKU_BASE_URL", format!("http://{}", server.address));
    list.env("JINGKU_PUBLIC_KEY", &account.public_key).env("JINGKU_PRIVATE_KEY", &account.private_key);
    let page: serde_json::Value =
        serde_json::from_slice(&list.output()?.stdout).context("read the listed page")?;
    ensure!(page["TotalCount"] == IMAGES, "unexpected page: {page}");
    thread::sleep(IDLE);
    Ok((before, server.memory_bytes("RssAnon")?))
}

/// Counts the third-party crates in the binary, each version separately.
fn dependencies(workspace: &Workspace) -> Result<usize> {
    let mut tree = workspace.cargo("tree --package jingku --edges normal --prefix none --no-dedupe");
    let output = tree.output()?;
    ensure!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    // Our own crates come with their folder in parentheses.
    let foreign = text.lines().filter(|line| !line.contains("(/"));
    Ok(foreign.map(|line| line.trim_end_matches(" (proc-macro)")).collect::<BTreeSet<_>>().len())
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", mega(bytes) * 1e6 / 1_048_576.0)
}

fn median_and_slowest(times_ms: impl IntoIterator<Item = f64>) -> String {
    let times: Vec<f64> = times_ms.into_iter().collect();
    let slowest = times.iter().copied().fold(0.0, f64::max);
    format!("{:.0} ms, slowest of {STARTS} {slowest:.0} ms", median(times))
}

/// Number of crates in the table.
const HEAVIEST: usize = 10;

struct Build {
    seconds: f64,
    /// The sum over all crates; several are compiled at once.
    crate_seconds: f64,
    /// Crates by time, the longest first. The build script and the library of a crate count together.
    heaviest: Vec<(String, f64)>,
}

/// What cargo reports of a step of the build.
#[derive(Deserialize)]
struct Unit {
    name: String,
    duration: f64,
}

/// Builds the binary in a new folder, with all packages already downloaded.
fn build_from_nothing(workspace: &Workspace, folder: &Path) -> Result<Build> {
    let target = folder.join("build");
    run_command(&mut workspace.cargo("fetch --quiet"))?;
    let begin = Instant::now();
    let mut build = workspace.cargo("build --quiet --release --package jingku --timings");
    run_command(build.env("CARGO_TARGET_DIR", &target))?;
    let seconds = begin.elapsed().as_secs_f64();
    Ok(summarise(&units(&target)?, seconds))
}

/// The steps in cargo's report, an HTML page that contains them as JSON.
fn units(target: &Path) -> Result<Vec<Unit>> {
    let page =
        fs::read_to_string(target.join("cargo-timings/cargo-timing.html")).context("read the report")?;
    let data = page.split_once("const UNIT_DATA = ").context("the report has no data")?.1;
    let mut units = serde_json::Deserializer::from_str(data).into_iter::<Vec<Unit>>();
    units.next().context("the report has no data")?.context("read the data of the report")
}

fn summarise(units: &[Unit], seconds: f64) -> Build {
    let mut crates = BTreeMap::<&str, f64>::new();
    for unit in units {
        *crates.entry(&unit.name).or_default() += unit.duration;
    }
    let mut heaviest: Vec<_> = crates.into_iter().map(|(name, time)| (name.to_owned(), time)).collect();
    heaviest.sort_by(|(_, a), (_, b)| f64::total_cmp(b, a));
    heaviest.truncate(HEAVIEST);
    Build { seconds, crate_seconds: units.iter().map(|unit| unit.duration).sum(), heaviest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_of_a_crate_count_together() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("cargo-timings")).unwrap();
        let page = r#"<script>const UNIT_DATA = [
            {"i": 0, "name": "zstd-sys", "target": " build script", "duration": 0.5},
            {"i": 1, "name": "tokio", "target": "", "duration": 2.0},
            {"i": 2, "name": "zstd-sys", "target": "", "duration": 3.0}
        ]; const OTHER = [];</script>"#;
        fs::write(folder.path().join("cargo-timings/cargo-timing.html"), page).unwrap();
        let build = summarise(&units(folder.path()).unwrap(), 4.0);
        assert_eq!(build.crate_seconds.to_bits(), 5.5_f64.to_bits());
        assert_eq!(build.heaviest, [("zstd-sys".to_owned(), 3.5), ("tokio".to_owned(), 2.0)]);
    }
}
