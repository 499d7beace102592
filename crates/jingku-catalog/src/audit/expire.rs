//! Removes old entries from the start of the chain.

use crate::database::Transaction;
use crate::{Catalog, CatalogError, Result};

impl Catalog {
    /// Removes the first entries of the audit log that are older than `before`, at most `limit`, and keeps the hash from
    /// which the rest continues. Returns their number.
    ///
    /// An entry that is younger keeps all that follow it: times may go back when a clock is set.
    pub async fn expire_audit(&self, before: i64, limit: u32) -> Result<u64> {
        let change = |mut transaction: Transaction| async move {
            // Locks the head.
            let sql = "UPDATE audit_head SET removed = removed RETURNING removed";
            let removed: Option<i64> = transaction.query(sql, &[]).await?.first("audit_head")?;
            let removed = removed.ok_or_else(|| CatalogError::Bug("the audit log has no head".into()))?;
            let sql = "SELECT seq, time, hash FROM audit_entries WHERE seq > $1 ORDER BY seq LIMIT $2";
            let params = [removed.into(), i64::from(limit).into()];
            let first: Vec<(i64, i64, String)> =
                transaction.query(sql, &params).await?.all("audit_entries")?;
            let expired: Vec<_> = first.into_iter().take_while(|(_, time, _)| *time < before).collect();
            let Some((seq, _, hash)) = expired.last() else { return transaction.discard(0).await };
            let sql = "UPDATE audit_head SET removed = $1, base = $2";
            transaction.execute(sql, &[(*seq).into(), hash.into()]).await?;
            let sql = "DELETE FROM audit_entries WHERE seq <= $1";
            let deleted = transaction.execute(sql, &[(*seq).into()]).await?;
            transaction.commit(deleted).await
        };
        self.database.write(change).await
    }
}
