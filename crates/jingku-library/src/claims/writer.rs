//! The claim of one writer.

use std::collections::HashSet;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jingku_catalog::ClaimState;
use jingku_chunks::{Claim, ClaimTicket, Error, Key};
use tokio::sync::mpsc::UnboundedSender;

use super::access::Access;
use super::names::{decode, encode};

/// The most names in one record: 65 KiB.
const RECORD_NAMES_MAX: usize = 1024;
/// The pause before a writer looks again whether a sweep has finished with an object.
const POLL: Duration = Duration::from_millis(100);

/// Adds what several threads claim at the same time with one transaction: while one is being committed, the others collect
/// the next.
pub(super) struct CatalogClaim {
    access: Access,
    id: String,
    /// How long it waits for a sweep to end.
    wait: Duration,
    state: Mutex<State>,
    committed: Condvar,
    ended: UnboundedSender<String>,
}

#[derive(Default)]
struct State {
    /// Names of the next transaction, and its number.
    collected: Vec<Key>,
    batch: u64,
    /// The number of committed transactions.
    committed: u64,
    is_committing: bool,
    /// Records in the catalogue.
    records: i64,
    /// After a failure, some name that a thread relies on may be missing.
    failed: Option<Failure>,
}

#[derive(Clone)]
enum Failure {
    Expired,
    Other(String),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Expired => Self::ClaimExpired,
            Failure::Other(why) => Self::Io { doing: "claim objects".into(), source: io::Error::other(why) },
        }
    }
}

impl CatalogClaim {
    pub(super) fn new(access: Access, id: String, wait: Duration, ended: UnboundedSender<String>) -> Self {
        Self { access, id, wait, state: Mutex::default(), committed: Condvar::new(), ended }
    }

    /// A panic leaves the state usable: a thread that panics while it commits leaves `is_committing`, and others time out.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the names are in the catalogue.
    fn record(&self, keys: &[Key]) -> Result<(), Error> {
        let mut state = self.lock();
        state.collected.extend_from_slice(keys);
        let batch = state.batch;
        loop {
            if let Some(failure) = &state.failed {
                return Err(failure.clone().into());
            }
            if state.committed > batch {
                return Ok(());
            }
            if state.is_committing {
                state = self.committed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.is_committing = true;
            state.batch += 1;
            let (names, records) = (std::mem::take(&mut state.collected), state.records);
            drop(state);
            let added = self.commit(&names, records);
            state = self.lock();
            state.is_committing = false;
            match added {
                Ok(records) => {
                    state.records = records;
                    state.committed += 1;
                }
                Err(Error::ClaimExpired) => state.failed = Some(Failure::Expired),
                Err(error) => state.failed = Some(Failure::Other(error.to_string())),
            }
            self.committed.notify_all();
        }
    }

    /// Adds records and returns their new number.
    fn commit(&self, names: &[Key], mut records: i64) -> Result<i64, Error> {
        for names in names.chunks(RECORD_NAMES_MAX) {
            records += 1;
            let (id, names) = (self.id.clone(), encode(names));
            let added = self.access.run("claim objects", move |catalog| {
                let (id, names) = (id.clone(), names.clone());
                async move { catalog.add_to_claim(ClaimState { id: &id, records }, &names).await }
            })?;
            if !added {
                return Err(Error::ClaimExpired);
            }
        }
        Ok(records)
    }

    /// Waits until no sweep is about to delete any of these objects. Called after they were claimed.
    fn wait_for_sweeps(&self, keys: &[Key]) -> Result<(), Error> {
        let keys: HashSet<Key> = keys.iter().copied().collect();
        let started = Instant::now();
        loop {
            let condemned =
                self.access.run("look for sweeps", |catalog| async move { catalog.condemned().await })?;
            let mut is_free = true;
            for names in condemned {
                is_free &= decode(&names)?.iter().all(|key| !keys.contains(key));
            }
            if is_free {
                return Ok(());
            }
            if started.elapsed() >= self.wait {
                let source = io::Error::other("a sweep does not end");
                return Err(Error::Io { doing: "claim objects".into(), source });
            }
            std::thread::sleep(POLL);
        }
    }
}

impl Claim for CatalogClaim {
    fn add(&self, keys: &[Key]) -> Result<(), Error> {
        if keys.is_empty() {
            return Ok(());
        }
        self.record(keys)?;
        self.wait_for_sweeps(keys)
    }

    fn ticket(&self) -> Option<ClaimTicket> {
        Some(ClaimTicket { id: self.id.clone(), records: self.lock().records })
    }
}

impl Drop for CatalogClaim {
    fn drop(&mut self) {
        // Fails if the runtime has ended. Then the claim expires.
        let _ = self.ended.send(self.id.clone());
    }
}
