//! Runs the operations on instances that the API created.

use std::time::Duration;

use tokio::task::JoinSet;

use super::supervisor::Loop;

/// How often the catalogue is asked for operations that nobody announced: of another process, or to be tried again.
const INTERVAL: Duration = Duration::from_secs(3);

/// Runs until the server stops. Operations that then run are continued by the next start.
pub(super) async fn run(task: Loop) {
    let library = &task.library;
    if !library.containers.has_engine() {
        return;
    }
    let mut tasks = JoinSet::new();
    while !task.stop.is_cancelled() {
        let stopped = library.stop_due_pods().await;
        task.note(&stopped.and(library.run_operations(&mut tasks).await));
        tokio::select! {
            () = library.pods.wake.notified() => {}
            () = task.rest(INTERVAL) => {}
        }
    }
}
