//! How far the jobs of this process are, live.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use crate::lock::lock;

/// Why a job stops before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The server stops; the job goes on later.
    Shutdown,
    /// The image was deleted, or another worker has the job.
    Lost,
}

/// How far one job is. Written by the thread that works, read by whoever asks.
pub(crate) struct Progress {
    started_at: i64,
    done: AtomicU64,
    total: AtomicU64,
    shutdown: AtomicBool,
    lost: AtomicBool,
}

impl Progress {
    pub(crate) fn new(started_at: i64) -> Self {
        let zero = || AtomicU64::new(0);
        Self { started_at, done: zero(), total: zero(), shutdown: false.into(), lost: false.into() }
    }

    pub(crate) fn started_at(&self) -> i64 {
        self.started_at
    }

    pub(crate) fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    pub(crate) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    pub(crate) fn set_total(&self, bytes: u64) {
        self.total.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn set_done(&self, bytes: u64) {
        self.done.store(bytes, Ordering::Relaxed);
    }

    /// Asks the job to stop at the next chunk.
    pub(crate) fn stop(&self, why: Stop) {
        match why {
            Stop::Shutdown => self.shutdown.store(true, Ordering::Relaxed),
            Stop::Lost => self.lost.store(true, Ordering::Relaxed),
        }
    }

    /// Whether the job was asked to stop. A lost job is not given back, whatever else was asked.
    pub(crate) fn stopped(&self) -> Option<Stop> {
        if self.lost.load(Ordering::Relaxed) {
            return Some(Stop::Lost);
        }
        self.shutdown.load(Ordering::Relaxed).then_some(Stop::Shutdown)
    }

    /// Bytes a second so far; `None` in the first second.
    pub(crate) fn rate(&self, now: i64) -> Option<u64> {
        let seconds = u64::try_from(now - self.started_at).ok().filter(|seconds| *seconds > 0)?;
        Some(self.done() / seconds).filter(|rate| *rate > 0)
    }
}

/// The jobs at work in this process.
#[derive(Default)]
pub(crate) struct Running {
    jobs: Mutex<HashMap<String, Arc<Progress>>>,
    last_rate: AtomicU64,
    /// Wakes a worker that waits for a job.
    pub(crate) wake: Notify,
}

impl Running {
    pub(super) fn insert(&self, image_id: &str, progress: &Arc<Progress>) {
        lock(&self.jobs).insert(image_id.to_owned(), Arc::clone(progress));
    }

    pub(super) fn remove(&self, image_id: &str, rate: Option<u64>) {
        lock(&self.jobs).remove(image_id);
        if let Some(rate) = rate {
            self.last_rate.store(rate, Ordering::Relaxed);
        }
    }

    /// How far the making of an image is, when this process is at it.
    pub(crate) fn get(&self, image_id: &str) -> Option<Arc<Progress>> {
        lock(&self.jobs).get(image_id).cloned()
    }

    /// Stops the making of an image that was deleted; the worker would find out at its next heartbeat.
    pub(crate) fn cancel(&self, image_id: &str) {
        if let Some(progress) = self.get(image_id) {
            progress.stop(Stop::Lost);
        }
    }

    /// Bytes a second of the last job that took a second or more.
    pub(crate) fn last_rate(&self) -> Option<u64> {
        Some(self.last_rate.load(Ordering::Relaxed)).filter(|rate| *rate > 0)
    }
}
