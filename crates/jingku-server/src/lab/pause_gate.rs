//! A place where every job waits.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use jingku_library::{JobHook, Progress, lock, percent_of};

/// How often a job that is held looks whether it was stopped.
const LOOK: Duration = Duration::from_millis(20);

/// Holds jobs when they have come so far.
#[derive(Default)]
pub(super) struct PauseGate {
    percent: Mutex<Option<u8>>,
    moved: Condvar,
}

impl PauseGate {
    pub(super) fn get(&self) -> Option<u8> {
        *lock(&self.percent)
    }

    /// Holds every job at so many percent; one that is further stays where it is. `None` lets them go.
    pub(super) fn set(&self, percent: Option<u8>) {
        *lock(&self.percent) = percent;
        self.moved.notify_all();
    }
}

impl JobHook for PauseGate {
    fn reached(&self, progress: &Progress, bytes: u64) {
        let mut percent = lock(&self.percent);
        while let Some(held) = *percent
            && bytes >= percent_of(progress.total(), held)
            && progress.stopped().is_none()
        {
            progress.set_done(progress.done().max(percent_of(progress.total(), held)));
            let woken = self.moved.wait_timeout(percent, LOOK);
            percent = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
