//! Pauses of background tasks that leave the disk to others.

use std::thread;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// How often a pause checks whether the server stops.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A pause that ends early when the server stops. Blocks its thread.
pub(super) struct Pause {
    stop: CancellationToken,
}

impl Pause {
    pub(super) fn new(stop: CancellationToken) -> Self {
        Self { stop }
    }

    /// Waits. Returns whether to continue.
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
