//! The claims of writers in a store of chunks that several machines share: `docs/format/sweep.md`.
//!
//! A claim is in force while its row exists. Only an explicit statement ends it, even if its lease has expired: so the
//! commit of an image verifies that row in its own transaction and needs no clock. Times are those of the database.

use crate::database::Transaction;
use crate::{Catalog, Result};

/// A claim and the number of its records, which a commit verifies.
#[derive(Clone, Copy, Debug)]
pub struct ClaimState<'a> {
    /// The claim.
    pub id: &'a str,
    /// The number of records that its writer has added.
    pub records: i64,
}

impl Catalog {
    /// Begins an empty claim. Repeating it is harmless.
    pub async fn begin_claim(&self, id: &str, owner: &str, lease_secs: i64) -> Result<()> {
        let clock = self.database.clock();
        let sql = format!(
            "INSERT INTO claims (id, owner, records, expires_at) VALUES ($1, $2, 0, {clock} + $3)
             ON CONFLICT (id) DO NOTHING"
        );
        self.database.execute(&sql, &[id.into(), owner.into(), lease_secs.into()]).await.map(drop)
    }

    /// Adds a record, whose numbers count from 1 without gaps. Repeating it is harmless. Returns `false` if the claim has
    /// ended.
    pub async fn add_to_claim(&self, claim: ClaimState<'_>, names: &str) -> Result<bool> {
        let change = |mut transaction: Transaction| async move {
            let number = claim.records;
            let sql = "UPDATE claims SET records = $2 WHERE id = $1 AND records >= $3 AND records <= $2";
            let params = [claim.id.into(), number.into(), (number - 1).into()];
            if transaction.execute(sql, &params).await? == 0 {
                return transaction.discard(false).await;
            }
            let sql = "INSERT INTO claim_records (claim_id, number, names) VALUES ($1, $2, $3)
                       ON CONFLICT (claim_id, number) DO NOTHING";
            transaction.execute(sql, &[claim.id.into(), number.into(), names.into()]).await?;
            transaction.commit(true).await
        };
        self.database.write(change).await
    }

    /// Extends the leases of all claims of a process. Returns how many there are.
    pub async fn renew_claims(&self, owner: &str, lease_secs: i64) -> Result<u64> {
        let clock = self.database.clock();
        let sql = format!("UPDATE claims SET expires_at = {clock} + $2 WHERE owner = $1");
        self.database.execute(&sql, &[owner.into(), lease_secs.into()]).await
    }

    /// Ends a claim. Succeeds if it has ended.
    pub async fn end_claim(&self, id: &str) -> Result<()> {
        let change = |mut transaction: Transaction| async move {
            transaction.execute("DELETE FROM claims WHERE id = $1", &[id.into()]).await?;
            transaction.execute("DELETE FROM claim_records WHERE claim_id = $1", &[id.into()]).await?;
            transaction.commit(()).await
        };
        self.database.write(change).await
    }

    /// Ends the claims whose leases have expired.
    pub async fn expire_claims(&self) -> Result<()> {
        let clock = self.database.clock();
        let expired = format!("SELECT id FROM claims WHERE expires_at < {clock}");
        for id in self.database.query(&expired, &[]).await?.all::<String>("claims")? {
            let change = |mut transaction: Transaction| {
                let id = &id;
                async move {
                    // It may have been renewed. A commit that verifies this row comes before or after this statement.
                    let sql = format!("DELETE FROM claims WHERE id = $1 AND expires_at < {clock}");
                    if transaction.execute(&sql, &[id.into()]).await? > 0 {
                        let sql = "DELETE FROM claim_records WHERE claim_id = $1";
                        transaction.execute(sql, &[id.into()]).await?;
                    }
                    transaction.commit(()).await
                }
            };
            self.database.write(change).await?;
        }
        Ok(())
    }

    /// Returns every claim and the number of its records.
    pub async fn claims(&self) -> Result<Vec<(String, i64)>> {
        self.database.query("SELECT id, records FROM claims ORDER BY id", &[]).await?.all("claims")
    }

    /// Returns the names in up to `max` records of a claim after a number, and the number of the last one.
    pub async fn claim_records(&self, id: &str, after: i64, max: i64) -> Result<Vec<(i64, String)>> {
        let sql = "SELECT number, names FROM claim_records WHERE claim_id = $1 AND number > $2
                   ORDER BY number LIMIT $3";
        self.database.query(sql, &[id.into(), after.into(), max.into()]).await?.all("claim_records")
    }

    /// Announces what a sweep is about to delete. It counts for `secs`, or until [`acquit`](Self::acquit). Repeating it is harmless.
    pub async fn condemn(&self, sweep: &str, names: &str, secs: i64) -> Result<()> {
        let clock = self.database.clock();
        let change = |mut transaction: Transaction| async move {
            let sql = format!("DELETE FROM condemned WHERE ends_at < {clock}");
            transaction.execute(&sql, &[]).await?;
            let sql = format!(
                "INSERT INTO condemned (sweep_id, names, condemned_at, ends_at)
                 VALUES ($1, $2, {clock}, {clock} + $3)
                 ON CONFLICT (sweep_id) DO NOTHING"
            );
            transaction.execute(&sql, &[sweep.into(), names.into(), secs.into()]).await?;
            transaction.commit(()).await
        };
        self.database.write(change).await
    }

    /// Returns whether the announcement of a sweep counts and is at most this old.
    pub async fn is_condemned(&self, sweep: &str, age_secs_max: i64) -> Result<bool> {
        let clock = self.database.clock();
        let sql = format!(
            "SELECT sweep_id FROM condemned
             WHERE sweep_id = $1 AND ends_at >= {clock} AND condemned_at >= {clock} - $2 AND condemned_at <= {clock}"
        );
        Ok(!self.database.query(&sql, &[sweep.into(), age_secs_max.into()]).await?.is_empty())
    }

    /// Returns the names that sweeps have announced.
    pub async fn condemned(&self) -> Result<Vec<String>> {
        let sql = format!("SELECT names FROM condemned WHERE ends_at >= {}", self.database.clock());
        self.database.query(&sql, &[]).await?.all("condemned")
    }

    /// Withdraws the announcement of a sweep, all of whose requests have been answered.
    pub async fn acquit(&self, sweep: &str) -> Result<()> {
        self.database.execute("DELETE FROM condemned WHERE sweep_id = $1", &[sweep.into()]).await.map(drop)
    }

    /// Returns the id of this catalogue in the bucket that it uses: `new`, unless it has one already.
    pub async fn bucket_owner(&self, new: &str) -> Result<String> {
        let change = |mut transaction: Transaction| async move {
            let sql = "INSERT INTO bucket_owner (id) SELECT $1 WHERE NOT EXISTS (SELECT 1 FROM bucket_owner)";
            transaction.lock_schema().await?;
            transaction.execute(sql, &[new.into()]).await?;
            transaction.commit(()).await
        };
        if let Some(known) = self.known_bucket_owner().await? {
            return Ok(known);
        }
        self.database.write(change).await?;
        Ok(self.known_bucket_owner().await?.unwrap_or_default())
    }

    /// Returns the id of this catalogue in the bucket that it uses; `None` if it has never used one.
    pub async fn known_bucket_owner(&self) -> Result<Option<String>> {
        self.database.query("SELECT id FROM bucket_owner", &[]).await?.first("bucket_owner")
    }
}

impl Transaction {
    /// Returns whether a claim is in force and complete. It stays so until the transaction ends.
    pub(crate) async fn holds_claim(&mut self, claim: ClaimState<'_>) -> Result<bool> {
        // Not a SELECT: on PostgreSQL, this locks the row.
        let sql = "UPDATE claims SET records = records WHERE id = $1 AND records = $2";
        Ok(self.execute(sql, &[claim.id.into(), claim.records.into()]).await? == 1)
    }
}
