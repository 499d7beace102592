//! Counts, now and then, how long images have been in use.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::context::Context;

/// How often. What is counted are hours, and when an instance goes its use is counted at once.
const EVERY: Duration = Duration::from_mins(10);

/// Counts until told to stop, for the first time at once.
pub(super) async fn count(context: Arc<Context>, mut stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() && stopped.has_changed().is_ok() {
        if let Err(error) = context.catalog.count_image_use(context.clock.now()).await {
            tracing::error!(error = &error as &dyn std::error::Error, "cannot count the use of images");
        }
        tokio::select! { _ = stopped.changed() => {}, () = tokio::time::sleep(EVERY) => {} }
    }
}
