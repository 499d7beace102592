//! A clock that control calls move and stop.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jingku_library::{Clock, lock};

/// A base clock with an offset, or a stopped clock.
pub(crate) struct LabClock {
    base: Arc<dyn Clock>,
    setting: Mutex<Setting>,
}

#[derive(Clone, Copy)]
enum Setting {
    /// Runs this many seconds ahead of the base clock.
    Ahead(i64),
    Stopped(i64),
}

impl LabClock {
    pub(crate) fn new(base: Arc<dyn Clock>) -> Self {
        Self { base, setting: Mutex::new(Setting::Ahead(0)) }
    }

    pub(crate) fn set(&self, now: i64) {
        *lock(&self.setting) = Setting::Stopped(now);
    }

    /// Moves it forward or back. A stopped clock stays stopped.
    pub(crate) fn advance(&self, seconds: i64) {
        let mut setting = lock(&self.setting);
        *setting = match *setting {
            Setting::Ahead(by) => Setting::Ahead(by.saturating_add(seconds)),
            Setting::Stopped(now) => Setting::Stopped(now.saturating_add(seconds)),
        };
    }

    pub(crate) fn reset(&self) {
        *lock(&self.setting) = Setting::Ahead(0);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        matches!(*lock(&self.setting), Setting::Stopped(_))
    }
}

impl Clock for LabClock {
    fn now(&self) -> i64 {
        match *lock(&self.setting) {
            Setting::Ahead(by) => self.base.now().saturating_add(by),
            Setting::Stopped(now) => now,
        }
    }

    fn monotonic(&self) -> Duration {
        self.base.monotonic()
    }
}

#[cfg(test)]
mod tests {
    use jingku_library::FixedClock;

    use super::*;

    #[test]
    fn it_stops_moves_and_runs_again() {
        let base = Arc::new(FixedClock::at(100));
        let clock = LabClock::new(base.clone());
        clock.advance(10);
        base.set(101);
        assert_eq!((clock.now(), clock.is_stopped()), (111, false));
        clock.set(5000);
        base.set(102);
        clock.advance(-1);
        assert_eq!((clock.now(), clock.is_stopped()), (4999, true));
        clock.reset();
        assert_eq!(clock.now(), 102);
    }
}
