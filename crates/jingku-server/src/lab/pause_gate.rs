//! Pauses jobs at a percentage.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use jingku_library::{JobHook, Progress, lock, percent_of};

/// How often a paused job checks whether it was cancelled.
const CANCEL_CHECK_INTERVAL: Duration = Duration::from_millis(20);

/// Pauses every job at the set percentage.
#[derive(Default)]
pub(super) struct PauseGate {
    percent: Mutex<Option<u8>>,
    changed: Condvar,
}

impl PauseGate {
    pub(super) fn get(&self) -> Option<u8> {
        *lock(&self.percent)
    }

    /// Pauses jobs at `percent`, or where they are if further. `None` resumes them.
    pub(super) fn set(&self, percent: Option<u8>) {
        *lock(&self.percent) = percent;
        self.changed.notify_all();
    }
}

impl JobHook for PauseGate {
    fn reached(&self, progress: &Progress, bytes: u64) {
        let reached = |percent| percent_of(lock(&progress.bytes).total, percent);
        let mut percent = lock(&self.percent);
        while let Some(paused_at) = *percent
            && bytes >= reached(paused_at)
            && progress.stopped().is_none()
        {
            let paused_bytes = reached(paused_at);
            let mut known = lock(&progress.bytes);
            known.done = known.done.max(paused_bytes);
            drop(known);
            let woken = self.changed.wait_timeout(percent, CANCEL_CHECK_INTERVAL);
            percent = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
