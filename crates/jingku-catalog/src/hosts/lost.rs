//! Servers that do not come back: what belongs to them ends. The caller has the lease on the name.

use crate::database::{Transaction, row};
use crate::{AccountId, Catalog, Result};

row! {
    /// An unfinished job of a server that is lost.
    struct LostJob {
        id: String = "id",
        account: AccountId = "account_id",
        image_id: String = "image_id",
    }
}

/// Selects the name once for every row of the server `$1` that does not outlast it.
const REMAINING: &str = "SELECT host FROM instances WHERE host = $1
    UNION ALL SELECT host FROM pods WHERE host = $1
    UNION ALL SELECT host FROM uploads WHERE host = $1
    UNION ALL SELECT host FROM jobs WHERE host = $1 AND finished_at IS NULL";

impl Catalog {
    /// Returns whether the catalogue knows a server with the name of this handle, or has rows of one.
    pub async fn is_host_known(&self) -> Result<bool> {
        let sql = format!("SELECT name FROM hosts WHERE name = $1 UNION ALL {REMAINING} LIMIT 1");
        Ok(!self.database.query(&sql, &[(&*self.host).into()]).await?.is_empty())
    }

    /// Ends the jobs of this server, whether they wait or run, as failed. Returns how many there were.
    pub async fn fail_jobs_of_host(&self, reason: &str, now: i64) -> Result<u64> {
        let sql = format!("SELECT {} FROM jobs WHERE host = $1 AND finished_at IS NULL", LostJob::COLUMNS);
        let rows = self.database.scan(AccountId::PLATFORM, &sql, &[(&*self.host).into()]).await?;
        let mut failed = 0;
        for job in &rows.all::<LostJob>("jobs")? {
            let change = |mut transaction: Transaction| async move {
                transaction.bump_revision(job.account).await?;
                let sql = "UPDATE jobs SET finished_at = $2, outcome = 'failed', lease_until = NULL
                           WHERE id = $1 AND finished_at IS NULL";
                if transaction.execute(sql, &[(&job.id).into(), now.into()]).await? == 0 {
                    return transaction.discard(false).await;
                }
                transaction.fail_image(&job.image_id, reason, now).await?;
                transaction.commit(true).await
            };
            failed += u64::from(self.database.write(change).await?);
        }
        Ok(failed)
    }

    /// Lists the ids of the instances of this server.
    pub async fn instances_of_host(&self) -> Result<Vec<String>> {
        let sql = "SELECT id FROM instances WHERE host = $1 ORDER BY id";
        self.database.scan(AccountId::PLATFORM, sql, &[(&*self.host).into()]).await?.all("instances")
    }

    /// Forgets this server with its pods, whose instances are removed, unless other rows of it remain or another process
    /// has the name. Returns whether it is forgotten.
    pub async fn forget_host(&self, session: &str) -> Result<bool> {
        let change = |mut transaction: Transaction| async move {
            let name = [(&*self.host).into()];
            for table in ["pod_ports", "pod_ssh_keys"] {
                let sql = format!(
                    "DELETE FROM {table} WHERE instance_id IN (SELECT instance_id FROM pods WHERE host = $1)"
                );
                transaction.execute(&sql, &name).await?;
            }
            transaction.execute("DELETE FROM pods WHERE host = $1", &name).await?;
            transaction.execute("DELETE FROM transfers WHERE host = $1", &name).await?;
            let sql = "DELETE FROM hosts WHERE name = $1 AND session = $2";
            let is_ours = transaction.execute(sql, &[(&*self.host).into(), session.into()]).await? == 1;
            if !is_ours || transaction.exists(REMAINING, &name).await? {
                return transaction.discard(false).await;
            }
            transaction.commit(true).await
        };
        self.database.write(change).await
    }
}
