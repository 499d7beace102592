//! What one server at a time does for all that share a catalogue.

use jingku_catalog::CatalogError;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::cluster::Turn;
use crate::library::Library;

impl Library {
    /// Takes the turn to do a task for all servers; `None` if another one has it.
    pub(crate) async fn take_turn(
        &self,
        task: &str,
        stop: &CancellationToken,
    ) -> Result<Option<Turn>, CatalogError> {
        let stop = stop.child_token();
        let Some(session) = &self.cluster.session else { return Ok(Some(Turn { stop, lease: None })) };
        let lease = self.catalog.lease_task(task, session, self.lease_secs()).await?;
        Ok(lease.map(|lease| Turn { stop, lease: Some(lease) }))
    }

    /// Renews the lease of a turn until it is lost. Never ends if there are no other servers.
    pub(crate) async fn keep_turn(&self, task: &str, turn: &Turn) {
        let Some(lease) = turn.lease else { return std::future::pending().await };
        let mut renewed_at = Instant::now();
        loop {
            sleep(self.renewal_interval()).await;
            let begun = Instant::now();
            match self.catalog.renew_task(task, lease, self.lease_secs()).await {
                Ok(true) => renewed_at = begun,
                Ok(false) => break,
                Err(error) => tracing::warn!(task, %error, "cannot renew the lease of a task"),
            }
            if renewed_at.elapsed() >= self.lease_time() {
                break;
            }
        }
        tracing::warn!(task, "another server may have got a task of this one, which gives it up");
    }

    /// Ends a turn.
    pub(crate) async fn end_turn(&self, task: &str, turn: &Turn) {
        let Some(lease) = turn.lease else { return };
        if let Err(error) = self.catalog.end_task(task, lease).await {
            // The lease expires.
            tracing::warn!(task, %error, "cannot end the lease of a task");
        }
    }
}
