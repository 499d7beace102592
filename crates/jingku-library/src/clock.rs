//! Where time comes from.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Tells the time; handed in, so that tests can fix it.
pub trait Clock: Send + Sync + 'static {
    /// Unix seconds.
    fn now(&self) -> i64;

    /// Time since a moment that stays the same while the process lives. It never goes back, and nobody sets it.
    fn monotonic(&self) -> Duration;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
    fn now(&self) -> i64 {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since_epoch.map_or(0, |elapsed| i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        START.elapsed()
    }
}

/// A clock that stands until it is set.
#[derive(Debug)]
pub struct FixedClock {
    now: AtomicI64,
    run_secs: AtomicU64,
}

impl FixedClock {
    /// A clock standing at `now`, Unix seconds.
    pub fn at(now: i64) -> Self {
        Self { now: AtomicI64::new(now), run_secs: AtomicU64::new(0) }
    }

    /// Sets the clock to `now`. No time passes.
    pub fn set(&self, now: i64) {
        self.now.store(now, Ordering::Relaxed);
    }

    /// Lets so many seconds pass.
    pub fn pass(&self, secs: u32) {
        self.now.fetch_add(secs.into(), Ordering::Relaxed);
        self.run_secs.fetch_add(secs.into(), Ordering::Relaxed);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> i64 {
        self.now.load(Ordering::Relaxed)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.run_secs.load(Ordering::Relaxed))
    }
}
