//! Settings of what looks after images: the trash, sweeping, scrubbing.

use serde::Deserialize;

/// Settings of the trash.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrashSettings {
    /// For how many days what was deleted can be brought back. With 0 it goes at the next round, within minutes.
    pub keep_days: u16,
}

impl Default for TrashSettings {
    fn default() -> Self {
        Self { keep_days: 7 }
    }
}

/// Settings of sweeping.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SweepSettings {
    /// After how many hours a server sweeps again; sooner when the trash was emptied by age. With 0 it never does.
    pub every_hours: u16,
}

impl Default for SweepSettings {
    fn default() -> Self {
        Self { every_hours: 24 }
    }
}

/// Settings of scrubbing.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScrubSettings {
    /// In how many days a server reads every byte once. With 0 it does not.
    pub days: u16,
}

impl Default for ScrubSettings {
    fn default() -> Self {
        Self { days: 30 }
    }
}
