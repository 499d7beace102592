//! Reads from the server's log when it created images.

use std::io::{BufRead as _, BufReader};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::bench::process::Server;

/// The lines of the log, with their times.
pub(super) struct Log(mpsc::Receiver<(Instant, String)>);

/// The creation of one image.
pub(super) struct Making {
    pub(super) time: Duration,
    pub(super) new_bytes: u64,
}

impl Log {
    pub(super) fn follow(server: &mut Server) -> Result<Self> {
        let log = server.take_log().context("the log is not piped")?;
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                // Nobody may be receiving; the server must not block on its log.
                let _ = sender.send((Instant::now(), line));
            }
        });
        Ok(Self(receiver))
    }

    /// How long the server worked on an image, and how many bytes it stored.
    pub(super) fn making(&self) -> Result<Making> {
        let (start, _) = self.line("making image")?;
        let (end, line) = self.line("image made")?;
        let new_bytes =
            line.split_whitespace().find_map(|word| word.strip_prefix("new_bytes=")?.parse().ok());
        let new_bytes = new_bytes.with_context(|| format!("no new_bytes in the log line {line:?}"))?;
        Ok(Making { time: end.saturating_duration_since(start), new_bytes })
    }

    fn line(&self, message: &str) -> Result<(Instant, String)> {
        loop {
            let line = self.0.recv_timeout(Duration::from_secs(5));
            let (moment, line) = line.with_context(|| format!("the log has no line {message:?}"))?;
            if line.contains(message) {
                return Ok((moment, line));
            }
        }
    }
}
