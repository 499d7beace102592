//! `cargo xtask bench list`: the hot path, one page of 20 images, as a signed form over kept connections.
//!
//! Three servers answer the same bytes from the same HTTP stack: one from memory, one from memory after checking the
//! signature, and Jingku. They take turns in short rounds, so that what else the machine does hits all alike.

mod fill;
mod load;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use jingku_protocol::{Params, sign_request};
use serde::Serialize;
use serde_json::Value;

use super::bare_server::Answer;
use super::daemon::{Account, Daemon, build_release};
use super::machine::Machine;
use super::process::Server;
use super::report::{Table, median, print};
use crate::workspace::Workspace;
use load::{Shape, ask, load, request};

pub(super) use fill::fill;

const PAGE: u32 = 20;
const ACCOUNT_IMAGES: [u32; 3] = [20, 1_000, 100_000];
const CONNECTIONS: [u32; 2] = [1, 32];
/// The servers, by their place in every list of three.
const BARE: usize = 0;
const CHECKED: usize = 1;
const JINGKU: usize = 2;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// How often each server has its turn with each case.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// How long a turn lasts, in milliseconds.
    #[arg(long, default_value_t = 800, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    turn_ms: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One page of one account.
struct Case {
    images: u32,
    offset: u32,
    request: Vec<u8>,
    /// Of the three servers' replies; the product's head differs from the others' in nothing that counts.
    shapes: [Shape; 3],
}

/// What one server did with one case, in all its turns or in one.
#[derive(Clone, Copy, Default, Serialize)]
struct Work {
    requests: u64,
    seconds: f64,
    cpu_seconds: f64,
}

#[derive(Serialize)]
struct Measured {
    images: u32,
    offset: u32,
    connections: u32,
    body_bytes: usize,
    /// Turn by turn: bare, bare with the signature checked, jingku.
    turns: Vec<[Work; 3]>,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Result<()> {
    let machine = Machine::this();
    let folder = tempfile::Builder::new().prefix("bench-list-").tempdir_in(&workspace.target)?;
    let daemon = Daemon::new(build_release(workspace)?, folder.path());
    let accounts = accounts(&daemon)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let jingku = daemon.serve()?;
    let (mut cases, answers) = runtime.block_on(cases(jingku.address, &accounts))?;
    let answers_file = folder.path().join("answers.json");
    fs::write(&answers_file, serde_json::to_vec(&answers)?)?;
    let servers = [bare_server(&answers_file, false)?, bare_server(&answers_file, true)?, jingku];
    runtime.block_on(compare(&servers, &mut cases, &answers))?;

    let mut results = Vec::new();
    for connections in CONNECTIONS {
        results.extend(cases.iter().map(|case| Measured::new(case, connections)));
    }
    for round in 0..args.rounds {
        eprintln!("round {} of {}", round + 1, args.rounds);
        for measured in &mut results {
            let case = cases.iter().find(|case| case.is(measured)).expect("it was made from one");
            let mut turn = [Work::default(); 3];
            // Forwards, then backwards: whoever comes after another is not always the same.
            let order = if round % 2 == 0 { [BARE, CHECKED, JINGKU] } else { [JINGKU, CHECKED, BARE] };
            for place in order {
                let time = Duration::from_millis(args.turn_ms);
                let work = work(&servers[place], case, case.shapes[place], measured.connections, time);
                turn[place] = runtime.block_on(work)?;
            }
            measured.turns.push(turn);
        }
    }
    print(args.json, &machine, &results, &table(&results))
}

/// Three accounts, filled while no server runs.
fn accounts(daemon: &Daemon) -> Result<Vec<(Account, u32)>> {
    let mut accounts = Vec::new();
    for images in ACCOUNT_IMAGES {
        let account = daemon.create_account(&format!("lab-{images}"))?;
        fill(&daemon.data, &account, images)?;
        accounts.push((account, images));
    }
    Ok(accounts)
}

/// The first page and the last of each account, with the product's answers, which are looked at in full.
async fn cases(address: SocketAddr, accounts: &[(Account, u32)]) -> Result<(Vec<Case>, Vec<Answer>)> {
    let (mut cases, mut answers) = (Vec::new(), Vec::new());
    for (account, images) in accounts {
        let mut offsets = vec![0, images - PAGE];
        offsets.dedup();
        for offset in offsets {
            let params = Params::for_action("DescribeCompShareCustomImages")
                .number("Offset", Some(offset))
                .number("Limit", Some(PAGE));
            let form = sign_request(params, &account.public_key, &account.private_key).to_form();
            let request = request(&format!("/{}", cases.len()), &form);
            let (shape, body) = ask(address, &request).await?;
            let request_id = check(&body, *images, offset)?;
            let private_key = account.private_key.clone();
            answers.push(Answer { body: String::from_utf8(body)?, request_id, private_key });
            cases.push(Case { images: *images, offset, request, shapes: [shape; 3] });
        }
    }
    Ok((cases, answers))
}

/// Looks at a page as a client would; returns its request id.
fn check(body: &[u8], images: u32, offset: u32) -> Result<String> {
    let page: Value = serde_json::from_slice(body)?;
    ensure!(page["RetCode"] == 0 && page["TotalCount"] == images, "not the page asked for: {page}");
    let rows = page["ImageSet"].as_array().context("no ImageSet")?;
    let number = |row: &Value| row["Name"].as_str()?.rsplit_once('-')?.1.parse::<u32>().ok();
    let found: Option<Vec<u32>> = rows.iter().map(number).collect();
    // Newest first, and the newest has the largest number.
    let expected: Vec<u32> = (0..PAGE).map(|place| images - 1 - offset - place).collect();
    ensure!(found.as_ref() == Some(&expected), "the page has the images {found:?}, not {expected:?}");
    Ok(page["request_uuid"].as_str().context("no request_uuid")?.to_owned())
}

fn bare_server(answers: &Path, check: bool) -> Result<Server> {
    let mut command = std::process::Command::new(std::env::current_exe()?);
    command.arg("bare-server").arg("--answers").arg(answers);
    if check {
        command.arg("--check");
    }
    Server::start(&mut command)
}

/// Makes sure that all three answer every case with the same body, and notes the shapes of their replies.
async fn compare(servers: &[Server; 3], cases: &mut [Case], answers: &[Answer]) -> Result<()> {
    for (case, answer) in cases.iter_mut().zip(answers) {
        for (server, expected) in servers.iter().zip(&mut case.shapes) {
            let (shape, body) = ask(server.address, &case.request).await?;
            *expected = shape;
            // Only the request id is new each time.
            let fresh = check(&body, case.images, case.offset)?;
            let same = String::from_utf8(body)?.replace(&fresh, &answer.request_id) == answer.body;
            ensure!(same, "a server answers other bytes");
        }
    }
    Ok(())
}

async fn work(server: &Server, case: &Case, shape: Shape, connections: u32, time: Duration) -> Result<Work> {
    let (start, cpu) = (std::time::Instant::now(), server.cpu_time()?);
    let requests = load(server.address, &case.request, shape, connections, time).await?;
    let cpu_seconds = server.cpu_time()?.saturating_sub(cpu).as_secs_f64();
    Ok(Work { requests, seconds: start.elapsed().as_secs_f64(), cpu_seconds })
}

#[expect(clippy::cast_precision_loss, reason = "fewer requests than 2^53")]
impl Work {
    fn per_second(self) -> f64 {
        self.requests as f64 / self.seconds
    }

    fn cpu_us_per_request(self) -> f64 {
        self.cpu_seconds * 1e6 / self.requests as f64
    }
}

impl Measured {
    fn new(case: &Case, connections: u32) -> Self {
        let Case { images, offset, .. } = *case;
        Self { images, offset, connections, body_bytes: case.shapes[JINGKU].body(), turns: Vec::new() }
    }

    /// All turns of a server together.
    fn total(&self, server: usize) -> Work {
        self.turns.iter().map(|turn| turn[server]).fold(Work::default(), |sum, work| Work {
            requests: sum.requests + work.requests,
            seconds: sum.seconds + work.seconds,
            cpu_seconds: sum.cpu_seconds + work.cpu_seconds,
        })
    }

    /// The product against another server, turn by turn: the ratio in the middle.
    fn ratio(&self, other: usize, of: fn(Work) -> f64) -> f64 {
        median(self.turns.iter().map(|turn| of(turn[JINGKU]) / of(turn[other])))
    }
}

impl Case {
    fn is(&self, measured: &Measured) -> bool {
        (self.images, self.offset) == (measured.images, measured.offset)
    }
}

fn table(results: &[Measured]) -> Table {
    let mut table = Table::new(&[
        "images",
        "offset",
        "connections",
        "requests/s ÷ checked",
        "÷ bare",
        "CPU ÷ checked",
        "÷ bare",
        "jingku µs CPU",
        "checked",
        "bare",
        "jingku requests/s",
        "checked",
        "bare",
    ]);
    for measured in results {
        let total = [BARE, CHECKED, JINGKU].map(|server| measured.total(server));
        let ratio = |other, of| format!("{:.2}", measured.ratio(other, of));
        let cpu = |server: usize| format!("{:.1}", total[server].cpu_us_per_request());
        let rate = |server: usize| format!("{:.0}", total[server].per_second());
        table.row(&[
            measured.images.to_string(),
            measured.offset.to_string(),
            measured.connections.to_string(),
            ratio(CHECKED, Work::per_second),
            ratio(BARE, Work::per_second),
            ratio(CHECKED, Work::cpu_us_per_request),
            ratio(BARE, Work::cpu_us_per_request),
            cpu(JINGKU),
            cpu(CHECKED),
            cpu(BARE),
            rate(JINGKU),
            rate(CHECKED),
            rate(BARE),
        ]);
    }
    table
}
