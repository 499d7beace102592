//! Notices that the catalogue of a running server was moved.

use std::time::Duration;

use crate::library::Library;

/// How often a server asks whether its catalogue was moved.
const MOVED_INTERVAL: Duration = Duration::from_secs(1);

impl Library {
    /// Waits until `jingku migrate-database` has moved the catalogue, and returns its new place. The server must then end:
    /// it is refused every change, and what it reads is no longer current. The data directory refers to the new place.
    pub async fn catalog_moved(&self) -> String {
        loop {
            tokio::time::sleep(MOVED_INTERVAL).await;
            // Other failures are reported where the catalogue is used.
            if let Ok(Some(place)) = self.catalog.moved_to().await {
                tracing::error!(place, "the catalogue was moved, and this server stops");
                return place;
            }
        }
    }
}
