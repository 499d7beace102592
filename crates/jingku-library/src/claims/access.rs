//! Runs statements for threads that wait for them.

use std::future::Future;
use std::time::Duration;

use jingku_catalog::{Catalog, CatalogError};
use jingku_chunks::Error;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout_at};

/// How long a writer or sweep waits for the catalogue.
const CLAIM_TIMEOUT: Duration = Duration::from_mins(1);
/// The pause between two attempts.
const RETRY: Duration = Duration::from_millis(500);

#[derive(Clone)]
pub(super) struct Access {
    pub(super) catalog: Catalog,
    pub(super) runtime: Handle,
}

impl Access {
    /// Runs an idempotent statement, again while the catalogue cannot be reached, within [`CLAIM_TIMEOUT`].
    pub(super) fn run<T, F>(
        &self,
        doing: &'static str,
        act: impl Fn(Catalog) -> F + Send + Sync + 'static,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, CatalogError>> + Send + 'static,
    {
        let catalog = self.catalog.clone();
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.runtime.spawn(async move {
            let deadline = Instant::now() + CLAIM_TIMEOUT;
            let outcome = loop {
                match timeout_at(deadline, act(catalog.clone())).await {
                    Ok(Err(error)) if is_temporary(&error) && Instant::now() + RETRY < deadline => {
                        sleep(RETRY).await;
                    }
                    Ok(outcome) => break outcome.map_err(std::io::Error::other),
                    Err(_) => break Err(std::io::ErrorKind::TimedOut.into()),
                }
            };
            // Fails if the thread has ended.
            let _ = sender.send(outcome);
        });
        // The runtime may be ending.
        let outcome = receiver.recv().unwrap_or_else(|_| Err(std::io::ErrorKind::Interrupted.into()));
        outcome.map_err(|source| Error::Io { doing: doing.into(), source })
    }
}

fn is_temporary(error: &CatalogError) -> bool {
    matches!(error, CatalogError::Unavailable(_) | CatalogError::Contended(_) | CatalogError::Busy)
}
