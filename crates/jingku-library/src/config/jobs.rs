//! Settings of the jobs that make images.

use std::num::NonZeroU8;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::{JOB_BYTES_PER_SECOND_MIN, WORKERS_DEFAULT_MAX, WORKERS_DEFAULT_MIN};

/// How many jobs run in parallel, and how long one may take.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct JobSettings {
    /// How many jobs run in parallel. Each uses all cores, so more workers do not make a job faster. An account occupies at
    /// most half of the workers, so that the jobs of another account start without waiting for its large ones.
    pub workers: NonZeroU8,
    /// Minutes that a job may take, in addition to the time that its size allows.
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
    /// How many jobs of one account run in parallel. A single worker serves every account.
    pub(crate) fn account_max(self) -> i64 {
        i64::from(self.workers.get() / 2).max(1)
    }

    /// How long a job may take that reads so many bytes.
    pub(crate) fn deadline(self, bytes: u64) -> Duration {
        Duration::from_secs(60 * u64::from(self.deadline_minutes) + bytes / JOB_BYTES_PER_SECOND_MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_gets_half_of_the_workers() {
        let of = |workers| JobSettings { workers: NonZeroU8::new(workers).unwrap(), deadline_minutes: 1 };
        assert_eq!([1, 2, 3, 4, 9].map(|workers| of(workers).account_max()), [1, 1, 1, 2, 4]);
        assert!(JobSettings::default().workers.get() >= 2);
        assert_eq!(of(1).deadline(8 << 30), Duration::from_secs(60 + 2048));
    }
}
