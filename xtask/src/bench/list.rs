//! `cargo xtask bench list`: lists pages of 20 images with signed forms over persistent connections.
//!
//! Three servers with the same HTTP stack answer the same bytes: one from memory, one from memory after it has verified
//! the signature, and Jingku. They take turns in short rounds, so that other load affects all equally.

mod case;
mod changes;
mod fill;
mod load;
mod results;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::daemon::{Account, Daemon, build_release};
use super::machine::Machine;
use super::process::Server;
use super::report::print;
use crate::workspace::Workspace;
use case::{Case, cases, compare};
use changes::Changes;
use load::load;
use results::{BARE, CHECKED, JINGKU, Measured, Work, table};

pub(super) use fill::fill;

const ACCOUNT_IMAGES: [u32; 3] = [20, 1_000, 100_000];
const CONNECTIONS: [u32; 2] = [1, 32];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Number of turns of each server with each case.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Length of a turn, in milliseconds.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    turn_ms: u64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
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

    let under_each_load = CONNECTIONS.iter().flat_map(|load| cases.iter().map(move |case| (case, *load)));
    let mut measured: Vec<(&Case, Measured)> =
        under_each_load.map(|(case, connections)| (case, Measured::new(case, connections))).collect();
    for round in 0..args.rounds {
        eprintln!("round {} of {}", round + 1, args.rounds);
        for (case, measured) in &mut measured {
            let changes =
                case.changing.then(|| Changes::start(&daemon.data.join("catalog.db"), case.account));
            let _changes = changes.transpose()?;
            let mut turn = [Work::default(); 3];
            // Alternate the order, so that no server always follows the same one.
            let order = if round % 2 == 0 { [BARE, CHECKED, JINGKU] } else { [JINGKU, CHECKED, BARE] };
            for place in order {
                let time = Duration::from_millis(args.turn_ms);
                let work = work(&servers, place, case, measured.connections, time);
                turn[place] = runtime.block_on(work)?;
            }
            measured.turns.push(turn);
        }
    }
    let results: Vec<Measured> = measured.into_iter().map(|(_, measured)| measured).collect();
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

fn bare_server(answers: &Path, check: bool) -> Result<Server> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("bare-server").arg("--answers").arg(answers);
    if check {
        command.arg("--check");
    }
    Server::start(&mut command)
}

/// One server's turn.
async fn work(
    servers: &[Server; 3],
    place: usize,
    case: &Case,
    connections: u32,
    time: Duration,
) -> Result<Work> {
    let server = &servers[place];
    let (start, cpu) = (Instant::now(), server.cpu_time()?);
    let requests = load(server.address, &case.requests, case.shapes[place], connections, time).await?;
    let cpu_seconds = server.cpu_time()?.saturating_sub(cpu).as_secs_f64();
    Ok(Work { requests, seconds: start.elapsed().as_secs_f64(), cpu_seconds })
}
