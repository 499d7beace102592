//! `cargo xtask bench console`: the first page of 10,000 images, in a browser and beside the same list of the API.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::daemon::Daemon;
use super::list::{ask, fill, first_page, load};
use super::process::Server;
use super::report::{Report, Table, median, mega};
use crate::browser;
use crate::workspace::Workspace;

const IMAGES: u32 = 10_000;
const KB_MAX: f64 = 100.0;
const CPU_RATIO_MAX: f64 = 5.0;
const RENDERED_MS_MAX: f64 = 200.0;
const SCRIPT: &str = include_str!("console/visit.mjs");

#[derive(clap::Args)]
pub(super) struct Args {
    /// Number of turns of each of the two requests, and of first visits.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Length of a turn, in milliseconds.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    turn_ms: u64,
}

/// What the script of the browser prints.
#[derive(Deserialize)]
struct Visits {
    cookie: String,
    visits: Vec<Pair>,
}

/// With an empty cache, and once more.
#[derive(Serialize, Deserialize)]
struct Pair {
    first: Visit,
    again: Visit,
}

/// What the browser loads, and when all of it is drawn.
#[derive(Serialize, Deserialize)]
struct Visit {
    requests: u32,
    bytes: u64,
    milliseconds: f64,
}

/// The medians of visits.
struct Summary {
    requests: u32,
    kb: f64,
    milliseconds: f64,
}

impl Summary {
    fn of<'a>(visits: impl Iterator<Item = &'a Visit> + Clone) -> Self {
        Self {
            requests: visits.clone().map(|visit| visit.requests).max().unwrap_or(0),
            kb: median(visits.clone().map(|visit| mega(visit.bytes) * 1e3)),
            milliseconds: median(visits.map(|visit| visit.milliseconds)),
        }
    }
}

/// The server's CPU time per request, in microseconds.
#[derive(Serialize)]
struct Turn {
    list: f64,
    page: f64,
}

pub(super) fn run(workspace: &Workspace, folder: &Path, args: &Args) -> Result<Report> {
    let daemon = Daemon::build(workspace, folder)?;
    let account = daemon.create_account("lab")?;
    fill(&daemon.data, &account, IMAGES)?;
    // A scrub would measure the check of images whose data does not exist.
    let config = folder.join("jingku.toml");
    fs::write(&config, "[scrub]\ndays = 0\n")?;
    let server = daemon.serve(&["--config", config.to_str().context("the target folder is not UTF-8")?])?;
    server.settle()?;

    let base_url = format!("http://{}", server.address);
    let arguments = [&base_url, &account.public_key, &account.private_key, &args.rounds.to_string()];
    let seen = browser::run_script(workspace, SCRIPT, &arguments)?;
    let Visits { cookie, visits } = serde_json::from_str(&seen).context("read what the browser has seen")?;

    let page = format!(
        "GET /console/images HTTP/1.1\r\nHost: {}\r\nAccept-Encoding: gzip\r\nCookie: {cookie}\r\n\r\n",
        server.address
    );
    let (list, page) = (first_page(&account), page.into_bytes());
    let time = Duration::from_millis(args.turn_ms);
    let turns = (0..args.rounds)
        .map(|_| Ok(Turn { list: cpu_us(&server, &list, time)?, page: cpu_us(&server, &page, time)? }));
    let turns = turns.collect::<Result<Vec<_>>>()?;
    Report::new(&(&visits, &turns), table(&visits, &turns))
}

/// The server's CPU time per answer over one connection.
fn cpu_us(server: &Server, request: &[u8], time: Duration) -> Result<f64> {
    let (shape, _) = ask(server.address, request)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let cpu = server.cpu_seconds()?;
    let answered = runtime.block_on(load(server.address, &[request.to_vec()], shape, 1, time))?;
    #[expect(clippy::cast_precision_loss, reason = "fewer requests than 2^53")]
    let per_answer = (server.cpu_seconds()? - cpu) * 1e6 / answered as f64;
    Ok(per_answer)
}

fn table(visits: &[Pair], turns: &[Turn]) -> Table {
    let first = Summary::of(visits.iter().map(|pair| &pair.first));
    let again = Summary::of(visits.iter().map(|pair| &pair.again));
    let cpu = |of: fn(&Turn) -> f64| median(turns.iter().map(of));
    let ratio = cpu(|turn| turn.page / turn.list);
    let met = |result: f64, max: f64| if result <= max { "met" } else { "**not met**" };
    let rows = vec![
        format!(
            "first visit, kB in {} requests | {:.1} | ≤ {KB_MAX} | {}",
            first.requests,
            first.kb,
            met(first.kb, KB_MAX)
        ),
        format!("second visit, kB in {} requests | {:.1} | – | –", again.requests, again.kb),
        format!(
            "first visit, ms until it is drawn | {:.0} | < {RENDERED_MS_MAX} | {}",
            first.milliseconds,
            met(first.milliseconds, RENDERED_MS_MAX)
        ),
        format!("second visit, ms until it is drawn | {:.0} | – | –", again.milliseconds),
        format!("server's CPU µs per list of the API | {:.1} | – | –", cpu(|turn| turn.list)),
        format!("server's CPU µs per page | {:.1} | – | –", cpu(|turn| turn.page)),
        format!("page ÷ list | {ratio:.1} | ≤ {CPU_RATIO_MAX} | {}", met(ratio, CPU_RATIO_MAX)),
    ];
    Table { headings: "what | median | target | ", rows }
}
