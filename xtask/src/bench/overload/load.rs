//! Clients that send lists over many connections, as replies arrive or at fixed times.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use jingku_protocol::{Params, sign_request};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant as Time, sleep_until};

use crate::bench::daemon::Account;
use crate::bench::process::Server;
use crate::bench::report::mega;

/// The refusal of a request beyond a limit.
const THROTTLED: &[u8] = b"\"RetCode\":153";
const OK: &[u8] = b"\"RetCode\":0";
/// After a refusal, the server makes a connection wait at most this long for its next answer.
const PAUSE_MAX: Duration = Duration::from_millis(200);
/// The lowest priority: the clients get the time that the server does not use.
const NICE: i32 = 19;

/// Clients with the same pace and priority.
pub(super) struct Load {
    /// Each is used by as many connections.
    pub(super) sources: Vec<Source>,
    pub(super) connections: u32,
    /// Requests per second, all together. A request that is due while its connection waits for a reply is not sent.
    /// `None` sends the next request when the reply arrives.
    pub(super) rate: Option<f64>,
    /// Whether the clients leave the processor to the server.
    pub(super) is_nice: bool,
}

/// A client: its address and its request.
pub(super) struct Source {
    address: String,
    request: Vec<u8>,
}

/// What the clients got.
pub(super) struct Replies {
    seconds: f64,
    answered: Vec<Duration>,
    /// Refusals by a server that did not make the connection wait.
    refused: Vec<Duration>,
    /// Refusals after a pause.
    refused_later: usize,
    server_cpu_seconds: f64,
    peak_bytes: u64,
}

#[derive(Default)]
struct Part {
    answered: Vec<Duration>,
    refused: Vec<Duration>,
    refused_later: usize,
}

impl Source {
    /// A client that requests a list of 20 images.
    pub(super) fn new(address: String, account: &Account) -> Self {
        let params = Params::for_action("DescribeCompShareCustomImages").text("Limit", Some("20"));
        let form = sign_request(params, &account.public_key, &account.private_key).to_form();
        let length = form.len();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        Self { address, request: (head + &form).into_bytes() }
    }
}

impl Load {
    /// Sends requests for this long, from a thread of its own.
    pub(super) fn run(&self, server: &Server, time: Duration) -> Result<Replies> {
        let cpu = server.cpu_seconds()?;
        let start = Instant::now();
        let parts = thread::scope(|scope| {
            let sending = scope.spawn(|| {
                if self.is_nice {
                    // Of this thread only.
                    rustix::process::nice(NICE)?;
                }
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                let sources = self.sources.iter().cycle().zip(0..self.connections);
                let clients =
                    sources.map(|(source, number)| self.client(server.address, source, number, time));
                runtime.block_on(try_join_all(clients))
            });
            sending.join().expect("it does not panic")
        })?;
        let mut replies = Replies {
            seconds: start.elapsed().as_secs_f64(),
            answered: Vec::new(),
            refused: Vec::new(),
            refused_later: 0,
            server_cpu_seconds: server.cpu_seconds()? - cpu,
            peak_bytes: server.memory_bytes("VmHWM")?,
        };
        for part in parts {
            replies.answered.extend(part.answered);
            replies.refused.extend(part.refused);
            replies.refused_later += part.refused_later;
        }
        replies.answered.sort_unstable();
        replies.refused.sort_unstable();
        Ok(replies)
    }

    /// One connection, from its first request to the last reply.
    async fn client(&self, server: SocketAddr, source: &Source, number: u32, time: Duration) -> Result<Part> {
        let mut stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        stream.write_all(format!("PROXY TCP4 {} 127.0.0.1 1024 80\r\n", source.address).as_bytes()).await?;
        let mut stream = BufReader::new(stream);
        let interval = self.rate.map(|rate| Duration::from_secs_f64(f64::from(self.connections) / rate));
        let start = Time::now();
        // The connections send one after the other.
        let mut due = start + interval.unwrap_or_default() * number / self.connections;
        let (mut part, mut refused_at) = (Part::default(), None);
        let mut reply = Vec::new();
        while due < start + time {
            sleep_until(due).await;
            let sent = Time::now();
            stream.write_all(&source.request).await?;
            read_reply(&mut stream, &mut reply).await?;
            let now = Time::now();
            let has = |code: &[u8]| reply.windows(code.len()).take(200).any(|bytes| bytes == code);
            if has(OK) {
                part.answered.push(now - sent);
            } else {
                ensure!(has(THROTTLED), "an unexpected reply: {}", String::from_utf8_lossy(&reply));
                if refused_at.is_some_and(|before| sent < before + PAUSE_MAX) {
                    part.refused_later += 1;
                } else {
                    part.refused.push(now - sent);
                }
                refused_at = Some(now);
            }
            due = match interval {
                None => now,
                Some(interval) => due + interval * missed(now - due, interval),
            };
        }
        Ok(part)
    }
}

/// How many intervals until the first time that is due in the future.
fn missed(late: Duration, interval: Duration) -> u32 {
    u32::try_from(late.as_nanos() / interval.as_nanos().max(1)).unwrap_or(u32::MAX - 1) + 1
}

async fn read_reply(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> Result<()> {
    let (mut line, mut length) = (String::new(), 0);
    while line != "\r\n" {
        line.clear();
        ensure!(stream.read_line(&mut line).await? > 0, "the server closed a connection");
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().context("read the length of a reply")?;
        }
    }
    body.resize(length, 0);
    stream.read_exact(body).await?;
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "three digits are printed")]
impl Replies {
    pub(super) fn answered_per_second(&self) -> f64 {
        self.answered.len() as f64 / self.seconds
    }

    fn refused_per_second(&self) -> f64 {
        (self.refused.len() + self.refused_later) as f64 / self.seconds
    }

    /// A percentile of the time to an answer, in milliseconds.
    pub(super) fn answer_ms(&self, percent: usize) -> f64 {
        quantile_ms(&self.answered, percent)
    }

    /// A percentile of the time to a refusal without a pause, in milliseconds.
    pub(super) fn refusal_ms(&self, percent: usize) -> f64 {
        quantile_ms(&self.refused, percent)
    }

    pub(super) fn is_refused(&self) -> bool {
        self.refused.len() + self.refused_later > 0
    }

    pub(super) fn peak_bytes(&self) -> u64 {
        self.peak_bytes
    }

    /// The cells of a row, without what the load is and what it offered.
    pub(super) fn cells(&self) -> String {
        let (answered, refused) = (self.answered_per_second(), self.refused_per_second());
        let share = 100.0 * refused / (answered + refused);
        let cpu_micros = 1e6 * self.server_cpu_seconds / self.seconds / (answered + refused);
        let times = |of: &[Duration]| format!("{:.2} | {:.2}", quantile_ms(of, 50), quantile_ms(of, 99));
        format!(
            "{answered:.0} | {} | {refused:.0} | {share:.0} | {} | {cpu_micros:.0} | {:.0}",
            times(&self.answered),
            times(&self.refused),
            mega(self.peak_bytes)
        )
    }
}

/// A percentile of sorted times, in milliseconds; 0 if there are none.
fn quantile_ms(sorted: &[Duration], percent: usize) -> f64 {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_were_due_meanwhile_are_skipped() {
        let ms = Duration::from_millis;
        assert_eq!([0, 9, 10, 25].map(|late| missed(ms(late), ms(10))), [1, 1, 2, 3]);
    }
}
