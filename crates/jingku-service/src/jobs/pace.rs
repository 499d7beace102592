//! Work in the background that lets the others have the disk most of the time.

use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// How soon it is seen that the server is told to stop.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A pause that ends early when the server is told to stop. For threads that may wait.
pub(super) struct Pause {
    stopped: watch::Receiver<bool>,
}

impl Pause {
    pub(super) fn new(stopped: watch::Receiver<bool>) -> Self {
        Self { stopped }
    }

    /// Waits, and tells whether to go on.
    pub(super) fn wait(&self, duration: Duration) -> bool {
        let started = Instant::now();
        loop {
            // An error means that whoever could tell to stop is gone.
            if *self.stopped.borrow() || self.stopped.has_changed().is_err() {
                return false;
            }
            match duration.checked_sub(started.elapsed()) {
                Some(left) if !left.is_zero() => thread::sleep(left.min(LOOK_EVERY)),
                _ => return true,
            }
        }
    }
}
