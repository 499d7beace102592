//! `cargo xtask bench overload`: ten times the load that the server can answer, and a flood of one account beside another.
//!
//! Each connection starts with a header of the PROXY protocol, so that the server limits the clients as if each had its own
//! address. All but the quiet account send from a thread of the lowest priority: over a network they would not use the
//! server's processor.

mod load;

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use self::load::{Load, Replies, Source};
use super::daemon::{Account, Daemon};
use super::list::fill;
use super::process::Server;
use super::report::{Report, Table};
use crate::workspace::Workspace;

/// Images of each account.
const IMAGES: u32 = 200;
/// Connections that keep both cores busy.
const CONNECTIONS: u32 = 32;
/// How many times the peak the overload offers.
const OVERLOAD: u32 = 10;
/// Accounts that send the overload, each from an address.
const TENANTS: u32 = 16;
/// The addresses of one account's flood: more than its limit passes the limits of addresses.
const FLOOD_ADDRESSES: u32 = 8;
const QUIET_CONNECTIONS: u32 = 2;
/// Requests per second of an account that does not flood.
const QUIET_RATE: f64 = 100.0;
const GOODPUT_MIN: f64 = 0.8;
const SLOWER_MAX: f64 = 2.0;
const REFUSAL_MS_MAX: f64 = 100.0;
const PEAK_BYTES_MAX: u64 = 128 << 20;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Length of each of the five measurements, in seconds.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
}

/// All measurements.
struct Results {
    peak: Replies,
    /// Without limits per second.
    unlimited: Replies,
    tenfold: Replies,
    alone: Replies,
    beside: Replies,
    flood: Replies,
}

pub(super) fn run(workspace: &Workspace, folder: &Path, args: &Args) -> Result<Report> {
    let daemon = Daemon::build(workspace, folder)?;
    drop(daemon.serve(&[])?);
    let quiet = daemon.create_account("quiet")?;
    let tenants = (0..TENANTS).map(|number| daemon.create_account(&format!("tenant-{number}")));
    let tenants = tenants.collect::<Result<Vec<_>>>()?;
    for account in tenants.iter().chain([&quiet]) {
        fill(&daemon.data, account, IMAGES)?;
    }
    let results = measure(&daemon, folder, &quiet, &tenants, Duration::from_secs(args.seconds))?;
    let (table, goals) = (results.table(), results.goals());
    let text = format!("{table}\n{goals}");
    Report::new(&[table, goals], text)
}

fn measure(
    daemon: &Daemon,
    folder: &Path,
    quiet: &Account,
    tenants: &[Account],
    time: Duration,
) -> Result<Results> {
    let sources = |accounts: &[Account], address: fn(usize) -> String| {
        let accounts = accounts.iter().enumerate();
        accounts.map(|(number, account)| Source::new(address(number), account)).collect::<Vec<_>>()
    };
    let hurried = |sources, connections, rate| Load { sources, connections, rate, is_nice: true };
    // Clients on the same machine have no limits per second.
    let local = || sources(tenants, |_| "127.0.0.1".to_owned());
    let server = serve(daemon, folder, None)?;
    let peak = hurried(local(), CONNECTIONS, None).run(&server, time)?;
    let rate = peak.answered_per_second();
    let overload = Some(rate * f64::from(OVERLOAD));
    let unlimited = hurried(local(), OVERLOAD * CONNECTIONS, overload).run(&server, time)?;
    drop(server);

    // All tenants together may use the whole server.
    let server = serve(daemon, folder, Some(rate / f64::from(TENANTS)))?;
    let remote = sources(tenants, |number| format!("198.51.100.{number}"));
    let tenfold = hurried(remote, OVERLOAD * CONNECTIONS, overload).run(&server, time)?;
    let calm = Load {
        sources: vec![Source::new("203.0.113.1".to_owned(), quiet)],
        connections: QUIET_CONNECTIONS,
        rate: Some(QUIET_RATE),
        is_nice: false,
    };
    let alone = calm.run(&server, time)?;
    let loud = (0..FLOOD_ADDRESSES).map(|host| Source::new(format!("198.51.100.{host}"), &tenants[0]));
    let flood = hurried(loud.collect(), OVERLOAD * CONNECTIONS, overload);
    let (beside, flood) = thread::scope(|scope| {
        let flooding = scope.spawn(|| flood.run(&server, time));
        let beside = calm.run(&server, time);
        (beside, flooding.join().expect("it does not panic"))
    });
    Ok(Results { peak, unlimited, tenfold, alone, beside: beside?, flood: flood? })
}

/// Starts a server that trusts the clients' headers, with the default limits or so many requests per second and account.
fn serve(daemon: &Daemon, folder: &Path, per_account: Option<f64>) -> Result<Server> {
    let config = folder.join("jingku.toml");
    // The limits have the ratio of the defaults.
    let requests = per_account.map_or_else(String::new, |rate| {
        format!("[requests]\nper_account = {rate:.0}\nper_address = {:.0}\n", 2.0 * rate.round())
    });
    let text = format!("[proxies]\ntrusted = ['127.0.0.1']\nprotocol = 'proxy'\n{requests}");
    fs::write(&config, text)?;
    let server = daemon.serve(&["--config", config.to_str().context("the target folder is not UTF-8")?])?;
    server.settle()?;
    Ok(server)
}

impl Results {
    fn table(&self) -> Table {
        let many = OVERLOAD * CONNECTIONS;
        let offered = format!("{:.0}", self.peak.answered_per_second() * f64::from(OVERLOAD));
        let quiet = format!("{QUIET_RATE:.0}");
        let row = |what: &str, offered: &str, replies: &Replies| {
            format!("{what} | {offered} | {}", replies.cells())
        };
        let rows = vec![
            row(&format!("peak: {CONNECTIONS} connections, without limits"), "–", &self.peak),
            row(
                &format!("{OVERLOAD} × the peak, {many} connections, without limits"),
                &offered,
                &self.unlimited,
            ),
            row(
                &format!("{OVERLOAD} × the peak, limits of {TENANTS} accounts add up to it"),
                &offered,
                &self.tenfold,
            ),
            row("a quiet account alone", &quiet, &self.alone),
            row("… beside a flood", &quiet, &self.beside),
            row("that flood, of another account", &offered, &self.flood),
        ];
        let headings = "load | offered/s | answered/s | median ms | 99 % ms | refused/s | refused % | median ms, \
                        pause apart | 99 % ms, pause apart | server's CPU µs per request | server's peak MB";
        Table { headings, rows }
    }

    /// The targets with the results.
    fn goals(&self) -> Table {
        let goodput = |replies: &Replies| replies.answered_per_second() / self.peak.answered_per_second();
        let slower = |percent| self.beside.answer_ms(percent) / self.alone.answer_ms(percent);
        let refusal_ms = self.tenfold.refusal_ms(99).max(self.flood.refusal_ms(99));
        let peak_bytes = self.unlimited.peak_bytes().max(self.flood.peak_bytes());
        let row = |goal: String, result: String, met: bool| {
            format!("{goal} | {result} | {}", if met { "met" } else { "**not met**" })
        };
        let at_least = |what: &str, result: f64| {
            row(format!("{what} ≥ {GOODPUT_MIN} × the peak"), format!("{result:.2}"), result >= GOODPUT_MIN)
        };
        let at_most = |what: &str, result: f64| {
            row(format!("{what} ≤ {SLOWER_MAX} × as slow"), format!("{result:.2}"), result <= SLOWER_MAX)
        };
        let rows = vec![
            at_least("answers at ten times the peak, without limits", goodput(&self.unlimited)),
            at_least("answers at ten times the peak, with limits", goodput(&self.tenfold)),
            row(
                format!("99 % of refusals ≤ {REFUSAL_MS_MAX} ms, pause apart"),
                format!("{refusal_ms:.1} ms"),
                self.tenfold.is_refused() && refusal_ms <= REFUSAL_MS_MAX,
            ),
            at_most("median of a quiet account beside a flood", slower(50)),
            at_most("99 % of a quiet account beside a flood", slower(99)),
            row(
                "a quiet account is never refused".to_owned(),
                if self.beside.is_refused() { "refused" } else { "answered" }.to_owned(),
                !self.beside.is_refused(),
            ),
            row(
                "server's peak memory ≤ 128 MiB".to_owned(),
                format!("{} MiB", peak_bytes >> 20),
                peak_bytes <= PEAK_BYTES_MAX,
            ),
        ];
        Table { headings: "target | result | ", rows }
    }
}
