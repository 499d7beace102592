//! Sweeps the store regularly, and after images expire.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::pace::pause;
use super::supervisor::Loop;
use crate::library::Library;
use crate::sweep::{SWEEP, SweepError};

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
    let mut emptied = false;
    while !task.stop.is_cancelled() {
        let swept = task
            .alone(SWEEP, |turn| async move {
                if emptied || is_due(library).await? { run(library, &turn.stop).await } else { Ok(()) }
            })
            .await;
        // The other server may have begun before the trash was emptied.
        let again = emptied && matches!(swept, Ok(None));
        task.note(&swept.map(drop));
        emptied = tokio::select! {
            () = library.emptied.notified() => true,
            () = task.rest(EVERY) => again,
        };
    }
}

async fn is_due(library: &Library) -> Result<bool, SweepError> {
    let every = i64::from(library.config.sweep.every_hours) * SECS_OF_AN_HOUR;
    let now = library.clock.now();
    // The absolute value, so that a clock that was set back does not prevent sweeps.
    let last = library.last_sweep().await?;
    Ok(last.is_none_or(|last| now.saturating_sub(last.ended_at).abs() >= every))
}

async fn run(library: &Library, stop: &CancellationToken) -> Result<(), SweepError> {
    let stop = stop.clone();
    let rest = move |_, took: Duration| pause(&stop, (took * RESTS).min(REST_MAX));
    let swept = library.sweep(false, rest).await?;
    let (files, bytes) = (swept.chunks + swept.manifests, swept.bytes);
    tracing::info!(files, bytes, "swept the store");
    Ok(())
}
