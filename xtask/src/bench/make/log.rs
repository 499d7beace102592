//! What the server's log says of the images it makes.

use std::io::{BufRead as _, BufReader};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::bench::process::Server;

/// The log, each line with the moment it came.
pub(super) struct Log(mpsc::Receiver<(Instant, String)>);

/// The making of one image.
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
                // Whoever wanted to know may have gone; the server must not wait for that.
                let _ = sender.send((Instant::now(), line));
            }
        });
        Ok(Self(receiver))
    }

    /// How long the server was at work on an image, and what it stored.
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
            let (moment, line) = line.with_context(|| format!("the log says nothing of {message:?}"))?;
            if line.contains(message) {
                return Ok((moment, line));
            }
        }
    }
}
