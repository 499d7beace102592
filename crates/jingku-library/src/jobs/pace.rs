//! Work in the background that lets the others have the disk most of the time.

use std::thread;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// How soon it is seen that the server is told to stop.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A pause that ends early when the server is told to stop. For threads that may wait.
pub(super) struct Pause {
    stop: CancellationToken,
}

impl Pause {
    pub(super) fn new(stop: CancellationToken) -> Self {
        Self { stop }
    }

    /// Waits, and tells whether to go on.
    pub(super) fn wait(&self, duration: Duration) -> bool {
        let started = Instant::now();
        loop {
            if self.stop.is_cancelled() {
                return false;
            }
            match duration.checked_sub(started.elapsed()) {
                Some(left) if !left.is_zero() => thread::sleep(left.min(LOOK_EVERY)),
                _ => return true,
            }
        }
    }
}
