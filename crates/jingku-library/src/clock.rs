//! The source of time.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Tells the time. An argument, so that tests can fix it.
pub trait Clock: Send + Sync + 'static {
    /// Unix seconds.
    fn now(&self) -> i64;

    /// Time since a fixed moment of this process. It never goes back and cannot be set.
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

/// A clock that advances only on request.
#[derive(Debug)]
pub struct FixedClock {
    now: AtomicI64,
    run_secs: AtomicU64,
}

impl FixedClock {
    /// A clock fixed at `now`, in Unix seconds.
    pub fn at(now: i64) -> Self {
        Self { now: AtomicI64::new(now), run_secs: AtomicU64::new(0) }
    }

    /// Sets the clock to `now`. The monotonic time stays.
    pub fn set(&self, now: i64) {
        self.now.store(now, Ordering::Relaxed);
    }

    /// Advances the clock and the monotonic time.
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
