//! Named places where tests inject faults. Debug builds only.
//!
//! An environment variable selects a place, as `name` or `name:N`:
//!
//! | variable | effect |
//! |---|---|
//! | `JINGKU_FAILPOINT` | the N-th time, the process ends as with `kill -9` |
//! | `JINGKU_PANIC` | the first N times, a panic |
//! | `JINGKU_STALL` | the first N times, the thread sleeps for an hour |

#[cfg(debug_assertions)]
mod store;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(debug_assertions)]
pub(crate) use store::FailpointBackend;

struct Point {
    wanted: Option<(String, u64)>,
    seen: AtomicU64,
}

impl Point {
    fn of(variable: &str) -> Self {
        let wanted = std::env::var(variable).ok().and_then(|text| {
            let (name, count) = text.split_once(':').unwrap_or((&text, "1"));
            Some((name.to_owned(), count.parse().ok()?))
        });
        Self { wanted, seen: AtomicU64::new(0) }
    }

    /// Counts a visit of the selected place. Returns the number of visits and the variable's N.
    fn reach(&self, name: &str) -> Option<(u64, u64)> {
        let (_, count) = self.wanted.as_ref().filter(|(wanted, _)| wanted == name)?;
        Some((self.seen.fetch_add(1, Ordering::Relaxed) + 1, *count))
    }
}

/// Marks a place after a durable step. Crash tests kill the process here.
pub fn reached(name: &str) {
    static KILL: LazyLock<Point> = LazyLock::new(|| Point::of("JINGKU_FAILPOINT"));

    if cfg!(debug_assertions) && KILL.reach(name).is_some_and(|(seen, count)| seen == count) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
    passed(name);
}

/// Marks a place without a durable step before it. Only panics and stalls are tested here.
pub fn passed(name: &str) {
    static PANIC: LazyLock<Point> = LazyLock::new(|| Point::of("JINGKU_PANIC"));
    static STALL: LazyLock<Point> = LazyLock::new(|| Point::of("JINGKU_STALL"));

    if !cfg!(debug_assertions) {
        return;
    }
    assert!(PANIC.reach(name).is_none_or(|(seen, count)| seen > count), "failpoint {name}");
    if STALL.reach(name).is_some_and(|(seen, count)| seen <= count) {
        std::thread::sleep(std::time::Duration::from_hours(1));
    }
}
