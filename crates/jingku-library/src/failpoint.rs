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

#[cfg(debug_assertions)]
pub(crate) use store::FailpointBackend;

#[cfg(debug_assertions)]
use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

/// The place that a variable selects.
#[cfg(debug_assertions)]
struct Point {
    variable: &'static str,
    wanted: OnceLock<Option<(String, u64)>>,
    seen: AtomicU64,
}

#[cfg(debug_assertions)]
impl Point {
    const fn of(variable: &'static str) -> Self {
        Self { variable, wanted: OnceLock::new(), seen: AtomicU64::new(0) }
    }

    /// Counts a visit of the selected place. Returns the number of visits and the variable's N.
    fn reach(&self, name: &str) -> Option<(u64, u64)> {
        let wanted = self.wanted.get_or_init(|| {
            let text = std::env::var(self.variable).ok()?;
            let (name, count) = text.split_once(':').unwrap_or((&text, "1"));
            Some((name.to_owned(), count.parse().ok()?))
        });
        let (_, count) = wanted.as_ref().filter(|(wanted, _)| wanted == name)?;
        Some((self.seen.fetch_add(1, Ordering::Relaxed) + 1, *count))
    }
}

/// Marks a place after a durable step. Crash tests kill the process here.
#[cfg(debug_assertions)]
pub fn reached(name: &str) {
    static KILL: Point = Point::of("JINGKU_FAILPOINT");

    if KILL.reach(name).is_some_and(|(seen, count)| seen == count) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
    passed(name);
}

/// Marks a place without a durable step before it. Only panics and stalls are tested here.
#[cfg(debug_assertions)]
pub fn passed(name: &str) {
    static PANIC: Point = Point::of("JINGKU_PANIC");
    static STALL: Point = Point::of("JINGKU_STALL");

    assert!(PANIC.reach(name).is_none_or(|(seen, count)| seen > count), "failpoint {name}");
    if STALL.reach(name).is_some_and(|(seen, count)| seen <= count) {
        std::thread::sleep(std::time::Duration::from_hours(1));
    }
}

#[cfg(not(debug_assertions))]
pub fn reached(_name: &str) {}

#[cfg(not(debug_assertions))]
pub fn passed(_name: &str) {}
