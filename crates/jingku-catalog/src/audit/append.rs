//! Appends to the chain.

use futures::future::BoxFuture;

use super::entry::{AuditEntry, NewAuditEntry};
use super::scope::pending;
use crate::database::Transaction;
use crate::{Catalog, CatalogError, Result};

impl Transaction {
    /// Writes the entry of the change, if it has one, makes the changes durable and visible, then returns `outcome`.
    pub(crate) async fn commit<T>(mut self, outcome: T) -> Result<T> {
        let Some(pending) = pending() else { return self.commit_only(outcome).await };
        self.append(&pending.entry()).await?;
        let outcome = self.commit_only(outcome).await?;
        pending.note_written();
        Ok(outcome)
    }

    /// Locks the head until the transaction ends, so it comes after all other statements: no deadlock, and others wait only
    /// for the commit.
    fn append<'a>(&'a mut self, new: &'a NewAuditEntry) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let sql = "UPDATE audit_head SET entries = entries + 1 RETURNING entries, hash";
            let head: Option<(i64, String)> = self.query(sql, &[]).await?.first("audit_head")?;
            let (seq, previous) =
                head.ok_or_else(|| CatalogError::Bug("the audit log has no head".into()))?;
            let entry = new.chained(seq, previous);
            let AuditEntry { time, account, channel, public_key, address, action, subject, .. } = &entry;
            let sql =
                "INSERT INTO audit_entries (seq, time, account_id, channel, public_key, address, action, subject,
                                                  ret_code, request_id, previous, hash)
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
            let params = [
                seq.into(),
                (*time).into(),
                (*account).into(),
                channel.into(),
                public_key.into(),
                address.into(),
                action.into(),
                subject.into(),
                entry.ret_code.into(),
                (&entry.request_id).into(),
                (&entry.previous).into(),
                (&entry.hash).into(),
            ];
            self.execute(sql, &params).await?;
            self.execute("UPDATE audit_head SET hash = $1", &[(&entry.hash).into()]).await.map(drop)
        })
    }
}

impl Catalog {
    /// Appends an entry without a change, such as that of a refused request.
    pub async fn append_audit_entry(&self, entry: &NewAuditEntry) -> Result<()> {
        let change = |mut transaction: Transaction| async move {
            transaction.append(entry).await?;
            transaction.commit_only(()).await
        };
        self.database.write(change).await
    }
}
