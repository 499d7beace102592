//! Settings of the making of images.

use std::num::NonZeroU8;
use std::time::Duration;

use serde::Deserialize;

use crate::limits::{JOB_BYTES_PER_SECOND_MIN, WORKERS_DEFAULT_MAX, WORKERS_DEFAULT_MIN};

/// How many images are made at once, and how long one may take.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JobSettings {
    /// How many images are made at once. Each uses all cores, so that more make none faster; but no account has more than
    /// half of the workers, so that a small job starts at once beside any number of large ones of another account.
    pub workers: NonZeroU8,
    /// How many minutes the making of any image may take, besides the time that its size gives it.
    pub deadline_minutes: u32,
}

impl Default for JobSettings {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers = cores.clamp(WORKERS_DEFAULT_MIN.into(), WORKERS_DEFAULT_MAX.into());
        let workers = u8::try_from(workers).ok().and_then(NonZeroU8::new).unwrap_or(NonZeroU8::MIN);
        Self { workers, deadline_minutes: 60 }
    }
}

impl JobSettings {
    /// How many jobs of one account are worked on at once. With one worker nothing can be left for others.
    pub(crate) fn account_max(self) -> i64 {
        i64::from(self.workers.get() / 2).max(1)
    }

    /// How long a job may take that has to read so many bytes.
    pub(crate) fn deadline(self, bytes: u64) -> Duration {
        Duration::from_secs(60 * u64::from(self.deadline_minutes) + bytes / JOB_BYTES_PER_SECOND_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_leaves_half_of_the_workers() {
        let of = |workers| JobSettings { workers: NonZeroU8::new(workers).unwrap(), deadline_minutes: 1 };
        assert_eq!([1, 2, 3, 4, 9].map(|workers| of(workers).account_max()), [1, 1, 1, 2, 4]);
        assert!(JobSettings::default().workers.get() >= 2);
        assert_eq!(of(1).deadline(8 << 30), Duration::from_secs(60 + 2048));
    }
}
