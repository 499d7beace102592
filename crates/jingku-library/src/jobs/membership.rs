//! Renews the lease on the name of this server.

use super::supervisor::Loop;

/// Runs until the server stops, or ends at once if it shares its catalogue with no other.
pub(super) async fn renew(task: Loop) {
    let library = &task.library;
    while !task.stop.is_cancelled() {
        let renewed = library.renew_host().await;
        if matches!(renewed, Ok(false)) {
            return;
        }
        task.note(&renewed.map(drop));
        task.rest(library.renewal_interval()).await;
    }
}
