//! The claims of writers, in the catalogue: for a store that several machines share. docs/format/sweep.md proves that they
//! protect every chunk that a writer relies on.

mod access;
#[cfg(test)]
mod model;
mod names;
mod timing;
mod watch;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jingku_catalog::Catalog;
use jingku_chunks::{Claim, ClaimWatch, Claims, Error, Key};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use self::access::Access;
use self::timing::Timing;
use self::watch::CatalogWatch;
use self::writer::CatalogClaim;

/// How often a process renews its claims.
const RENEW: Duration = Duration::from_mins(1);

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
