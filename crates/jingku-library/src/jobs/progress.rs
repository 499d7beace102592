//! How far the jobs of this process are, live.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jingku_chunks::ManifestId;
use jingku_sources::content::Caution;
use tokio::sync::{Notify, RwLock, RwLockWriteGuard};

use crate::lock::lock;

/// Why a job stops before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The server stops; the job goes on later.
    Shutdown,
    /// The image was deleted, or another worker has the job.
    Lost,
    /// It takes longer than a job of its size may.
    Overdue,
}

/// How far one job is. Written by the thread that works, read by whoever asks.
pub struct Progress {
    started_at: i64,
    /// What was done before what is counted now.
    passed: AtomicU64,
    done: AtomicU64,
    total: AtomicU64,
    /// What images of the account have already. What others have stored is not the account's to know.
    present: AtomicU64,
    /// The manifests of these images.
    own_manifests: Vec<ManifestId>,
    /// What is to be said about the disk.
    caution: Mutex<Option<Caution>>,
    shutdown: AtomicBool,
    lost: AtomicBool,
    overdue: AtomicBool,
    hook: Option<Arc<dyn JobHook>>,
}

/// Is told how far jobs are, and may keep them waiting for as long as it likes: jobs have no deadline then.
pub trait JobHook: Send + Sync {
    /// Called on the job's thread when so many bytes are done, before anybody else is told. Must return soon when the job
    /// is stopped.
    fn reached(&self, progress: &Progress, bytes: u64);
}

impl Progress {
    pub(crate) fn new(started_at: i64, hook: Option<Arc<dyn JobHook>>) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            started_at,
            passed: zero(),
            done: zero(),
            total: zero(),
            present: zero(),
            own_manifests: Vec::new(),
            caution: Mutex::default(),
            shutdown: false.into(),
            lost: false.into(),
            overdue: false.into(),
            hook,
        }
    }

    /// Names the manifests that what is made is compared with.
    pub(crate) fn with_own_manifests(self, own_manifests: Vec<ManifestId>) -> Self {
        Self { own_manifests, ..self }
    }

    pub(crate) fn own_manifests(&self) -> &[ManifestId] {
        &self.own_manifests
    }

    /// When the job was claimed, in Unix seconds.
    pub fn started_at(&self) -> i64 {
        self.started_at
    }

    /// How many bytes are done.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// How many bytes were done before those that are counted now.
    pub fn passed(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }

    /// Tells that a first part of the work is done, as large as the one that follows: that is counted from 0 again.
    pub(crate) fn pass(&self, bytes: u64) {
        self.set_total(2 * bytes);
        self.set_done(bytes);
        self.passed.store(bytes, Ordering::Relaxed);
    }

    /// How many bytes there are to do; 0 until that is known.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    pub(crate) fn set_total(&self, bytes: u64) {
        self.total.store(bytes, Ordering::Relaxed);
    }

    /// How many bytes of what is done images of the account have already.
    pub fn present(&self) -> u64 {
        self.present.load(Ordering::Relaxed)
    }

    pub(crate) fn set_present(&self, bytes: u64) {
        self.present.store(bytes, Ordering::Relaxed);
    }

    /// What is to be said about the disk although it is accepted.
    pub(crate) fn caution(&self) -> Option<Caution> {
        lock(&self.caution).clone()
    }

    pub(crate) fn set_caution(&self, caution: Option<Caution>) {
        *lock(&self.caution) = caution;
    }

    /// Counts so many bytes as done.
    pub fn set_done(&self, bytes: u64) {
        self.done.store(bytes, Ordering::Relaxed);
    }

    /// Tells that so many bytes are done. The hook may keep the job waiting here.
    pub(crate) fn reach(&self, bytes: u64) {
        let bytes = self.passed() + bytes;
        if let Some(hook) = &self.hook {
            hook.reached(self, bytes);
        }
        if self.stopped().is_none() {
            self.set_done(bytes);
        }
    }

    /// Asks the job to stop at the next chunk.
    pub(crate) fn stop(&self, why: StopReason) {
        match why {
            StopReason::Shutdown => self.shutdown.store(true, Ordering::Relaxed),
            StopReason::Lost => self.lost.store(true, Ordering::Relaxed),
            StopReason::Overdue => self.overdue.store(true, Ordering::Relaxed),
        }
    }

    /// Whether the job was asked to stop. A lost job is not given back, whatever else was asked.
    pub fn stopped(&self) -> Option<StopReason> {
        if self.lost.load(Ordering::Relaxed) {
            return Some(StopReason::Lost);
        }
        if self.overdue.load(Ordering::Relaxed) {
            return Some(StopReason::Overdue);
        }
        self.shutdown.load(Ordering::Relaxed).then_some(StopReason::Shutdown)
    }
}

/// So many percent of a number of bytes, no less.
pub fn percent_of(bytes: u64, percent: u8) -> u64 {
    let part = (u128::from(bytes) * u128::from(percent)).div_ceil(100);
    u64::try_from(part).unwrap_or(u64::MAX)
}

/// How often a pause looks for jobs that do not stop yet.
const PAUSE_LOOK: Duration = Duration::from_millis(20);

/// The jobs at work in this process.
#[derive(Default)]
pub struct Running {
    jobs: Mutex<HashMap<String, Arc<Progress>>>,
    /// Wakes a worker that waits for a job.
    pub wake: Notify,
    /// A worker reads it from before it claims a job until the job's end is written down: see [`Running::pause`].
    pub at_work: RwLock<()>,
}

impl Running {
    pub(crate) fn insert(&self, image_id: &str, progress: &Arc<Progress>) {
        lock(&self.jobs).insert(image_id.to_owned(), Arc::clone(progress));
    }

    pub(crate) fn remove(&self, image_id: &str) {
        lock(&self.jobs).remove(image_id);
    }

    /// How far the making of an image is, when this process is at it.
    pub fn get(&self, image_id: &str) -> Option<Arc<Progress>> {
        lock(&self.jobs).get(image_id).cloned()
    }

    /// Stops the making of an image that was deleted; the worker would find out at its next heartbeat.
    pub fn cancel(&self, image_id: &str) {
        if let Some(progress) = self.get(image_id) {
            progress.stop(StopReason::Lost);
        }
    }

    /// Gives the jobs at work back and keeps every worker from the next one while the guard lives: whoever has it may
    /// put the whole catalogue in another state.
    pub async fn pause(&self) -> RwLockWriteGuard<'_, ()> {
        let mut idle = std::pin::pin!(self.at_work.write());
        loop {
            // Again and again, because a job may have been claimed that is not among them yet.
            for progress in lock(&self.jobs).values() {
                progress.stop(StopReason::Shutdown);
            }
            tokio::select! {
                guard = &mut idle => return guard,
                () = tokio::time::sleep(PAUSE_LOOK) => {}
            }
        }
    }
}
