//! Waiting for events of the background work.

use std::time::Duration;

/// How long a test waits before it fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// Polls until the condition holds.
pub(crate) async fn wait_until(event: &str, mut holds: impl AsyncFnMut() -> bool) {
    let happened = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, happened).await.unwrap_or_else(|_| panic!("never happened: {event}"));
}
