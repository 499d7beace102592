//! The claims of writers, in the catalogue: for a store that several machines share. docs/format/sweep.md proves that they
//! protect every chunk that a writer relies on.

#[cfg(test)]
mod model;
mod names;
mod watch;
mod writer;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jingku_catalog::{Catalog, CatalogError};
use jingku_chunks::{Claim, ClaimWatch, Claims, DELETE_TIMEOUT, Error, Key};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, timeout_at};

use self::watch::CatalogWatch;
use self::writer::CatalogClaim;

/// How long a claim lasts that its process does not renew, in seconds. A writer whose process stops for longer starts over.
pub(crate) const CLAIM_LEASE_SECS: i64 = 600;
/// How long an announcement of a sweep counts that nobody withdraws, in seconds: longer than any request of that sweep can
/// take effect. [`ANNOUNCED_SECS_MAX`], then [`DELETE_TIMEOUT`], then the 15 minutes by which the clocks of the sweep and
/// the object store may differ, and 8 minutes more.
pub(crate) const QUARANTINE_SECS: i64 = 1800;
/// How long after its announcement a sweep may still send deletions, in seconds.
pub(crate) const ANNOUNCED_SECS_MAX: i64 = 300;
/// The difference of clocks at which object stores reject requests, in seconds.
const SKEW_SECS_MAX: i64 = 900;

const _: () =
    assert!(ANNOUNCED_SECS_MAX.unsigned_abs() + DELETE_TIMEOUT.as_secs() + SKEW_SECS_MAX.unsigned_abs() < 1800);

/// How long claims and announcements count.
#[derive(Clone, Copy)]
pub(crate) struct Timing {
    pub(crate) lease_secs: i64,
    pub(crate) quarantine_secs: i64,
    /// How long a writer waits for a sweep to end.
    pub(crate) wait: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        // What a dead sweep announced ends before that.
        let wait = Duration::from_secs(QUARANTINE_SECS.unsigned_abs() + 60);
        Self { lease_secs: CLAIM_LEASE_SECS, quarantine_secs: QUARANTINE_SECS, wait }
    }
}

/// How often a process renews its claims.
const RENEW: Duration = Duration::from_secs(60);
/// How long a writer or sweep waits for the catalogue.
pub(crate) const CLAIM_TIMEOUT: Duration = Duration::from_secs(60);
/// The pause between two attempts.
const RETRY: Duration = Duration::from_millis(500);

/// Creates claims in a catalogue and renews them until they are dropped.
pub(crate) struct CatalogClaims {
    access: Access,
    /// Identifies this process and this opening of the store.
    owner: String,
    timing: Timing,
    next: Arc<AtomicU64>,
    ended: UnboundedSender<String>,
}

impl CatalogClaims {
    /// Renews leases on the given runtime until all claims are dropped.
    pub(crate) fn start(catalog: &Catalog, owner: String, runtime: Handle) -> Self {
        Self::with_timing(catalog, owner, runtime, Timing::default())
    }

    fn with_timing(catalog: &Catalog, owner: String, runtime: Handle, timing: Timing) -> Self {
        let (ended, endings) = unbounded_channel();
        runtime.spawn(keep(catalog.clone(), owner.clone(), timing.lease_secs, endings));
        let access = Access { catalog: catalog.clone(), runtime };
        Self { access, owner, timing, next: Arc::default(), ended }
    }

    fn next_id(&self) -> String {
        format!("{}-{}", self.owner, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

impl Claims for CatalogClaims {
    fn claim(&self) -> Result<Box<dyn Claim>, Error> {
        let id = self.next_id();
        let (owner, lease_secs) = (self.owner.clone(), self.timing.lease_secs);
        self.access.run("begin a claim", {
            let id = id.clone();
            move |catalog| {
                let (id, owner) = (id.clone(), owner.clone());
                async move { catalog.begin_claim(&id, &owner, lease_secs).await }
            }
        })?;
        Ok(Box::new(CatalogClaim::new(self.access.clone(), id, self.timing.wait, self.ended.clone())))
    }

    fn watch_claims(&self) -> Result<Box<dyn ClaimWatch>, Error> {
        let quarantine_secs = self.timing.quarantine_secs;
        let next = Arc::clone(&self.next);
        Ok(Box::new(CatalogWatch::new(self.access.clone(), self.owner.clone(), next, quarantine_secs)))
    }
}

/// Renews leases and ends claims that were dropped, until all are.
async fn keep(catalog: Catalog, owner: String, lease_secs: i64, mut endings: UnboundedReceiver<String>) {
    let mut tick = tokio::time::interval(RENEW);
    loop {
        tokio::select! {
            ended = endings.recv() => {
                let Some(id) = ended else { return };
                if let Err(error) = catalog.end_claim(&id).await {
                    // It protects some garbage until this process ends.
                    tracing::warn!(error = &error as &dyn std::error::Error, "cannot end a claim");
                }
            }
            _ = tick.tick() => {
                if let Err(error) = catalog.renew_claims(&owner, lease_secs).await {
                    // The next attempt may succeed. If none does, writers find that their claims have expired.
                    tracing::warn!(error = &error as &dyn std::error::Error, "cannot renew the claims of writers");
                }
            }
        }
    }
}

/// Runs statements for threads that wait for them.
#[derive(Clone)]
struct Access {
    catalog: Catalog,
    runtime: Handle,
}

impl Access {
    /// Runs an idempotent statement, again while the catalogue cannot be reached, within [`CLAIM_TIMEOUT`].
    fn run<T, F>(
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
                    Ok(Err(error)) if is_temporary(&error) && Instant::now() + RETRY < deadline => sleep(RETRY).await,
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

/// The claims of a library that changes nothing. Nothing protects what it reads.
pub(crate) struct NoClaims;

impl Claims for NoClaims {
    fn claim(&self) -> Result<Box<dyn Claim>, Error> {
        Ok(Box::new(Self))
    }

    fn watch_claims(&self) -> Result<Box<dyn ClaimWatch>, Error> {
        Ok(Box::new(Self))
    }
}

impl Claim for NoClaims {
    fn add(&self, _: &[Key]) -> Result<(), Error> {
        Ok(())
    }
}

impl ClaimWatch for NoClaims {
    fn pause(&mut self, _: &[Key], _: &mut dyn FnMut(Key)) -> Result<(), Error> {
        Ok(())
    }

    /// Nothing may be deleted.
    fn is_paused(&mut self) -> Result<bool, Error> {
        Ok(false)
    }

    fn resume(&mut self) {}
}
