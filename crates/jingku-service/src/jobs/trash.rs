//! Forgets, now and then, what has been in the trash for long enough, and makes the reserve of room anew.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::context::Context;

/// How often. What is kept is kept for days.
const EVERY: Duration = Duration::from_mins(10);

/// Forgets until told to stop, for the first time at once.
pub(super) async fn empty(context: Arc<Context>, mut stopped: watch::Receiver<bool>) {
    // An error means that whoever could tell to stop is gone.
    while !*stopped.borrow() && stopped.has_changed().is_ok() {
        let told = || *stopped.borrow() || stopped.has_changed().is_err();
        match context.empty_expired(trusted_now(&context).await, told).await {
            Ok(emptied) if emptied.images > 0 => context.emptied.notify_one(),
            Ok(_) => {}
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "cannot empty the trash");
            }
        }
        keep_reserve(&context).await;
        tokio::select! { _ = stopped.changed() => {}, () = tokio::time::sleep(EVERY) => {} }
    }
    // A server that never runs for long has run for all of it.
    trusted_now(&context).await;
}

/// The time that deleting by age may count with: see [`Context::trusted_now`].
pub(super) async fn trusted_now(context: &Arc<Context>) -> Option<i64> {
    let context = Arc::clone(context);
    let read = tokio::task::spawn_blocking(move || context.trusted_now()).await;
    read.inspect_err(|error| tracing::error!(%error, "cannot read the clock")).ok().flatten()
}

/// Makes the reserve of room, at the start, and anew when it was used up and there is room again.
async fn keep_reserve(context: &Context) {
    let Some(room) = context.room.clone() else { return };
    let kept = tokio::task::spawn_blocking(move || room.keep_reserve()).await;
    if let Ok(Err(error)) = kept {
        tracing::warn!(%error, "cannot keep a reserve of room");
    }
}
