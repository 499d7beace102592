//! The servers that share a catalogue. Each renews a lease on its name. Times are those of the database.

mod lost;

use crate::database::{Transaction, row};
use crate::migrations::MIGRATIONS;
use crate::{AccountId, Catalog, Result};

/// The tables whose rows belong to a server.
const TABLES_OF_HOSTS: [&str; 4] = ["instances", "jobs", "uploads", "pods"];

row! {
    /// A server that uses the catalogue, or has used it.
    pub struct Host {
        /// Its name.
        pub name: String = "h.name",
        /// The version of its program.
        pub version: String = "h.version",
        /// The version of the schema that its program knows.
        pub schema_version: i64 = "h.schema_version",
        /// The base URL at which the other servers reach it.
        pub address: String = "h.address",
        /// When it started.
        pub started_at: i64 = "h.started_at",
        /// Seconds since it last renewed its lease.
        pub seen_secs: i64 = "c.now - h.seen_at",
        /// Whether its lease is valid.
        pub is_live: bool = "CAST(CASE WHEN h.lease_until > c.now THEN 1 ELSE 0 END AS BIGINT)",
        /// The instances that it sees.
        pub instances: i64 = "(SELECT COUNT(*) FROM instances WHERE host = h.name)",
        /// The uploads whose files it has.
        pub uploads: i64 = "(SELECT COUNT(*) FROM uploads WHERE host = h.name)",
        /// Its jobs that wait.
        pub waiting_jobs: i64 = "(SELECT COUNT(*) FROM jobs WHERE host = h.name AND finished_at IS NULL
             AND (lease_until IS NULL OR lease_until <= c.now))",
        /// Its jobs that run.
        pub running_jobs: i64 = "(SELECT COUNT(*) FROM jobs WHERE host = h.name AND finished_at IS NULL
             AND lease_until > c.now)",
    }
}

/// A server that starts.
#[derive(Clone, Copy, Debug)]
pub struct NewHost<'a> {
    /// Identifies its data directory.
    pub node: &'a str,
    /// Identifies the process.
    pub session: &'a str,
    /// The version of the program.
    pub version: &'a str,
    /// The base URL at which the other servers reach it; empty if not known yet.
    pub address: &'a str,
    /// Whether the rows of no server belong to it: they were added when the catalogue had one server.
    pub adopts: bool,
}

/// The outcome of [`Catalog::register_host`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisterHost {
    /// The server has the name, and the rows of the server that had it before.
    Registered,
    /// A server with another data directory has the name.
    InUse {
        /// Its base URL.
        address: String,
        /// Seconds since it last renewed its lease.
        seen_secs: i64,
    },
}

impl Catalog {
    /// Returns a handle for a server of this name: it sees the jobs, uploads, containers and pods of that server only, and
    /// adds new ones to it. The default is the empty name, that of the only server.
    #[must_use]
    pub fn with_host(self, name: &str) -> Self {
        Self { host: name.into(), ..self }
    }

    /// Returns the name of the server that this handle is for.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Leases the name of this handle to a server for `lease_secs`, unless a server with another data directory has it. A
    /// data directory has one name: what belongs to a former one moves along.
    pub async fn register_host(&self, new: NewHost<'_>, lease_secs: i64) -> Result<RegisterHost> {
        let (clock, name) = (self.database.clock(), &*self.host);
        let schema_version = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        let change = |mut transaction: Transaction| async move {
            let sql = format!(
                "INSERT INTO hosts
                     (name, node, session, version, schema_version, address, started_at, seen_at, lease_until)
                 VALUES ($1, $2, $3, $4, $5, $6, {clock}, {clock}, {clock} + $7)
                 ON CONFLICT (name) DO UPDATE SET
                     node = excluded.node, session = excluded.session, version = excluded.version,
                     schema_version = excluded.schema_version, address = excluded.address,
                     started_at = excluded.started_at, seen_at = excluded.seen_at, lease_until = excluded.lease_until
                 WHERE hosts.node = excluded.node OR hosts.lease_until <= {clock}"
            );
            let params = [
                name.into(),
                new.node.into(),
                new.session.into(),
                new.version.into(),
                schema_version.into(),
                new.address.into(),
                lease_secs.into(),
            ];
            if transaction.execute(&sql, &params).await? == 0 {
                let sql = format!("SELECT address, {clock} - seen_at FROM hosts WHERE name = $1");
                let holder = transaction.query(&sql, &[name.into()]).await?.first("hosts")?;
                let (address, seen_secs) = holder.unwrap_or_default();
                return transaction.discard(RegisterHost::InUse { address, seen_secs }).await;
            }
            let sql = "SELECT name FROM hosts WHERE node = $1 AND name <> $2";
            let mut former: Vec<String> =
                transaction.query(sql, &[new.node.into(), name.into()]).await?.all("hosts")?;
            for former in &former {
                transaction.execute("DELETE FROM hosts WHERE name = $1", &[former.into()]).await?;
            }
            former.extend(new.adopts.then(String::new));
            for former in &former {
                transaction.move_rows(former, name).await?;
            }
            transaction.commit(RegisterHost::Registered).await
        };
        self.database.write(change).await
    }

    /// Renews the lease of a process on its name. Returns `false` if another one has the name.
    pub async fn renew_host(&self, session: &str, address: &str, lease_secs: i64) -> Result<bool> {
        let clock = self.database.clock();
        let sql = format!(
            "UPDATE hosts SET seen_at = {clock}, lease_until = {clock} + $3, address = $4
             WHERE name = $1 AND session = $2"
        );
        let params = [(&*self.host).into(), session.into(), lease_secs.into(), address.into()];
        Ok(self.database.execute(&sql, &params).await? == 1)
    }

    /// Ends the lease of a process on its name, and its leases on tasks.
    pub async fn leave_host(&self, session: &str) -> Result<()> {
        let change = |mut transaction: Transaction| async move {
            let params = [session.into()];
            transaction.execute("UPDATE hosts SET lease_until = 0 WHERE session = $1", &params).await?;
            let sql = "UPDATE tasks SET session = '', lease_until = 0 WHERE session = $1";
            transaction.execute(sql, &params).await?;
            transaction.commit(()).await
        };
        self.database.write(change).await
    }

    /// Lists the servers by name.
    pub async fn hosts(&self) -> Result<Vec<Host>> {
        let sql = format!(
            "SELECT {} FROM hosts h CROSS JOIN (SELECT {} AS now) c ORDER BY h.name",
            Host::COLUMNS,
            self.database.clock()
        );
        self.database.scan(AccountId::PLATFORM, &sql, &[]).await?.all("hosts")
    }

    /// Returns the base URL of a live server; `None` if it does not live.
    pub async fn host_address(&self, name: &str) -> Result<Option<String>> {
        let clock = self.database.clock();
        let sql =
            format!("SELECT address FROM hosts WHERE name = $1 AND lease_until > {clock} AND address <> ''");
        self.database.query(&sql, &[name.into()]).await?.first("hosts")
    }

    /// Gives every row to the only server: those of a catalogue that several servers shared before it was restored into a
    /// file.
    pub async fn adopt_all(&self) -> Result<()> {
        let others = TABLES_OF_HOSTS.map(|table| format!("SELECT host FROM {table} WHERE host <> ''"));
        let sql = format!("SELECT host FROM ({}) AS others LIMIT 1", others.join(" UNION ALL "));
        if self.database.query(&sql, &[]).await?.is_empty() {
            return Ok(());
        }
        let change = |mut transaction: Transaction| async move {
            for table in TABLES_OF_HOSTS {
                let sql = format!("UPDATE {table} SET host = '' WHERE host <> ''");
                transaction.execute(&sql, &[]).await?;
            }
            transaction.commit(()).await
        };
        self.database.write(change).await
    }
}

impl Transaction {
    /// Gives what belongs to one server to another.
    async fn move_rows(&mut self, from: &str, to: &str) -> Result<()> {
        for table in TABLES_OF_HOSTS {
            let sql = format!("UPDATE {table} SET host = $1 WHERE host = $2");
            self.execute(&sql, &[to.into(), from.into()]).await?;
        }
        Ok(())
    }
}
