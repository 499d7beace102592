//! How far a server is with reading every byte that it keeps, time and again: docs/operate/check.md.

use std::fs::File;
use std::io::ErrorKind;

use jingku_chunks::ChunkId;
use serde::{Deserialize, Serialize};

use crate::data_dir::{DataDir, StartError};
use crate::library::Library;

const SECS_OF_A_DAY: i64 = 24 * 60 * 60;
/// The file of the data folder.
const SCRUB: &str = "scrub";
/// The slowest that the scrub reads, in bytes a second, so that a small store is read soon.
const RATE_MIN: u64 = 1 << 20;
/// The fastest that the scrub reads, in bytes a second, so that others have the disk.
const RATE_MAX: u64 = 64 << 20;
/// First bytes of names; they are gone through in order.
const PREFIXES: u16 = 256;
/// The most images that are remembered as damaged.
const DAMAGED_MAX: usize = 100;

/// A round of reading everything: the one under way, or the last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scrub {
    /// When it began, in seconds since 1970.
    pub started_at: i64,
    /// When it ended; `None` while it is under way.
    pub ended_at: Option<i64>,
    /// Chunks read.
    pub chunks: u64,
    /// Their bytes, as they are stored.
    pub bytes: u64,
    /// How fast it goes, in bytes a second.
    pub rate: u64,
    /// Damaged objects that images need.
    pub damaged_objects: u64,
    /// Images that they hit, by id, at most a hundred.
    pub damaged_images: Vec<String>,
    /// What is gone through next.
    pub(crate) next_prefix: u16,
    /// How far it is there.
    pub(crate) after: Option<String>,
    /// When the round before this one ended.
    pub previous_ended_at: Option<i64>,
}

impl Scrub {
    fn begin(now: i64, previous: Option<&Self>) -> Self {
        let previous_ended_at = previous.and_then(|round| round.ended_at);
        Self { started_at: now, previous_ended_at, ..Self::default() }
    }

    /// Whether it has found damage so far.
    pub fn has_found_damage(&self) -> bool {
        self.damaged_objects > 0 || !self.damaged_images.is_empty()
    }

    /// How far it is, in hundredths.
    pub fn percent(&self) -> u64 {
        let within = self.place().map_or(0, |place| u64::from(place.0[1]));
        (u64::from(self.next_prefix) * 256 + within) * 100 / (u64::from(PREFIXES) * 256)
    }

    /// Up to which chunk the next prefix has been read.
    pub(crate) fn place(&self) -> Option<ChunkId> {
        self.after.as_ref()?.parse().ok()
    }

    /// The prefix that is next.
    pub(crate) fn prefix(&self) -> Option<u8> {
        u8::try_from(self.next_prefix).ok()
    }

    /// Sets how fast to go, so that all that is left is read in time, when a prefix has so many bytes.
    pub(crate) fn set_rate(&mut self, prefix_bytes: u64, now: i64, days: u16) {
        let end = self.started_at.saturating_add(i64::from(days) * SECS_OF_A_DAY);
        let left_secs = u64::try_from(end.saturating_sub(now)).unwrap_or(0).max(1);
        let left_bytes = prefix_bytes.saturating_mul((PREFIXES - self.next_prefix).into());
        self.rate = (left_bytes / left_secs).clamp(RATE_MIN, RATE_MAX);
    }

    /// Goes on after a prefix; ends the round after the last.
    pub(crate) fn finish_prefix(&mut self, prefix: u8, now: i64) {
        self.next_prefix = u16::from(prefix) + 1;
        self.after = None;
        if self.next_prefix == PREFIXES {
            self.ended_at = Some(now);
        }
    }

    /// Remembers an image as damaged; tells whether that is new.
    pub(crate) fn add_damaged(&mut self, image_id: &str) -> bool {
        let new = !self.damaged_images.iter().any(|id| id == image_id);
        if new && self.damaged_images.len() < DAMAGED_MAX {
            self.damaged_images.push(image_id.to_owned());
        }
        new
    }
}

impl DataDir {
    /// How far the server of the data folder is with reading everything; `None` when it never began. Fails where that
    /// cannot be known.
    pub fn scrub_status(&self) -> Result<Option<Scrub>, StartError> {
        self.check_library()?;
        let path = self.path().join(SCRUB);
        match File::open(&path) {
            Err(source) if source.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StartError::Io { path, source }),
            Ok(_) => Ok(self.scrub()),
        }
    }

    /// The same, where what cannot be known counts as never begun.
    pub fn scrub(&self) -> Option<Scrub> {
        self.state(SCRUB)
    }
}

impl Library {
    /// Remembers how far it is.
    pub(crate) fn keep_scrub(&self, scrub: &Scrub) {
        if let Some(data) = &self.data {
            data.keep_state(SCRUB, scrub);
        }
    }

    /// The round that is under way, or the next when it is time for it.
    pub(crate) fn due_scrub(&self) -> Option<Scrub> {
        let now = self.clock.now();
        let Some(last) = self.data.as_ref().and_then(DataDir::scrub) else {
            return Some(Scrub::begin(now, None));
        };
        if last.ended_at.is_none() {
            return Some(last);
        }
        let every = i64::from(self.config.scrub.days) * SECS_OF_A_DAY;
        // A clock that went back does not keep it from reading for ever.
        let due = now.saturating_sub(last.started_at).abs() >= every;
        due.then(|| Scrub::begin(now, Some(&last)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_keeps_its_time_within_limits() {
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
