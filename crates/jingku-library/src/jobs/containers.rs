//! Watches the containers of the engine.

use std::error::Error;
use std::time::Duration;

use super::supervisor::Loop;
use crate::containers::SyncError;
use crate::error::Internal;

/// How often the engine is asked.
const INTERVAL: Duration = Duration::from_secs(3);

/// Runs until the server stops. An engine that is away is no fault of the server: it is logged once.
pub(super) async fn watch(task: Loop) {
    let library = &task.library;
    if !library.containers.has_engine() {
        return;
    }
    let mut away = false;
    while !task.stop.is_cancelled() {
        match library.sync_containers().await {
            Ok(()) => {
                if away {
                    tracing::info!("the container engine answers again");
                }
                away = false;
                task.note::<Internal>(&Ok(()));
            }
            Err(SyncError::Engine(error)) => {
                if !away {
                    tracing::warn!(error = &error as &dyn Error, "the container engine does not answer");
                }
                away = true;
                task.note::<Internal>(&Ok(()));
            }
            Err(SyncError::Internal(error)) => task.note(&Err(error)),
        }
        task.rest(INTERVAL).await;
    }
}
