//! Sweeps the store regularly, and after images expire.

use std::time::Duration;

use super::pace::pause;
use super::supervisor::Loop;
use crate::data_dir::DataDir;
use crate::library::Library;
use crate::sweep::SweepError;

/// How often to check whether a sweep is due.
const EVERY: Duration = Duration::from_mins(10);
/// After each step, the sweep rests this many times as long.
const RESTS: u32 = 3;
/// The longest rest between two steps.
const REST_MAX: Duration = Duration::from_secs(1);
const SECS_OF_AN_HOUR: i64 = 60 * 60;

pub(super) async fn sweep(task: Loop) {
    let library = &task.library;
    // A server in memory frees everything at its end, and the snapshots of its lab name manifests as well.
    if library.config.sweep.every_hours == 0 || library.data.is_none() {
        return;
    }
    let mut now = is_due(library);
    while !task.stop.is_cancelled() {
        if now {
            task.note(&run(&task).await);
        }
        now = tokio::select! {
            () = library.emptied.notified() => true,
            () = task.rest(EVERY) => is_due(library),
        };
    }
}

fn is_due(library: &Library) -> bool {
    let every = i64::from(library.config.sweep.every_hours) * SECS_OF_AN_HOUR;
    let now = library.clock.now();
    // The absolute value, so that a clock that was set back does not prevent sweeps.
    library
        .data
        .as_ref()
        .and_then(DataDir::last_sweep)
        .is_none_or(|last| now.saturating_sub(last.ended_at).abs() >= every)
}

async fn run(task: &Loop) -> Result<(), SweepError> {
    let stop = task.stop.clone();
    let rest = move |_, took: Duration| pause(&stop, (took * RESTS).min(REST_MAX));
    let swept = task.library.sweep(false, rest).await?;
    let (files, bytes) = (swept.chunks + swept.manifests, swept.bytes);
    tracing::info!(files, bytes, "swept the store");
    Ok(())
}
