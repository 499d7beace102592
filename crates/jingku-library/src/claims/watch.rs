//! How a sweep reads claims and announces what it deletes.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jingku_chunks::{ClaimWatch, Error, Key};

use super::access::Access;
use super::names::{decode, encode};
use super::timing::ANNOUNCED_SECS_MAX;

/// Records read with one statement, of at most 65 KiB.
const RECORDS_MAX: i64 = 256;

pub(super) struct CatalogWatch {
    access: Access,
    owner: String,
    next: Arc<AtomicU64>,
    quarantine_secs: i64,
    /// How many records of each claim were visited.
    visited: HashMap<String, i64>,
    /// The announcement in force.
    announced: Option<Announced>,
}

struct Announced {
    id: String,
    /// Whether deletions may be on their way. Then only the quarantine ends it, unless all were acknowledged.
    is_deleting: bool,
}

impl CatalogWatch {
    pub(super) fn new(access: Access, owner: String, next: Arc<AtomicU64>, quarantine_secs: i64) -> Self {
        Self { access, owner, next, quarantine_secs, visited: HashMap::new(), announced: None }
    }

    fn announce(&mut self, keys: &[Key]) -> Result<(), Error> {
        // A new one for each attempt: a late commit of an earlier one must not count as this one.
        let id = format!("{}-{}", self.owner, self.next.fetch_add(1, Ordering::Relaxed));
        self.announced = Some(Announced { id: id.clone(), is_deleting: false });
        let (names, quarantine_secs) = (encode(keys), self.quarantine_secs);
        self.access.run("announce a sweep", move |catalog| {
            let (id, names) = (id.clone(), names.clone());
            async move { catalog.condemn(&id, &names, quarantine_secs).await }
        })
    }

    fn visit(&mut self, visit: &mut dyn FnMut(Key)) -> Result<(), Error> {
        let doing = "read the claims of writers";
        let claims = self.access.run(doing, |catalog| async move {
            catalog.expire_claims().await?;
            catalog.claims().await
        })?;
        let mut visited = HashMap::new();
        for (id, records) in claims {
            let mut at = self.visited.get(&id).copied().unwrap_or(0);
            while at < records {
                let key = id.clone();
                let found = self.access.run(doing, move |catalog| {
                    let id = key.clone();
                    async move { catalog.claim_records(&id, at, RECORDS_MAX).await }
                })?;
                // The claim has ended meanwhile.
                if found.is_empty() {
                    break;
                }
                for (number, names) in found {
                    decode(&names)?.into_iter().for_each(&mut *visit);
                    at = number;
                }
            }
            visited.insert(id, at);
        }
        self.visited = visited;
        Ok(())
    }

    fn withdraw(&mut self) {
        let Some(Announced { id, .. }) = self.announced.take() else { return };
        let withdrawn = self.access.run("end an announcement", move |catalog| {
            let id = id.clone();
            async move { catalog.acquit(&id).await }
        });
        if let Err(error) = withdrawn {
            // Writers of these objects wait until the quarantine ends.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "cannot withdraw the announcement of a sweep"
            );
        }
    }
}

impl ClaimWatch for CatalogWatch {
    fn pause(&mut self, keys: &[Key], visit: &mut dyn FnMut(Key)) -> Result<(), Error> {
        self.resume();
        // First the announcement, then the claims: a writer does both in the other order, so one of the two sees the other.
        self.announce(keys)?;
        self.visit(visit).inspect_err(|_| self.withdraw())
    }

    fn is_paused(&mut self) -> Result<bool, Error> {
        let Some(announced) = &mut self.announced else { return Ok(false) };
        announced.is_deleting = true;
        let id = announced.id.clone();
        self.access.run("look up the announcement of a sweep", move |catalog| {
            let id = id.clone();
            async move { catalog.is_condemned(&id, ANNOUNCED_SECS_MAX).await }
        })
    }

    fn resume(&mut self) {
        self.withdraw();
    }
}

impl Drop for CatalogWatch {
    fn drop(&mut self) {
        if self.announced.as_ref().is_some_and(|announced| !announced.is_deleting) {
            self.withdraw();
        }
    }
}
