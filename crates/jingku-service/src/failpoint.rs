//! Places where a crash test ends the process as `kill -9` would.
//!
//! Named in `JINGKU_FAILPOINT`, as `name` or `name:N` for the N-th time it is reached. Only in debug builds: a release
//! build has none of this.

#[cfg(debug_assertions)]
mod store;

#[cfg(debug_assertions)]
pub(crate) use store::Reaching;

/// Kills the process when this is the failpoint asked for.
#[cfg(debug_assertions)]
pub(crate) fn reached(name: &str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static WANTED: OnceLock<Option<(String, u64)>> = OnceLock::new();
    static SEEN: AtomicU64 = AtomicU64::new(0);

    let wanted = WANTED.get_or_init(|| {
        let text = std::env::var("JINGKU_FAILPOINT").ok()?;
        let (name, count) = text.split_once(':').unwrap_or((&text, "1"));
        Some((name.to_owned(), count.parse().ok()?))
    });
    if let Some((wanted, count)) = wanted
        && wanted == name
        && SEEN.fetch_add(1, Ordering::Relaxed) + 1 == *count
    {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

#[cfg(not(debug_assertions))]
pub(crate) fn reached(_name: &str) {}
