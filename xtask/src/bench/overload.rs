//! `cargo xtask bench overload`: ten times the load, and a flood of one account beside another.
//!
//! Each connection starts with a header of the PROXY protocol, so that the server limits the clients as if each had its own
//! address. They share the cores with the server, so a flood costs others more than over a network.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use jingku_protocol::{Params, sign_request};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::daemon::{Account, Daemon};
use super::list::fill;
use super::process::Server;
use super::report::{Report, Table, mega};
use crate::workspace::Workspace;

const IMAGES: u32 = 1000;
/// Connections that keep both cores busy.
const CONNECTIONS: u32 = 32;
const FLOOD_CONNECTIONS: u32 = 10 * CONNECTIONS;
/// The addresses of a flood: enough that the limit of its account refuses most of it, after the check of the signature.
const FLOOD_ADDRESSES: u32 = 8;
/// The pause between two requests of an account that does not flood.
const PACE: Duration = Duration::from_millis(20);
/// The refusal of a request beyond a limit.
const THROTTLED: &[u8] = b"\"RetCode\":153";
const OK: &[u8] = b"\"RetCode\":0";

#[derive(clap::Args)]
pub(super) struct Args {
    /// Length of each measurement, in seconds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
}

/// What the clients of one measurement got.
#[derive(Default)]
struct Replies {
    seconds: f64,
    answered: Vec<Duration>,
    refused: Vec<Duration>,
}

/// A client: its addresses, its request, and the pause after each reply.
struct Client {
    addresses: Vec<String>,
    request: Vec<u8>,
    pace: Duration,
}

pub(super) fn run(workspace: &Workspace, folder: &Path, args: &Args) -> Result<Report> {
    let daemon = Daemon::build(workspace, folder)?;
    drop(daemon.serve(&[])?);
    let [quiet, loud] = ["quiet", "loud"].map(|name| daemon.create_account(name));
    let (quiet, loud) = (quiet?, loud?);
    fill(&daemon.data, &quiet, IMAGES)?;
    fill(&daemon.data, &loud, IMAGES)?;
    // The limits per second are the defaults.
    let config = folder.join("jingku.toml");
    fs::write(&config, "[proxies]\ntrusted = ['127.0.0.1']\nprotocol = 'proxy'\n")?;
    let server = daemon.serve(&["--config", config.to_str().context("the target folder is not UTF-8")?])?;
    let time = Duration::from_secs(args.seconds);
    let mut rows = Vec::new();
    let mut row = |what: &str, replies: &Replies, server: &Server| -> Result<()> {
        rows.push(replies.row(what, server.memory_bytes("VmHWM")?));
        Ok(())
    };

    // Clients on the same machine have no limits per second.
    let local = Client::new(vec!["127.0.0.1".to_owned()], &loud, Duration::ZERO);
    let peak = load(server.address, &local, CONNECTIONS, time)?;
    row(&format!("{CONNECTIONS} connections, without limits"), &peak, &server)?;
    let tenfold = load(server.address, &local, FLOOD_CONNECTIONS, time)?;
    row(&format!("{FLOOD_CONNECTIONS} connections, without limits"), &tenfold, &server)?;
    let calm = Client::new(vec!["198.51.100.200".to_owned()], &quiet, PACE);
    let alone = load(server.address, &calm, 1, time)?;
    row("one account alone, 1 connection", &alone, &server)?;
    let addresses = (0..FLOOD_ADDRESSES).map(|host| format!("198.51.100.{host}")).collect();
    let flood = Client::new(addresses, &loud, Duration::ZERO);
    // Each has its own thread: otherwise the replies of one would wait in the client for those of the other.
    let (beside, flooded) = thread::scope(|scope| {
        let flooding = scope.spawn(|| load(server.address, &flood, FLOOD_CONNECTIONS, time));
        let beside = load(server.address, &calm, 1, time);
        (beside, flooding.join().expect("it does not panic"))
    });
    let (beside, flooded) = (beside?, flooded?);
    row("… beside a flood", &beside, &server)?;
    row(&format!("the flood of another account, {FLOOD_CONNECTIONS} connections"), &flooded, &server)?;
    ensure!(beside.refused.is_empty(), "the quiet account was refused");

    let headings =
        "load | answered/s | median ms | 99 % ms | refused/s | median ms | 99 % ms | peak MB of the server";
    let table = Table { headings, rows };
    let goodput = tenfold.per_second(&tenfold.answered) / peak.per_second(&peak.answered);
    let slower = |percent| quantile(&beside.answered, percent) / quantile(&alone.answered, percent);
    let text = format!(
        "{table}\nTen times the connections: {goodput:.2} of the peak. The quiet account beside the flood: median \
         {:.2} times as long, 99 % {:.2} times.\n",
        slower(50),
        slower(99)
    );
    Report::new(&table, text)
}

impl Client {
    fn new(addresses: Vec<String>, account: &Account, pace: Duration) -> Self {
        Self { addresses, request: request(account), pace }
    }
}

/// A signed list of 20 images.
fn request(account: &Account) -> Vec<u8> {
    let params = Params::for_action("DescribeCompShareCustomImages").text("Limit", Some("20"));
    let form = sign_request(params, &account.public_key, &account.private_key).to_form();
    let length = form.len();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    (head + &form).into_bytes()
}

/// Sends a request repeatedly over this many connections for this long.
fn load(server: SocketAddr, client: &Client, connections: u32, time: Duration) -> Result<Replies> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let start = Instant::now();
    let sources = client.addresses.iter().cycle().take(connections as usize);
    let all = sources.map(|source| repeat(server, source, client, start + time));
    let all = runtime.block_on(try_join_all(all))?;
    let mut replies = Replies { seconds: start.elapsed().as_secs_f64(), ..Replies::default() };
    for one in all {
        replies.answered.extend(one.answered);
        replies.refused.extend(one.refused);
    }
    replies.answered.sort_unstable();
    replies.refused.sort_unstable();
    Ok(replies)
}

async fn repeat(server: SocketAddr, source: &str, client: &Client, deadline: Instant) -> Result<Replies> {
    let mut stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    stream.write_all(format!("PROXY TCP4 {source} 127.0.0.1 1024 80\r\n").as_bytes()).await?;
    let mut stream = BufReader::new(stream);
    let mut replies = Replies::default();
    let (mut line, mut body) = (String::new(), Vec::new());
    while Instant::now() < deadline {
        let start = Instant::now();
        stream.write_all(&client.request).await?;
        let mut length = 0;
        loop {
            line.clear();
            ensure!(stream.read_line(&mut line).await? > 0, "the server closed a connection");
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
            if line == "\r\n" {
                break;
            }
        }
        body.resize(length, 0);
        stream.read_exact(&mut body).await?;
        let has = |code: &[u8]| body.windows(code.len()).take(200).any(|bytes| bytes == code);
        if has(OK) {
            replies.answered.push(start.elapsed());
        } else {
            ensure!(has(THROTTLED), "an unexpected reply: {}", String::from_utf8_lossy(&body));
            replies.refused.push(start.elapsed());
        }
        if !client.pace.is_zero() {
            sleep(client.pace).await;
        }
    }
    Ok(replies)
}

impl Replies {
    #[expect(clippy::cast_precision_loss, reason = "three digits are printed")]
    fn per_second(&self, times: &[Duration]) -> f64 {
        times.len() as f64 / self.seconds
    }

    fn row(&self, what: &str, peak_bytes: u64) -> String {
        let part = |times: &[Duration]| {
            let (half, most) = (quantile(times, 50) * 1e3, quantile(times, 99) * 1e3);
            format!("{:.0} | {half:.2} | {most:.2}", self.per_second(times))
        };
        format!("{what} | {} | {} | {:.0}", part(&self.answered), part(&self.refused), mega(peak_bytes))
    }
}

/// A percentile of sorted times, in seconds; 0 if there are none.
fn quantile(sorted: &[Duration], percent: usize) -> f64 {
    sorted
        .get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)))
        .map_or(0.0, Duration::as_secs_f64)
}
