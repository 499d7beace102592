//! Verifies the chain.

use super::entry::AuditEntry;
use crate::database::{Transaction, row};
use crate::{Catalog, CatalogError, Result};

/// The most findings that are reported.
const FINDINGS_MAX: usize = 100;
/// Entries read at once.
const PAGE_ROWS: i64 = 1000;

row! {
    /// The ends of the chain.
    pub struct AuditHead {
        /// The number of the last entry: how many there were ever.
        pub entries: i64 = "h.entries",
        /// Its hash; empty without one.
        pub hash: String = "h.hash",
        /// The number of the last entry that was removed by age.
        pub removed: i64 = "h.removed",
        /// Its hash, from which the first kept entry continues; empty without one.
        pub base: String = "h.base",
    }
}

/// An entry that was noted outside the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditNote {
    /// Its number.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
}

/// What is wrong with the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditFinding {
    /// A field of this entry was changed: its hash is not that of its fields.
    Changed(i64),
    /// These entries are missing.
    Missing {
        /// The first.
        first: i64,
        /// The last.
        last: i64,
    },
    /// This entry does not continue the one before it: one of them was replaced or inserted.
    Unlinked(i64),
    /// The last entry is not the one of the head: entries were appended, or the last one or the head was replaced.
    Head(i64),
    /// The noted entry has another hash: the log was rewritten since.
    Rewritten(i64),
    /// The noted entry is not in the log, which has fewer entries: they were removed since, or an older catalogue was
    /// restored.
    Shorter(i64),
    /// The noted entry was removed by age, so it cannot be compared.
    Expired(i64),
}

/// The result of [`Catalog::verify_audit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedAudit {
    /// The ends of the chain.
    pub head: AuditHead,
    /// How many entries were read.
    pub read: u64,
    /// What is wrong, at most 100 findings.
    pub findings: Vec<AuditFinding>,
}

impl Catalog {
    /// Reads the whole audit log of one moment and verifies that no entry is missing or changed. With the note of an
    /// entry, also that the log still contains it.
    pub async fn verify_audit(&self, note: Option<&AuditNote>) -> Result<VerifiedAudit> {
        let mut snapshot = self.database.begin_snapshot().await?;
        let sql = format!("SELECT {} FROM audit_head h", AuditHead::COLUMNS);
        let head: Option<AuditHead> = snapshot.query(&sql, &[]).await?.first("audit_head")?;
        let head = head.ok_or_else(|| CatalogError::Bug("the audit log has no head".into()))?;
        let mut walk = Walk::new(&head, note);
        let mut after = i64::MIN;
        loop {
            let entries = read(&mut snapshot, after).await?;
            let Some(last) = entries.last() else { break };
            after = last.seq;
            for entry in &entries {
                walk.visit(entry);
            }
            // Reading may take long: others use the runtime meanwhile.
            tokio::task::yield_now().await;
        }
        let (read, findings) = walk.finish();
        snapshot.discard(VerifiedAudit { head, read, findings }).await
    }
}

async fn read(snapshot: &mut Transaction, after: i64) -> Result<Vec<AuditEntry>> {
    let columns = AuditEntry::COLUMNS;
    let sql = format!("SELECT {columns} FROM audit_entries e WHERE e.seq > $1 ORDER BY e.seq LIMIT $2");
    snapshot.query(&sql, &[after.into(), PAGE_ROWS.into()]).await?.all("audit_entries")
}

/// Follows the chain from its start.
struct Walk<'a> {
    head: &'a AuditHead,
    note: Option<&'a AuditNote>,
    /// The number and the hash before of the next entry; no hash after missing ones.
    next: i64,
    previous: Option<String>,
    last_hash: String,
    read: u64,
    findings: Vec<AuditFinding>,
}

impl<'a> Walk<'a> {
    fn new(head: &'a AuditHead, note: Option<&'a AuditNote>) -> Self {
        let (next, previous) = (head.removed + 1, Some(head.base.clone()));
        let mut walk =
            Self { head, note, next, previous, last_hash: head.base.clone(), read: 0, findings: Vec::new() };
        if let Some(note) = note.filter(|note| note.seq <= head.removed) {
            if note.seq < head.removed {
                walk.find(AuditFinding::Expired(note.seq));
            } else if note.hash != head.base {
                walk.find(AuditFinding::Rewritten(note.seq));
            }
        }
        walk
    }

    fn find(&mut self, finding: AuditFinding) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding);
        }
    }

    fn visit(&mut self, entry: &AuditEntry) {
        self.read += 1;
        if entry.seq > self.next {
            self.find(AuditFinding::Missing { first: self.next, last: entry.seq - 1 });
            self.previous = None;
        }
        if entry.compute_hash() != entry.hash {
            self.find(AuditFinding::Changed(entry.seq));
        }
        if entry.seq < self.next || self.previous.as_ref().is_some_and(|hash| *hash != entry.previous) {
            self.find(AuditFinding::Unlinked(entry.seq));
        }
        if self.note.is_some_and(|note| note.seq == entry.seq && note.hash != entry.hash) {
            self.find(AuditFinding::Rewritten(entry.seq));
        }
        self.next = self.next.max(entry.seq.saturating_add(1));
        self.previous = Some(entry.hash.clone());
        self.last_hash.clone_from(&entry.hash);
    }

    fn finish(mut self) -> (u64, Vec<AuditFinding>) {
        let entries = self.head.entries;
        if self.next <= entries {
            self.find(AuditFinding::Missing { first: self.next, last: entries });
        } else if self.next > entries + 1 || self.last_hash != self.head.hash {
            self.find(AuditFinding::Head(self.next - 1));
        }
        if let Some(note) = self.note.filter(|note| note.seq > entries) {
            self.find(AuditFinding::Shorter(note.seq));
        }
        (self.read, self.findings)
    }
}
