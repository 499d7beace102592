//! Places where a test has something go wrong. Only in debug builds: a release build has none of this.
//!
//! An environment variable names a place, as `name` or `name:N`:
//!
//! | variable | what happens there |
//! |---|---|
//! | `JINGKU_FAILPOINT` | the N-th time, the process ends as by `kill -9` |
//! | `JINGKU_PANIC` | the first N times, a panic |
//! | `JINGKU_STALL` | the first N times, the thread stops for an hour |

#[cfg(debug_assertions)]
mod store;

#[cfg(debug_assertions)]
pub(crate) use store::Reaching;

#[cfg(debug_assertions)]
use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

/// A place that a variable names.
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

    /// Says how often the place was reached, this time included, and the N of the variable, when it is this place.
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

/// A place after a durable step: crash tests kill the process here.
#[cfg(debug_assertions)]
pub fn reached(name: &str) {
    static KILL: Point = Point::of("JINGKU_FAILPOINT");

    if KILL.reach(name).is_some_and(|(seen, count)| seen == count) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
    passed(name);
}

/// A place where nothing durable has happened since the one before: only a panic or a stall shows something here.
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
