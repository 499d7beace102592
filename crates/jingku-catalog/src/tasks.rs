//! Tasks that one of several servers does for all, under a lease. Times are those of the database.

use crate::database::{Transaction, row};
use crate::{AccountId, Catalog, Result};

row! {
    /// A task and the server that has or had its lease.
    pub struct Task {
        /// Its name.
        pub name: String = "t.name",
        /// The server.
        pub host: String = "t.host",
        /// The number of the lease.
        pub lease: i64 = "t.lease",
        /// Seconds until the lease ends; negative or 0 if it has ended.
        pub left_secs: i64 = "CASE WHEN t.lease_until = 0 THEN 0 ELSE t.lease_until - c.now END",
    }
}

impl Catalog {
    /// Leases a task to a process for `lease_secs`, unless another one has it. Returns the number of the lease, which is
    /// higher than all before.
    pub async fn lease_task(&self, name: &str, session: &str, lease_secs: i64) -> Result<Option<i64>> {
        let clock = self.database.clock();
        let change = |mut transaction: Transaction| async move {
            let sql = format!(
                "INSERT INTO tasks (name, session, host, lease, lease_until, state)
                 VALUES ($1, $2, $3, 1, {clock} + $4, '')
                 ON CONFLICT (name) DO UPDATE SET
                     session = excluded.session, host = excluded.host, lease = tasks.lease + 1,
                     lease_until = excluded.lease_until
                 WHERE tasks.session = excluded.session OR tasks.lease_until <= {clock}"
            );
            let params = [name.into(), session.into(), (&*self.host).into(), lease_secs.into()];
            if transaction.execute(&sql, &params).await? == 0 {
                return transaction.discard(None).await;
            }
            let lease = transaction.query("SELECT lease FROM tasks WHERE name = $1", &params[..1]).await?;
            let lease: Option<i64> = lease.first("tasks")?;
            transaction.commit(lease).await
        };
        self.database.write(change).await
    }

    /// Renews a lease. Returns `false` if another process has got the task.
    pub async fn renew_task(&self, name: &str, lease: i64, lease_secs: i64) -> Result<bool> {
        let clock = self.database.clock();
        let sql = format!("UPDATE tasks SET lease_until = {clock} + $3 WHERE name = $1 AND lease = $2");
        Ok(self.database.execute(&sql, &[name.into(), lease.into(), lease_secs.into()]).await? == 1)
    }

    /// Ends a lease, so that any process gets the next one.
    pub async fn end_task(&self, name: &str, lease: i64) -> Result<()> {
        let sql = "UPDATE tasks SET session = '', lease_until = 0 WHERE name = $1 AND lease = $2";
        self.database.execute(sql, &[name.into(), lease.into()]).await.map(drop)
    }

    /// Returns the state of a task; empty if it has none.
    pub async fn task_state(&self, name: &str) -> Result<String> {
        let rows = self.database.query("SELECT state FROM tasks WHERE name = $1", &[name.into()]).await?;
        Ok(rows.first("tasks")?.unwrap_or_default())
    }

    /// Replaces the state of a task. With the number of a lease, changes nothing and returns `false` unless that lease is the
    /// last one.
    pub async fn set_task_state(&self, name: &str, lease: Option<i64>, state: &str) -> Result<bool> {
        let params = [name.into(), state.into(), lease.into()];
        let changed = if lease.is_some() {
            let sql = "UPDATE tasks SET state = $2 WHERE name = $1 AND lease = $3";
            self.database.execute(sql, &params).await?
        } else {
            let sql = "INSERT INTO tasks (name, session, host, lease, lease_until, state)
                       VALUES ($1, '', '', 0, 0, $2)
                       ON CONFLICT (name) DO UPDATE SET state = excluded.state";
            self.database.execute(sql, &params[..2]).await?
        };
        Ok(changed == 1)
    }

    /// Lists the tasks by name.
    pub async fn tasks(&self) -> Result<Vec<Task>> {
        let sql = format!(
            "SELECT {} FROM tasks t CROSS JOIN (SELECT {} AS now) c ORDER BY t.name",
            Task::COLUMNS,
            self.database.clock()
        );
        self.database.scan(AccountId::PLATFORM, &sql, &[]).await?.all("tasks")
    }
}
