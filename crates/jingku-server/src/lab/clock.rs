//! A clock that somebody moves while the server runs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jingku_library::{Clock, lock};

/// Another clock, moved or stopped.
pub(crate) struct LabClock {
    base: Arc<dyn Clock>,
    setting: Mutex<Setting>,
}

#[derive(Clone, Copy)]
enum Setting {
    /// Runs, so many seconds ahead of the other clock.
    Ahead(i64),
    /// Stands.
    At(i64),
}

impl LabClock {
    /// The other clock as it is.
    pub(crate) fn new(base: Arc<dyn Clock>) -> Self {
        Self { base, setting: Mutex::new(Setting::Ahead(0)) }
    }

    /// Stops it at `now`.
    pub(crate) fn set(&self, now: i64) {
        *lock(&self.setting) = Setting::At(now);
    }

    /// Moves it by so many seconds, forward or back; a clock that stands goes on standing.
    pub(crate) fn advance(&self, seconds: i64) {
        let mut setting = lock(&self.setting);
        *setting = match *setting {
            Setting::Ahead(by) => Setting::Ahead(by.saturating_add(seconds)),
            Setting::At(now) => Setting::At(now.saturating_add(seconds)),
        };
    }

    /// The other clock again.
    pub(crate) fn free(&self) {
        *lock(&self.setting) = Setting::Ahead(0);
    }

    pub(crate) fn stands(&self) -> bool {
        matches!(*lock(&self.setting), Setting::At(_))
    }
}

impl Clock for LabClock {
    fn now(&self) -> i64 {
        match *lock(&self.setting) {
            Setting::Ahead(by) => self.base.now().saturating_add(by),
            Setting::At(now) => now,
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
    fn it_stands_moves_and_runs_again() {
        let base = Arc::new(FixedClock::at(100));
        let clock = LabClock::new(base.clone());
        clock.advance(10);
        base.set(101);
        assert_eq!((clock.now(), clock.stands()), (111, false));
        clock.set(5000);
        base.set(102);
        clock.advance(-1);
        assert_eq!((clock.now(), clock.stands()), (4999, true));
        clock.free();
        assert_eq!(clock.now(), 102);
    }
}
