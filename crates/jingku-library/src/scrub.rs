//! The progress of a server that reads all its data repeatedly: docs/operate/check.md.

use std::fs::File;

use jingku_catalog::CatalogError;
use jingku_chunks::ChunkId;
use serde::{Deserialize, Serialize};

use crate::data_dir::DataDir;
use crate::durable::if_found;
use crate::library::Library;
use crate::start_error::StartError;

const SECS_OF_A_DAY: i64 = 24 * 60 * 60;
/// The name of the task, and of its state.
pub(crate) const SCRUB: &str = "scrub";
/// The minimum read rate, in bytes per second, so that a small store is finished soon.
const RATE_MIN: u64 = 1 << 20;
/// The maximum read rate, in bytes per second, so that others can use the disk.
const RATE_MAX: u64 = 64 << 20;
/// The number of first bytes of names, which are processed in order.
const PREFIXES: u16 = 256;
/// The most images that are listed as corrupted.
const DAMAGED_MAX: usize = 100;

/// One round over all data: the current or the last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scrub {
    /// Its start, in Unix seconds.
    pub started_at: i64,
    /// Its end; `None` if it is running.
    pub ended_at: Option<i64>,
    /// Chunks that were read.
    pub chunks: u64,
    /// Stored bytes of these chunks.
    pub bytes: u64,
    /// The read rate, in bytes per second.
    pub rate: u64,
    /// Corrupted objects that images need.
    pub damaged_objects: u64,
    /// Ids of affected images, at most a hundred.
    pub damaged_images: Vec<String>,
    pub(crate) next_prefix: u16,
    /// The last chunk that was read in it.
    pub(crate) after: Option<String>,
    /// The end of the previous round.
    pub previous_ended_at: Option<i64>,
}

impl Scrub {
    fn begin(now: i64, previous: Option<&Self>) -> Self {
        let previous_ended_at = previous.and_then(|round| round.ended_at);
        Self { started_at: now, previous_ended_at, ..Self::default() }
    }

    /// Whether it has found corruption.
    pub fn has_found_damage(&self) -> bool {
        self.damaged_objects > 0 || !self.damaged_images.is_empty()
    }

    /// The progress in percent.
    pub fn percent(&self) -> u64 {
        let within = self.position().map_or(0, |chunk| u64::from(chunk.0[1]));
        (u64::from(self.next_prefix) * 256 + within) * 100 / (u64::from(PREFIXES) * 256)
    }

    /// The last chunk of the next prefix that was read.
    pub(crate) fn position(&self) -> Option<ChunkId> {
        self.after.as_ref()?.parse().ok()
    }

    pub(crate) fn prefix(&self) -> Option<u8> {
        u8::try_from(self.next_prefix).ok()
    }

    /// Sets the rate so that the rest is read in time, if every prefix has so many bytes.
    pub(crate) fn set_rate(&mut self, prefix_bytes: u64, now: i64, days: u16) {
        let end = self.started_at.saturating_add(i64::from(days) * SECS_OF_A_DAY);
        let left_secs = u64::try_from(end.saturating_sub(now)).unwrap_or(0).max(1);
        let left_bytes = prefix_bytes.saturating_mul((PREFIXES - self.next_prefix).into());
        self.rate = (left_bytes / left_secs).clamp(RATE_MIN, RATE_MAX);
    }

    /// Continues after a prefix. The last prefix ends the round.
    pub(crate) fn finish_prefix(&mut self, prefix: u8, now: i64) {
        self.next_prefix = u16::from(prefix) + 1;
        self.after = None;
        if self.next_prefix == PREFIXES {
            self.ended_at = Some(now);
        }
    }

    /// Records a corrupted image. Returns whether it is new; false if the list is full.
    pub(crate) fn add_damaged(&mut self, image_id: &str) -> bool {
        let is_new =
            self.damaged_images.len() < DAMAGED_MAX && !self.damaged_images.iter().any(|id| id == image_id);
        if is_new {
            self.damaged_images.push(image_id.to_owned());
        }
        is_new
    }

    /// Whether the list of corrupted images is full.
    pub(crate) fn is_list_full(&self) -> bool {
        self.damaged_images.len() == DAMAGED_MAX
    }
}

impl DataDir {
    /// The progress of the scrub; `None` if it never started. Fails if that is unknown.
    pub fn scrub_status(&self) -> Result<Option<Scrub>, StartError> {
        self.check_library()?;
        let path = self.path().join(SCRUB);
        let file = if_found(File::open(&path)).map_err(StartError::io(path))?;
        Ok(file.and_then(|_| self.scrub()))
    }

    /// The progress of the scrub of a data directory whose catalogue is a file; `None` if it never started or is unknown.
    pub fn scrub(&self) -> Option<Scrub> {
        self.state(SCRUB)
    }
}

impl Library {
    /// Saves the progress, unless another server has got the task since the lease `lease`. Losing it costs only time.
    pub(crate) async fn keep_scrub(&self, scrub: &Scrub, lease: Option<i64>) {
        if let Err(error) = self.keep_task_state(SCRUB, lease, scrub).await {
            tracing::warn!(%error, "cannot save the progress of the scrub");
        }
    }

    /// The progress of the scrub of all servers; `None` if it never started or is unknown.
    pub async fn scrub(&self) -> Result<Option<Scrub>, CatalogError> {
        self.task_state(SCRUB).await
    }

    /// The current round, or the next one if it is due.
    pub(crate) async fn due_scrub(&self) -> Result<Option<Scrub>, CatalogError> {
        let now = self.clock.now();
        let Some(last) = self.scrub().await? else {
            return Ok(Some(Scrub::begin(now, None)));
        };
        if last.ended_at.is_none() {
            return Ok(Some(last));
        }
        let every = i64::from(self.config.scrub.days) * SECS_OF_A_DAY;
        // The absolute value, so that a clock that was set back does not prevent rounds.
        let due = now.saturating_sub(last.started_at).abs() >= every;
        Ok(due.then(|| Scrub::begin(now, Some(&last))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_follows_the_deadline_within_limits() {
        let mut scrub = Scrub::begin(1000, None);
        let day = 86_400;
        // 256 prefixes of 101.25 GB in 30 days.
        scrub.set_rate(101_250_000_000, 1000, 30);
        assert_eq!(scrub.rate, 10_000_000);
        // Half of it, in a quarter of the time.
        scrub.finish_prefix(127, 1000);
        scrub.set_rate(101_250_000_000, 1000 + 30 * day * 3 / 4, 30);
        assert_eq!((scrub.rate, scrub.percent(), scrub.ended_at), (20_000_000, 50, None));
        scrub.set_rate(101_250_000_000, 1000 + 40 * day, 30);
        assert_eq!(scrub.rate, RATE_MAX);
        scrub.set_rate(10, 1000, 30);
        assert_eq!(scrub.rate, RATE_MIN);
        scrub.finish_prefix(255, 2000);
        assert_eq!((scrub.percent(), scrub.ended_at, scrub.prefix()), (100, Some(2000), None));
    }
}
