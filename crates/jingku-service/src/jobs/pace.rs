//! Work in the background that lets the others have the disk most of the time.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;

/// A pause that ends early when the server is told to stop. For threads that may wait.
pub(super) struct Pause {
    runtime: Handle,
    stopped: watch::Receiver<bool>,
}

impl Pause {
    pub(super) fn new(stopped: watch::Receiver<bool>) -> Self {
        Self { runtime: Handle::current(), stopped }
    }

    /// Waits, and tells whether to go on.
    pub(super) fn wait(&mut self, duration: Duration) -> bool {
        // An error means that whoever could tell to stop is gone.
        if *self.stopped.borrow() || self.stopped.has_changed().is_err() {
            return false;
        }
        if duration.is_zero() {
            return true;
        }
        let told = async { tokio::time::timeout(duration, self.stopped.changed()).await };
        self.runtime.block_on(told).is_err()
    }
}
