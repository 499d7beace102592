//! `cargo xtask bench overload`: ten times the load that the server can answer, and a flood of one account beside another.
//!
//! Each connection starts with a header of the PROXY protocol, so that the server limits the clients as if each had its own
//! address. All but the quiet account send from a thread of the lowest priority: over a network they would not use the
//! server's processor.
//!
//! To refuse a request costs about as much as to answer a list from memory, because either is mostly the work of the
//! connection. So ten times the *requests* are sorted lists, for which the server reads every row of the account; with
//! lists from memory, it is ten times the *clients*, which all wait for their turn.

mod load;

use std::fs;
use std::path::Path;
use std::slice;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use self::load::{List, Load, Replies, Source};
use super::daemon::{Account, Daemon};
use super::list::fill;
use super::process::Server;
use super::report::{Report, Table};
use crate::workspace::Workspace;

/// Images of each account.
const IMAGES: u32 = 20_000;
/// Numbers of connections that are tried for the peak, which is the best result.
const NEWEST_CONNECTIONS: [u32; 4] = [8, 16, 32, 64];
const SORTED_CONNECTIONS: [u32; 4] = [4, 8, 12, 16];
const PEAK_TIME: Duration = Duration::from_secs(3);
/// How many times the peak the overload offers.
const OVERLOAD: u32 = 10;
/// Accounts that send the overload, each from an address. Every number of connections is a multiple, so that the server's
/// caches hold as much at the peak as beyond it.
const TENANTS: u32 = 4;
/// The limits of all tenants together, as a part of the peak: refusals need the rest.
const LIMITED_SHARE: f64 = 0.9;
/// Requests per second of a connection that offers ten times the peak, if all are refused. The server makes it wait for less
/// than half of the time until the next.
const PACE: f64 = 2.0;
/// The longest time in which the overload uses up what may come at once.
const WARM_UP: Duration = Duration::from_secs(3);
const FLOOD_CONNECTIONS: u32 = 320;
/// The addresses of one account's flood: more than its limit passes the limits of addresses.
const FLOOD_ADDRESSES: u32 = 8;
const QUIET_CONNECTIONS: u32 = 2;
/// Requests per second of an account that does not flood.
const QUIET_RATE: f64 = 100.0;
const GOODPUT_MIN: f64 = 0.8;
const SLOWER_MAX: f64 = 2.0;
const REFUSAL_MS_MAX: f64 = 100.0;
/// What may come at once is answered in two seconds.
const ANSWER_MS_MAX: f64 = 3000.0;
const PEAK_BYTES_MAX: u64 = 128 << 20;
const SECONDS_MAX: u64 = 120;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Length of each measurement except those of the peaks, in seconds.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
}

/// All measurements.
struct Results {
    newest: Peak,
    /// Ten times as many clients as at the peak, without limits per second.
    crowd: Replies,
    sorted: Peak,
    /// Ten times the peak of sorted lists.
    tenfold: Replies,
    alone: Replies,
    beside: Replies,
    flood: Replies,
    seconds: u64,
}

/// The best of several numbers of connections.
struct Peak {
    connections: u32,
    replies: Replies,
}

pub(super) fn run(workspace: &Workspace, folder: &Path, args: &Args) -> Result<Report> {
    let daemon = Daemon::build(workspace, folder)?;
    let start = Instant::now();
    drop(daemon.serve(&[])?);
    let quiet = daemon.create_account("quiet")?;
    let tenants = (0..TENANTS).map(|number| daemon.create_account(&format!("tenant-{number}")));
    let tenants = tenants.collect::<Result<Vec<_>>>()?;
    for account in tenants.iter().chain([&quiet]) {
        fill(&daemon.data, account, IMAGES)?;
    }
    let mut results = measure(&daemon, folder, &quiet, &tenants, Duration::from_secs(args.seconds))?;
    results.seconds = start.elapsed().as_secs();
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
    let hurried = |sources, connections, time| Load {
        sources,
        connections,
        rate: None,
        warm_up: Duration::ZERO,
        time,
        is_nice: true,
    };
    // Clients on the same machine have no limits per second.
    let local = |list| sources(tenants, list, |_| "127.0.0.1".to_owned());
    let peak = |server: &Server, list, counts: [u32; 4]| {
        let measured = counts.map(|connections| {
            let replies = hurried(local(list), connections, PEAK_TIME).run(server)?;
            anyhow::Ok(Peak { connections, replies })
        });
        let measured = measured.into_iter().collect::<Result<Vec<_>>>()?;
        let rate = |peak: &Peak| peak.replies.answered_per_second();
        measured.into_iter().max_by(|a, b| f64::total_cmp(&rate(a), &rate(b))).context("nothing was measured")
    };
    let server = serve(daemon, folder, None)?;
    let newest = peak(&server, List::Newest, NEWEST_CONNECTIONS)?;
    let crowd = hurried(local(List::Newest), OVERLOAD * newest.connections, time).run(&server)?;
    let sorted = peak(&server, List::Sorted, SORTED_CONNECTIONS)?;
    drop(server);

    let rate = sorted.replies.answered_per_second();
    let server = serve(daemon, folder, Some(rate * LIMITED_SHARE / f64::from(TENANTS)))?;
    let remote = sources(tenants, List::Sorted, |number| format!("198.51.100.{number}"));
    let tenfold = overload(remote, rate, time).run(&server)?;
    drop(server);

    let server = serve(daemon, folder, None)?;
    let calm = Load {
        connections: QUIET_CONNECTIONS,
        rate: Some(QUIET_RATE),
        is_nice: false,
        ..hurried(sources(slice::from_ref(quiet), List::Newest, |_| "203.0.113.1".to_owned()), 0, time)
    };
    let alone = calm.run(&server)?;
    let loud = vec![tenants[0].clone(); FLOOD_ADDRESSES as usize];
    let loud = sources(&loud, List::Newest, |number| format!("198.51.100.{number}"));
    let flood = hurried(loud, FLOOD_CONNECTIONS, time);
    let (beside, flood) = thread::scope(|scope| {
        let flooding = scope.spawn(|| flood.run(&server));
        let beside = calm.run(&server);
        (beside, flooding.join().expect("it does not panic"))
    });
    Ok(Results { newest, crowd, sorted, tenfold, alone, beside: beside?, flood: flood?, seconds: 0 })
}

/// A client of each account.
fn sources(accounts: &[Account], list: List, address: impl Fn(usize) -> String) -> Vec<Source> {
    let accounts = accounts.iter().cloned().enumerate();
    accounts.map(|(number, account)| Source { address: address(number), account, list }).collect()
}

/// Ten times `rate`.
fn overload(sources: Vec<Source>, rate: f64, time: Duration) -> Load {
    let rate = rate * f64::from(OVERLOAD);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is some hundreds")]
    let connections = (rate / PACE) as u32;
    Load { sources, connections, rate: Some(rate), warm_up: WARM_UP, time, is_nice: true }
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
        let sorted_rate = self.sorted.replies.answered_per_second() * f64::from(OVERLOAD);
        let quiet = format!("{QUIET_RATE:.0}");
        let row = |what: &str, offered: &str, replies: &Replies| {
            format!("{what} | {offered} | {}", replies.cells())
        };
        let crowd = OVERLOAD * self.newest.connections;
        let rows = vec![
            row(
                &format!("lists from memory, peak at {} connections", self.newest.connections),
                "–",
                &self.newest.replies,
            ),
            row(&format!("… {crowd} connections"), "–", &self.crowd),
            row(
                &format!("sorted lists, peak at {} connections", self.sorted.connections),
                "–",
                &self.sorted.replies,
            ),
            row(
                &format!("… {OVERLOAD} × the peak, limits of {TENANTS} accounts are {LIMITED_SHARE} of it"),
                &format!("{sorted_rate:.0}"),
                &self.tenfold,
            ),
            row("a quiet account alone, lists from memory", &quiet, &self.alone),
            row("… beside a flood", &quiet, &self.beside),
            row(
                &format!("that flood, of another account, {FLOOD_CONNECTIONS} connections"),
                "–",
                &self.flood,
            ),
        ];
        let headings = "load | offered/s | answered/s | median ms | 99 % ms | refused/s | refused % | median ms, \
                        pause apart | 99 % ms, pause apart | not sent/s | server's CPU µs per reply | server's peak MB";
        Table { headings, rows }
    }

    /// The targets with the results.
    fn goals(&self) -> Table {
        let goodput = |replies: &Replies, peak: &Peak| {
            replies.answered_per_second() / peak.replies.answered_per_second()
        };
        let slower = |percent| self.beside.answer_ms(percent) / self.alone.answer_ms(percent);
        let refusal_ms = self.tenfold.refusal_ms(99).max(self.flood.refusal_ms(99));
        let replies = [&self.crowd, &self.tenfold, &self.flood];
        let peak_bytes = replies.map(Replies::peak_bytes).into_iter().max().unwrap_or(0);
        let row = |goal: String, result: String, met: bool| {
            format!("{goal} | {result} | {}", if met { "met" } else { "**not met**" })
        };
        let at_least = |what: &str, result: f64| {
            row(format!("{what} ≥ {GOODPUT_MIN} × the peak"), format!("{result:.2}"), result >= GOODPUT_MIN)
        };
        let at_most = |what: &str, result: f64| {
            row(format!("{what} ≤ {SLOWER_MAX} × as slow"), format!("{result:.2}"), result <= SLOWER_MAX)
        };
        let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
        let rows = vec![
            at_least("answers to ten times the clients", goodput(&self.crowd, &self.newest)),
            at_least("answers at ten times the peak", goodput(&self.tenfold, &self.sorted)),
            row(
                "all others are refused".to_owned(),
                yes(self.tenfold.is_all_sent()),
                self.tenfold.is_refused() && self.tenfold.is_all_sent(),
            ),
            row(
                format!("99 % of refusals ≤ {REFUSAL_MS_MAX} ms, pause apart"),
                format!("{refusal_ms:.1} ms"),
                self.tenfold.is_refused() && refusal_ms <= REFUSAL_MS_MAX,
            ),
            row(
                format!("99 % of answers at ten times the peak ≤ {ANSWER_MS_MAX} ms"),
                format!("{:.0} ms", self.tenfold.answer_ms(99)),
                self.tenfold.answer_ms(99) <= ANSWER_MS_MAX,
            ),
            at_most("median of a quiet account beside a flood", slower(50)),
            at_most("99 % of a quiet account beside a flood", slower(99)),
            row(
                "a quiet account is never refused".to_owned(),
                yes(!self.beside.is_refused()),
                !self.beside.is_refused(),
            ),
            row(
                "server's peak memory ≤ 128 MiB".to_owned(),
                format!("{} MiB", peak_bytes >> 20),
                peak_bytes <= PEAK_BYTES_MAX,
            ),
            row(
                format!("everything after the build ≤ {SECONDS_MAX} s"),
                format!("{} s", self.seconds),
                self.seconds <= SECONDS_MAX,
            ),
        ];
        Table { headings: "target | result | ", rows }
    }
}
