//! Places where a crash test ends the process as `kill -9` would.
//!
//! Named in `JINGKU_FAILPOINT`, as `name` or `name:N` for the N-th time it is reached. At the one named in `JINGKU_PANIC`,
//! likewise, the first N times panic. Only in debug builds: a release build has none of this.

#[cfg(debug_assertions)]
mod store;

#[cfg(debug_assertions)]
pub(crate) use store::Reaching;

/// Kills the process when this is the failpoint asked for.
#[cfg(debug_assertions)]
pub(crate) fn reached(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    type Point = Option<(String, u64)>;
    static KILL: OnceLock<Point> = OnceLock::new();
    static PANIC: OnceLock<Point> = OnceLock::new();
    static SEEN: AtomicU64 = AtomicU64::new(0);
    static PANICKED: AtomicU64 = AtomicU64::new(0);

    let point = |variable: &str| {
        let text = std::env::var(variable).ok()?;
        let (name, count) = text.split_once(':').unwrap_or((&text, "1"));
        Some((name.to_owned(), count.parse().ok()?))
    };
    if let Some((wanted, count)) = KILL.get_or_init(|| point("JINGKU_FAILPOINT"))
        && wanted == name
        && SEEN.fetch_add(1, Ordering::Relaxed) + 1 == *count
    {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
    if let Some((wanted, count)) = PANIC.get_or_init(|| point("JINGKU_PANIC"))
        && wanted == name
    {
        assert!(PANICKED.fetch_add(1, Ordering::Relaxed) >= *count, "failpoint {name}");
    }
}

#[cfg(not(debug_assertions))]
pub(crate) fn reached(_name: &str) {}
