//! `cargo xtask bench list`: lists images. docs/operate/figures.md describes the three servers, which take turns in
//! short rounds, so that other load affects all equally.

mod case;
mod changes;
mod fill;
mod load;
mod postgres;
mod results;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::daemon::{Account, Daemon};
use super::process::Server;
use super::report::{Report, mega};
use crate::workspace::Workspace;
use case::{Kind, List, Rows, cases, compare, sizes};
use changes::Changes;
use results::{BARE, CHECKED, JINGKU, Measured, Work, table};

use fill::{fill_others, publish, share};

pub(super) use case::first_page;
pub(super) use fill::fill;
pub(super) use load::{ask, load};

const ACCOUNT_IMAGES: [u32; 4] = [20, 1_000, 100_000, 1_000_000];
/// Images that are shared with an account, and groups of the community.
const SHARED_IMAGES: u32 = 100_000;
/// Accounts with 20 images that request their lists in turn.
const CALLERS: usize = 200;
const CONNECTIONS: [u32; 2] = [1, 32];

#[derive(clap::Args)]
pub(super) struct Args {
    /// Number of turns of each server with each case.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Length of a turn, in milliseconds.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    turn_ms: u64,
    /// Images of other accounts, each of which has 100. Ten million take some minutes and 16 GB.
    #[arg(long, default_value_t = 0)]
    others: u32,
    /// The most images of an account, for a quick run. Lists that are not read cold have no more than 100,000.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(2_000..=1_000_000))]
    images_max: u32,
    /// Only these rows, separated by commas.
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = [Rows::Memory, Rows::Changing, Rows::Cold])]
    rows: Vec<Rows>,
}

pub(super) fn run(workspace: &Workspace, folder: &Path, args: &Args) -> Result<Report> {
    let daemon = Daemon::build(workspace, folder)?;
    // Filled while no server runs.
    let lists = lists(&daemon, args)?;
    // A scrub would measure the check of images whose data does not exist.
    let config = folder.join("jingku.toml");
    fs::write(&config, "[scrub]\ndays = 0\n")?;
    let config = config.to_str().context("the target folder is not UTF-8")?;
    let jingku = daemon.serve(&["--config", config])?;
    jingku.settle()?;
    let memory_before = jingku.memory_bytes("RssAnon")?;
    let (mut cases, answers) = cases(jingku.address, &lists, &args.rows)?;
    let answers_file = folder.join("answers.json");
    fs::write(&answers_file, serde_json::to_vec(&answers)?)?;
    let servers = [bare_server(&answers_file, &[])?, bare_server(&answers_file, &["--check"])?, jingku];
    compare(&servers, &mut cases, &answers)?;

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let time = Duration::from_millis(args.turn_ms);
    let under_load =
        |connections| cases.iter().map(move |case| Measured { case, connections, turns: Vec::new() });
    let mut results: Vec<Measured> = CONNECTIONS.into_iter().flat_map(under_load).collect();
    for round in 0..args.rounds {
        eprintln!("round {} of {}", round + 1, args.rounds);
        for Measured { case, connections, turns } in &mut results {
            let catalog = daemon.data.join("catalog.db");
            let changes =
                (case.rows == Rows::Changing).then(|| Changes::start(&catalog, case.account, case.seqs()));
            let changes = changes.transpose()?;
            let mut turn = [Work::default(); 3];
            // Alternate the order, so that no server always follows the same one.
            let order = if round % 2 == 0 { [BARE, CHECKED, JINGKU] } else { [JINGKU, CHECKED, BARE] };
            for place in order {
                let server = &servers[place];
                let (start, cpu) = (Instant::now(), server.cpu_seconds()?);
                let load = load(server.address, &case.requests, case.shapes[place], *connections, time);
                let requests = runtime.block_on(load)?;
                let cpu_seconds = server.cpu_seconds()? - cpu;
                turn[place] = Work { requests, seconds: start.elapsed().as_secs_f64(), cpu_seconds };
            }
            changes.map_or(Ok(()), Changes::stop)?;
            turns.push(turn);
        }
    }
    let [memory_before, memory_after] = [memory_before, servers[JINGKU].memory_bytes("RssAnon")?]
        .map(|bytes| format!("{:.0} MiB", mega(bytes) * 1e6 / f64::from(1 << 20)));
    let memory = format!("Anonymous memory of Jingku: {memory_before} before, {memory_after} after.");
    drop(servers);
    let on_postgres =
        postgres::measure(&daemon.binary, folder, config, args.images_max, &args.rows, 4 * time)?;
    let text = match &on_postgres {
        Some(table) => format!("On PostgreSQL, with 8 connections:\n\n{table}"),
        None => "PostgreSQL is not installed.\n".to_owned(),
    };
    let json = serde_json::json!({ "sqlite": results, "postgres": on_postgres });
    Report::new(&json, format!("{}\n{memory}\n\n{text}", table(&results)))
}

/// Creates the accounts and their images.
fn lists(daemon: &Daemon, args: &Args) -> Result<Vec<List>> {
    let mut lists = Vec::new();
    let shared_images = SHARED_IMAGES.min(args.images_max);
    for images in sizes(&ACCOUNT_IMAGES, args.images_max) {
        let lab = account(daemon, &format!("lab-{images}"), images)?;
        let owner = lab.id;
        if images == shared_images {
            let viewer = daemon.create_account("viewer")?;
            share(&daemon.data, &lab, &viewer)?;
            lists.push(List { callers: vec![viewer], kind: Kind::Shared, owner, images });
            lists.push(List { callers: vec![lab.clone()], kind: Kind::Filtered, owner, images });
        }
        lists.push(List { callers: vec![lab], kind: Kind::Own, owner, images });
    }
    let publisher = account(daemon, "publisher", shared_images)?;
    publish(&daemon.data, &publisher)?;
    let owner = publisher.id;
    lists.push(List { callers: vec![publisher], kind: Kind::Community, owner, images: shared_images });
    // Their replies have one length, because their numbers have three digits.
    let mut callers = Vec::new();
    for number in 100.. {
        let caller = daemon.create_account(&format!("caller-{number}"))?;
        if caller.id >= 100 {
            fill(&daemon.data, &caller, ACCOUNT_IMAGES[0])?;
            callers.push(caller);
        }
        if callers.len() == CALLERS {
            break;
        }
    }
    if args.others > 0 {
        fill_others(&daemon.data, &callers[0], args.others)?;
    }
    let owner = callers[0].id;
    lists.push(List { callers, kind: Kind::Own, owner, images: ACCOUNT_IMAGES[0] });
    lists.sort_by_key(|list| list.kind != Kind::Own);
    Ok(lists)
}

fn account(daemon: &Daemon, name: &str, images: u32) -> Result<Account> {
    let account = daemon.create_account(name)?;
    fill(&daemon.data, &account, images)?;
    Ok(account)
}

fn bare_server(answers: &Path, more: &[&str]) -> Result<Server> {
    let mut command = Command::new(std::env::current_exe()?);
    Server::start(command.args(["bench", "bare-server", "--answers"]).arg(answers).args(more))
}
