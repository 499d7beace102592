//! Carries the entry of a change to the transaction that makes it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::entry::NewAuditEntry;
use crate::Catalog;

tokio::task_local! {
    static CURRENT: Arc<Pending>;
}

/// An entry that is written with the first transaction that commits.
pub(crate) struct Pending {
    entry: NewAuditEntry,
    /// The object that the change creates, once known.
    created: Mutex<Option<String>>,
    is_written: AtomicBool,
}

impl Pending {
    pub(super) fn entry(&self) -> NewAuditEntry {
        let created = self.created.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let subject = created.unwrap_or_else(|| self.entry.subject.clone());
        NewAuditEntry { subject, ..self.entry.clone() }
    }

    pub(super) fn note_written(&self) {
        self.is_written.store(true, Ordering::Relaxed);
    }
}

/// The entry of the change of this task, unless it is written.
pub(super) fn pending() -> Option<Arc<Pending>> {
    let current = CURRENT.try_with(Arc::clone).ok()?;
    (!current.is_written.load(Ordering::Relaxed)).then_some(current)
}

/// Names the object that the change of this task creates.
pub(crate) fn note_created(id: &str) {
    // Most changes of background tasks have no entry.
    let _ = CURRENT.try_with(|current| {
        *current.created.lock().unwrap_or_else(PoisonError::into_inner) = Some(id.to_owned());
    });
}

impl Catalog {
    /// Makes a change. Its first transaction that commits also writes this entry. Also returns whether that has
    /// happened; if not, nothing was changed. A change within another one has no entry of its own.
    ///
    /// Tasks that the change spawns do not count.
    pub async fn audited<T>(&self, entry: NewAuditEntry, change: impl Future<Output = T>) -> (T, bool) {
        if CURRENT.try_with(|_| ()).is_ok() {
            return (change.await, true);
        }
        let pending =
            Arc::new(Pending { entry, created: Mutex::default(), is_written: AtomicBool::default() });
        let outcome = CURRENT.scope(Arc::clone(&pending), change).await;
        (outcome, pending.is_written.load(Ordering::Relaxed))
    }
}
