//! Live progress of the jobs of this process.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jingku_chunks::ManifestId;
use jingku_sources::content::Caution;
use tokio::sync::{Notify, RwLock, RwLockWriteGuard};

use crate::lock::lock;

/// Why a job stops early. A later reason takes precedence: a lost job must not be released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopReason {
    /// The server stops; the job resumes later.
    Shutdown,
    /// The job exceeded its deadline.
    Overdue,
    /// The image was deleted, or another worker has the job.
    Lost,
}

/// How far a job is, in bytes.
#[derive(Clone, Copy, Default)]
pub struct JobBytes {
    /// A finished first part.
    pub passed: u64,
    /// All that is done, including the finished part.
    pub done: u64,
    /// The whole job; 0 until known.
    pub total: u64,
    /// What images of the account already have. Data of other accounts is not disclosed.
    pub present: u64,
}

/// The progress of a job.
#[derive(Default)]
pub struct Progress {
    /// When the job was claimed, in Unix seconds.
    pub started_at: i64,
    /// How far it is.
    pub bytes: Mutex<JobBytes>,
    pub(super) own_manifests: Vec<ManifestId>,
    caution: Mutex<Option<Caution>>,
    stop: Mutex<Option<StopReason>>,
    hook: Option<Arc<dyn JobHook>>,
}

/// Observes jobs and may block them without limit. Jobs have no deadline then.
pub trait JobHook: Send + Sync {
    /// Called on the thread of the job when so many bytes are done, before the progress is visible. Must return soon after
    /// the job is stopped.
    fn reached(&self, progress: &Progress, bytes: u64);
}

impl Progress {
    pub(super) fn new(
        started_at: i64,
        own_manifests: Vec<ManifestId>,
        hook: Option<Arc<dyn JobHook>>,
    ) -> Self {
        Self { started_at, own_manifests, hook, ..Self::default() }
    }

    /// Finishes a first part of the work, as large as the rest. Later bytes are counted from 0 again.
    pub(crate) fn pass(&self, bytes: u64) {
        let mut known = lock(&self.bytes);
        *known = JobBytes { passed: bytes, done: bytes, total: 2 * bytes, ..*known };
    }

    /// Sets the size of the job, without the finished first part.
    pub(crate) fn expect(&self, bytes: u64) {
        let mut known = lock(&self.bytes);
        known.total = known.passed + bytes;
    }

    pub(crate) fn caution(&self) -> Option<Caution> {
        lock(&self.caution).clone()
    }

    pub(crate) fn set_caution(&self, caution: Option<Caution>) {
        *lock(&self.caution) = caution;
    }

    /// Reports that so many bytes are done. The hook may block here.
    pub(crate) fn reach(&self, bytes: u64) {
        let bytes = lock(&self.bytes).passed + bytes;
        if let Some(hook) = &self.hook {
            hook.reached(self, bytes);
        }
        if self.stopped().is_none() {
            lock(&self.bytes).done = bytes;
        }
    }

    /// Asks the job to stop at the next chunk.
    pub(crate) fn stop(&self, why: StopReason) {
        let mut stop = lock(&self.stop);
        *stop = (*stop).max(Some(why));
    }

    /// Whether the job was asked to stop.
    pub fn stopped(&self) -> Option<StopReason> {
        *lock(&self.stop)
    }
}

/// A percentage of a number of bytes, rounded up.
pub fn percent_of(bytes: u64, percent: u8) -> u64 {
    let part = (u128::from(bytes) * u128::from(percent)).div_ceil(100);
    u64::try_from(part).unwrap_or(u64::MAX)
}

/// How often a pause stops running jobs.
const PAUSE_LOOK: Duration = Duration::from_millis(20);

/// The running jobs of this process.
#[derive(Default)]
pub struct Running {
    /// Jobs that made their image since the start of this process.
    pub made: AtomicU64,
    /// Jobs that failed since the start of this process.
    pub failed: AtomicU64,
    jobs: Mutex<HashMap<String, Arc<Progress>>>,
    /// Wakes a waiting worker.
    pub wake: Notify,
    /// Held for reading from before a job is claimed until its end is recorded: see [`Running::pause`].
    pub at_work: RwLock<()>,
}

impl Running {
    pub(crate) fn insert(&self, image_id: &str, progress: &Arc<Progress>) {
        lock(&self.jobs).insert(image_id.to_owned(), Arc::clone(progress));
    }

    pub(crate) fn remove(&self, image_id: &str) {
        lock(&self.jobs).remove(image_id);
    }

    /// The progress of an image that this process is making.
    pub fn get(&self, image_id: &str) -> Option<Arc<Progress>> {
        lock(&self.jobs).get(image_id).cloned()
    }

    /// Stops the job of a deleted image before its next heartbeat does.
    pub fn cancel(&self, image_id: &str) {
        if let Some(progress) = self.get(image_id) {
            progress.stop(StopReason::Lost);
        }
    }

    /// Releases the running jobs and blocks all workers while the guard lives. Its holder may replace the whole catalogue.
    pub async fn pause(&self) -> RwLockWriteGuard<'_, ()> {
        let mut idle = std::pin::pin!(self.at_work.write());
        loop {
            // Repeated, because a job that was just claimed may not be listed yet.
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
