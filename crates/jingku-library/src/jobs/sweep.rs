//! Sweeps the store, now and then, and when images went for good.

use std::time::Duration;

use super::pace::Pause;
use super::supervisor::Loop;
use crate::data_dir::DataDir;
use crate::library::Library;
use crate::sweep::SweepError;

/// How often it looks whether it is time.
const EVERY: Duration = Duration::from_mins(10);
/// It works one part of the time and rests these.
const RESTS: u32 = 3;
/// The longest pause between two steps of a sweep in the background.
const REST_MAX: Duration = Duration::from_secs(1);
const SECS_OF_AN_HOUR: i64 = 60 * 60;

/// Sweeps until the server stops.
pub(super) async fn sweep(task: Loop) {
    let context = &task.context;
    // The snapshots of a lab name manifests too, and nobody asks them; what is in memory is gone at the end anyway.
    if context.config.sweep.every_hours == 0 || context.data.is_none() {
        return;
    }
    let mut now = is_due(context);
    while !task.stop.is_cancelled() {
        if now {
            task.note(&run(&task).await);
        }
        now = tokio::select! {
            () = context.emptied.notified() => true,
            () = task.rest(EVERY) => is_due(context),
        };
    }
}

fn is_due(context: &Library) -> bool {
    let every = i64::from(context.config.sweep.every_hours) * SECS_OF_AN_HOUR;
    let now = context.clock.now();
    // A clock that went back does not keep it from sweeping for ever.
    context
        .data
        .as_ref()
        .and_then(DataDir::last_sweep)
        .is_none_or(|last| now.saturating_sub(last.ended_at).abs() >= every)
}

async fn run(task: &Loop) -> Result<(), SweepError> {
    let pause = Pause::new(task.stop.clone());
    let rest = move |_, took: Duration| pause.wait((took * RESTS).min(REST_MAX));
    let swept = task.context.sweep(false, rest).await?;
    let (files, bytes) = (swept.chunks + swept.manifests, swept.bytes);
    tracing::info!(files, bytes, "swept the store");
    Ok(())
}
