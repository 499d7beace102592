//! Clients that send lists over many connections, as replies arrive or at fixed times.

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

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
    /// Requests per second, all together, at fixed times, each on a connection that waits for no reply. A request that is
    /// due while there is none is sent late, and its time counts from when it was due. `None` sends the next request of
    /// a connection when the reply arrives.
    pub(super) rate: Option<f64>,
    /// Replies are not counted before, so that what may come at once is used up.
    pub(super) warm_up: Duration,
    pub(super) time: Duration,
    /// Whether the clients leave the processor to the server.
    pub(super) is_nice: bool,
}

/// A client: its address, its account, and what it requests.
pub(super) struct Source {
    pub(super) address: String,
    pub(super) account: Account,
    pub(super) list: List,
}

/// A list of 20 images.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// The newest ones, which the server has in memory.
    Newest,
    /// The first by name, for which the server reads every row of the account.
    Sorted,
}

/// What the clients got.
pub(super) struct Replies {
    seconds: f64,
    answered: Vec<Duration>,
    /// Refusals by a server that did not make the connection wait.
    refused: Vec<Duration>,
    /// Refusals after a pause.
    refused_later: usize,
    /// Requests that were due, but not sent before the end.
    unsent: usize,
    /// CPU time of the server for each reply, also of the warm-up.
    cpu_micros: f64,
    peak_bytes: u64,
}

#[derive(Default)]
struct Part {
    /// All replies.
    count: usize,
    answered: Vec<Duration>,
    refused: Vec<Duration>,
    refused_later: usize,
}

/// When requests are due.
struct Schedule {
    start: Time,
    counted: Time,
    end: Time,
    rate: Option<f64>,
    /// How many requests are due before the one that is sent next.
    next: Cell<u32>,
}

impl Source {
    /// A signed request. Each of a sorted list differs from all before, so that the server does not have the page in memory.
    fn request(&self) -> Vec<u8> {
        static REQUESTS: AtomicU32 = AtomicU32::new(0);

        let mut params = Params::for_action("DescribeCompShareCustomImages").text("Limit", Some("20"));
        if self.list == List::Sorted {
            let from = REQUESTS.fetch_add(1, Ordering::Relaxed).to_string();
            params = params.text("SortCondition.Field", Some("Name")).text("CreatedFrom", Some(&from));
        }
        let form = sign_request(params, &self.account.public_key, &self.account.private_key).to_form();
        let length = form.len();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        (head + &form).into_bytes()
    }
}

impl Load {
    /// Sends requests from a thread of its own.
    #[expect(clippy::cast_precision_loss, reason = "three digits are printed")]
    pub(super) fn run(&self, server: &Server) -> Result<Replies> {
        let cpu = server.cpu_seconds()?;
        let (parts, unsent) = thread::scope(|scope| {
            let sending = scope.spawn(|| {
                if self.is_nice {
                    // Of this thread only.
                    rustix::process::nice(NICE)?;
                }
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                let sources = self.sources.iter().cycle().zip(0..self.connections);
                let _runtime = runtime.enter();
                let schedule = self.schedule();
                let clients = sources.map(|(source, _)| client(server.address, source, &schedule));
                let parts = runtime.block_on(try_join_all(clients))?;
                anyhow::Ok((parts, schedule.unsent()))
            });
            sending.join().expect("it does not panic")
        })?;
        let count = parts.iter().map(|part| part.count).sum::<usize>();
        let mut replies = Replies {
            seconds: self.time.as_secs_f64(),
            answered: Vec::new(),
            refused: Vec::new(),
            refused_later: 0,
            unsent,
            cpu_micros: 1e6 * (server.cpu_seconds()? - cpu) / count as f64,
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

    fn schedule(&self) -> Schedule {
        let start = Time::now();
        let counted = start + self.warm_up;
        Schedule { start, counted, end: counted + self.time, rate: self.rate, next: Cell::new(0) }
    }
}

/// One connection, from its first request to the last reply.
async fn client(server: SocketAddr, source: &Source, schedule: &Schedule) -> Result<Part> {
    let mut stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    stream.write_all(format!("PROXY TCP4 {} 127.0.0.1 1024 80\r\n", source.address).as_bytes()).await?;
    let mut stream = BufReader::new(stream);
    let (mut part, mut refused_at) = (Part::default(), None);
    let (mut request, mut reply) = (source.request(), Vec::new());
    while let Some(due) = schedule.take() {
        sleep_until(due).await;
        stream.write_all(&request).await?;
        read_reply(&mut stream, &mut reply).await?;
        let now = Time::now();
        let has = |code: &[u8]| reply.windows(code.len()).take(200).any(|bytes| bytes == code);
        let is_refused = !has(OK);
        ensure!(!is_refused || has(THROTTLED), "an unexpected reply: {}", String::from_utf8_lossy(&reply));
        part.count += 1;
        // The pause after a refusal is part of the time of the next reply.
        let is_paused = refused_at.is_some_and(|before| due < before + PAUSE_MAX);
        if now >= schedule.counted && now < schedule.end {
            match (is_refused, is_paused) {
                (false, _) => part.answered.push(now - due),
                (true, false) => part.refused.push(now - due),
                (true, true) => part.refused_later += 1,
            }
        }
        if is_refused {
            refused_at = Some(now);
        }
        if source.list == List::Sorted {
            request = source.request();
        }
    }
    Ok(part)
}

impl Schedule {
    /// When the next request is due, if one is sent before the end.
    fn take(&self) -> Option<Time> {
        let now = Time::now();
        let Some(due) = self.due() else { return Some(now).filter(|now| *now < self.end) };
        if due.max(now) >= self.end {
            return None;
        }
        self.next.set(self.next.get() + 1);
        Some(due)
    }

    fn due(&self) -> Option<Time> {
        self.rate.map(|rate| self.start + Duration::from_secs_f64(f64::from(self.next.get()) / rate))
    }

    /// How many requests were due before the end and not sent.
    fn unsent(&self) -> usize {
        let mut unsent = 0;
        while self.due().is_some_and(|due| due < self.end) {
            self.next.set(self.next.get() + 1);
            unsent += 1;
        }
        unsent
    }
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

    /// Whether every request was sent that was due.
    pub(super) fn is_all_sent(&self) -> bool {
        self.unsent == 0
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
        let unsent = self.unsent as f64 / self.seconds;
        let times = |of: &[Duration]| format!("{:.2} | {:.2}", quantile_ms(of, 50), quantile_ms(of, 99));
        format!(
            "{answered:.0} | {} | {refused:.0} | {share:.0} | {} | {unsent:.0} | {:.0} | {:.0}",
            times(&self.answered),
            times(&self.refused),
            self.cpu_micros,
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

    #[tokio::test]
    async fn requests_that_were_not_sent_are_counted() {
        let start = Time::now();
        let end = start + Duration::from_mins(1);
        let schedule = Schedule { start, counted: start, end, rate: Some(2.0), next: Cell::new(0) };
        assert_eq!(schedule.take(), Some(start));
        assert_eq!(schedule.take(), Some(start + Duration::from_millis(500)));
        assert_eq!(schedule.unsent(), 118);
        assert_eq!(schedule.take(), None);
    }
}
