//! The progress of a copy, reported to the operator and saved for the next run.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jingku_chunks::{Error, Store};
use serde::{Deserialize, Serialize};

use crate::backup::Copied;
use crate::backup::copy::{VERIFY_NONE, Watch};
use crate::data_dir::DataDir;
use crate::failpoint;
use crate::lock::lock;

/// The file of the data directory with the progress.
pub(super) const NAME: &str = "migration";
/// The shortest time between two reports.
const REPORT: Duration = Duration::from_secs(1);

/// How far a move is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum StoreProgress {
    /// It copies while a server may run.
    Copying {
        /// The copied part, from 0 to 1: chunks are copied in the order of their names, which are evenly distributed.
        part: f64,
        /// What this run has copied or found.
        copied: Copied,
        /// The bytes per second of this run.
        bytes_per_second: u64,
        /// The time left, once it can be estimated.
        left: Option<Duration>,
    },
    /// Everything was copied, but a server runs: it must be stopped for the rest.
    Waiting,
    /// No server can start until the move has ended.
    Finishing,
}

/// Takes reports, from any thread.
pub(super) type Report = Arc<dyn Fn(StoreProgress) + Send + Sync>;

/// The chunks of a target that were verified after they were written.
#[derive(Serialize, Deserialize)]
struct Verified {
    target: String,
    /// Chunks whose names begin with a smaller byte.
    below: u16,
}

/// From which first byte on existing chunks of the target must be verified.
pub(super) fn verify_from(data: &DataDir, target: &str) -> u16 {
    data.state::<Verified>(NAME).filter(|state| state.target == target).map_or(0, |state| state.below)
}

/// Saves that all chunks of the target were verified.
pub(super) fn save_verified(data: &DataDir, target: &str) {
    data.keep_state(NAME, &Verified { target: target.to_owned(), below: VERIFY_NONE });
}

/// Watches the copy of all images of a store.
pub(super) struct Meter {
    pub(super) data: DataDir,
    pub(super) to: Store,
    pub(super) target: String,
    pub(super) verify_from: u16,
    pub(super) report: Report,
    pub(super) state: Mutex<MeterState>,
}

pub(super) struct MeterState {
    started: Instant,
    reported: Instant,
    copied: Copied,
    prefix: u8,
    chunks: usize,
    done: usize,
    /// The part when the first chunk was copied: what an earlier run copied is found much faster.
    first: Option<(Instant, f64)>,
}

impl MeterState {
    pub(super) fn start() -> Self {
        let started = Instant::now();
        let (copied, first) = (Copied::default(), None);
        Self { started, reported: started, copied, prefix: 0, chunks: 0, done: 0, first }
    }

    #[expect(clippy::cast_precision_loss, reason = "a part for people")]
    fn part(&self) -> f64 {
        (f64::from(self.prefix) + self.done as f64 / self.chunks.max(1) as f64) / 256.0
    }

    fn progress(&self) -> StoreProgress {
        let (part, copied) = (self.part(), self.copied);
        let left = self.first.and_then(|(at, from)| {
            let secs = at.elapsed().as_secs_f64() * (1.0 - part) / (part - from);
            Duration::try_from_secs_f64(secs).ok()
        });
        let millis = self.started.elapsed().as_millis().max(1);
        let bytes_per_second = u64::try_from(u128::from(copied.bytes) * 1000 / millis).unwrap_or(u64::MAX);
        StoreProgress::Copying { part, copied, bytes_per_second, left }
    }
}

impl Watch for Meter {
    fn prefix(&self, prefix: u8, chunks: usize) {
        let mut state = lock(&self.state);
        (state.prefix, state.chunks, state.done) = (prefix, chunks, 0);
    }

    fn chunk(&self, copied: Copied) {
        failpoint::reached("migrate.chunk");
        let mut state = lock(&self.state);
        state.copied.add(copied);
        state.done += 1;
        if copied.objects > 0 && state.first.is_none() {
            state.first = Some((Instant::now(), state.part()));
        }
        if state.reported.elapsed() >= REPORT {
            state.reported = Instant::now();
            let progress = state.progress();
            drop(state);
            (self.report)(progress);
        }
    }

    fn prefix_done(&self, prefix: u8) -> Result<(), Error> {
        let below = u16::from(prefix) + 1;
        if below <= self.verify_from {
            return Ok(());
        }
        self.to.backend().sync()?;
        self.data.keep_state(NAME, &Verified { target: self.target.clone(), below });
        Ok(())
    }

    fn chunks_durable(&self) {
        failpoint::reached("migrate.chunks_durable");
    }

    fn manifests_durable(&self) {
        failpoint::reached("migrate.manifests_durable");
    }
}
