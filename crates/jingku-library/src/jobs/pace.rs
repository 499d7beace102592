//! Pauses of background tasks that leave the disk to others.

use std::thread;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// How often a pause checks whether the server stops.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Blocks the thread until the duration has passed or the server stops. Returns whether to continue.
pub(super) fn pause(stop: &CancellationToken, duration: Duration) -> bool {
    let started = Instant::now();
    while !stop.is_cancelled() {
        match duration.checked_sub(started.elapsed()) {
            Some(left) if !left.is_zero() => thread::sleep(left.min(LOOK_EVERY)),
            _ => return true,
        }
    }
    false
}
