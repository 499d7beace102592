//! How long claims and announcements count.

use std::time::Duration;

use jingku_chunks::DELETE_TIMEOUT;

/// How long a claim lasts that its process does not renew, in seconds. A writer whose process stops for longer starts over.
const CLAIM_LEASE_SECS: i64 = 600;
/// How long an announcement of a sweep counts that nobody withdraws, in seconds: longer than any request of that sweep can
/// take effect. [`ANNOUNCED_SECS_MAX`], then [`DELETE_TIMEOUT`], then the 15 minutes by which the clocks of the sweep and
/// the object store may differ, and 8 minutes more.
const QUARANTINE_SECS: i64 = 1800;
/// How long after its announcement a sweep may still send deletions, in seconds.
pub(super) const ANNOUNCED_SECS_MAX: i64 = 300;
/// The difference of clocks at which object stores reject requests, in seconds.
const SKEW_SECS_MAX: i64 = 900;

const _: () = assert!(
    ANNOUNCED_SECS_MAX.unsigned_abs() + DELETE_TIMEOUT.as_secs() + SKEW_SECS_MAX.unsigned_abs() < 1800
);

/// How long claims and announcements count.
#[derive(Clone, Copy)]
pub(super) struct Timing {
    pub(super) lease_secs: i64,
    pub(super) quarantine_secs: i64,
    /// How long a writer waits for a sweep to end.
    pub(super) wait: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        // What a dead sweep announced ends before that.
        let wait = Duration::from_secs(QUARANTINE_SECS.unsigned_abs() + 60);
        Self { lease_secs: CLAIM_LEASE_SECS, quarantine_secs: QUARANTINE_SECS, wait }
    }
}
