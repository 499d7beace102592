//! Watches the containers of the engine.

use std::time::Duration;

use super::supervisor::Loop;

/// How often the engine is asked.
const INTERVAL: Duration = Duration::from_secs(3);

/// Runs until the server stops.
pub(super) async fn watch(task: Loop) {
    let library = &task.library;
    task.every(INTERVAL, || library.sync_containers()).await;
}
