//! Settings of trash, audit log, sweep and scrub.

use serde::{Deserialize, Serialize};

/// Settings of the trash.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrashSettings {
    /// How many days deleted images can be restored. With 0 they are purged within minutes.
    pub keep_days: u16,
}

impl Default for TrashSettings {
    fn default() -> Self {
        Self { keep_days: 7 }
    }
}

/// Settings of the audit log.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditSettings {
    /// How many days entries are kept. With 0 they are kept for ever.
    pub keep_days: u16,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self { keep_days: 365 }
    }
}

/// Settings of sweeping.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SweepSettings {
    /// Hours between two sweeps of a server. It also sweeps after images expire. With 0 it never sweeps.
    pub every_hours: u16,
}

impl Default for SweepSettings {
    fn default() -> Self {
        Self { every_hours: 24 }
    }
}

/// Settings of scrubbing.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScrubSettings {
    /// Days in which a server reads all data once. With 0 it does not.
    pub days: u16,
}

impl Default for ScrubSettings {
    fn default() -> Self {
        Self { days: 30 }
    }
}
