//! A measured server process: its first line, log, CPU time and memory.

use std::fmt::Display;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::workspace::run;

/// Ticks per second in /proc, a constant of Linux whatever the kernel's own clock.
const TICKS_PER_SECOND: u64 = 100;
/// What a server is given to finish the work of its start.
const SETTLE_TIMEOUT: Duration = Duration::from_mins(10);
/// A server that uses less than a hundredth of a core for this long is idle.
const IDLE: Duration = Duration::from_secs(1);

/// A server that has printed its address. It is killed when dropped.
pub(super) struct Server {
    pub(super) child: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    /// Starts a server and reads its base URL, the first line of its standard output.
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("start a server")?;
        let stdout = child.stdout.take().expect("it is piped");
        let mut server = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).context("read a server's first line")?;
        let address = line.trim().strip_prefix("http://").and_then(|address| address.parse().ok());
        server.address =
            address.with_context(|| format!("a server's first line is not a base URL: {line:?}"))?;
        Ok(server)
    }

    /// CPU seconds since its start, of all threads and ended children.
    pub(super) fn cpu_seconds(&self) -> Result<f64> {
        cpu_seconds(self.child.id())
    }

    /// Waits until it has finished the work of its start.
    pub(super) fn settle(&self) -> Result<()> {
        let start = Instant::now();
        let mut before = self.cpu_seconds()?;
        loop {
            thread::sleep(IDLE);
            let now = self.cpu_seconds()?;
            if now - before < IDLE.as_secs_f64() / 100.0 {
                return Ok(());
            }
            ensure!(start.elapsed() < SETTLE_TIMEOUT, "the server is still busy after its start");
            before = now;
        }
    }

    /// A value of /proc/PID/status in bytes, such as `VmHWM` (peak memory) or `RssAnon`.
    pub(super) fn memory_bytes(&self, name: &str) -> Result<u64> {
        memory_bytes(self.child.id(), name).with_context(|| format!("no {name} in the status of the process"))
    }
}

/// Runs one step; returns its result, its seconds, and the CPU seconds of this program and its children.
pub(super) fn timed<T>(act: impl FnOnce() -> Result<T>) -> Result<(T, f64, f64)> {
    // Do not measure writes of an earlier step.
    run(&mut Command::new("sync"))?;
    let (start, cpu) = (Instant::now(), cpu_seconds("self")?);
    let done = act()?;
    Ok((done, start.elapsed().as_secs_f64(), cpu_seconds("self")? - cpu))
}

/// Runs a program without output, and returns its peak memory in bytes, sampled 100 times per second.
pub(super) fn run_watched(command: &mut Command) -> Result<u64> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().context("start a program")?;
    let mut peak = 0;
    loop {
        if let Some(ended) = child.try_wait().context("wait for a program")? {
            ensure!(ended.success(), "the program ended with {ended}");
            return Ok(peak);
        }
        // The value is gone when the program has ended.
        peak = peak.max(memory_bytes(child.id(), "VmHWM").unwrap_or(0));
        thread::sleep(Duration::from_millis(10));
    }
}

fn memory_bytes(process: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// CPU seconds of a process and of its ended children.
pub(super) fn cpu_seconds(process: impl Display) -> Result<f64> {
    let path = format!("/proc/{process}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
    Ok(cpu_time(&stat)?.as_secs_f64())
}

/// User and system time of a process and of its ended children, from /proc/PID/stat.
fn cpu_time(stat: &str) -> Result<Duration> {
    // The program's name is in parentheses and may contain any character. The times are fields 14 to 17.
    let after_name = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let fields = after_name.split_whitespace().skip(11).take(4).map(str::parse::<u64>);
    let ticks: u64 = fields.sum::<Result<u64, _>>().context("read CPU time")?;
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_after_any_program_name() {
        let stat = "7 (a) b) S 1 2 3 4 5 6 7 8 9 10 100 20 3 0 20 0 4";
        assert_eq!(cpu_time(stat).unwrap(), Duration::from_millis(1230));
    }
}
