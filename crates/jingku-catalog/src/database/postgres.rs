//! PostgreSQL: a pool of connections to one database.

mod address;
mod failure;
mod password_file;
mod tls;

use std::error::Error;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::BytesMut;
use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::NoTls;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::row::Rows;
use super::value::{Cell, Value};
use crate::{CatalogError, Result};
use address::Address;
use failure::{failure, is_lost};

/// The most connections to PostgreSQL.
pub const POSTGRES_CONNECTIONS_MAX: usize = 16;
/// How long a request waits for a connection to PostgreSQL, also while the server restarts or is replaced.
pub const POSTGRES_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a request waits for the answer to a statement. PostgreSQL itself ends a statement earlier: see `LIMITS`.
pub const POSTGRES_ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// The pause before another attempt to connect.
const CONNECT_PAUSE: Duration = Duration::from_millis(100);
/// How long PostgreSQL may leave sent data unacknowledged.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// An idle connection is probed after this time, so that a server that disappeared is noticed.
const KEEPALIVE: Duration = Duration::from_secs(10);
/// How long a statement waits for a row lock and runs, and how long an idle transaction keeps its locks; see also `PLANS`.
const LIMITS: &str = "-c lock_timeout=5s -c statement_timeout=15s -c idle_in_transaction_session_timeout=30s";
/// Plans a prepared statement once for any values. By default, PostgreSQL plans a statement with a parameter in LIMIT at
/// every execution, which takes more time than running it. SQLite too plans without values.
const PLANS: &str = "-c plan_cache_mode=force_generic_plan";
/// The advisory lock held while migrating: "jingku" in ASCII.
const SCHEMA_LOCK: i64 = 0x6a69_6e67_6b75;

/// A PostgreSQL database. Connections are opened when first needed.
pub(crate) struct Postgres {
    pool: Pool,
    /// The id that the database must have. Compared on every new connection, which may lead elsewhere than the last.
    store_id: Arc<OnceLock<String>>,
}

impl Postgres {
    /// Takes a URL and a file with passwords, as [`Catalog::connect_postgres`](crate::Catalog::connect_postgres).
    pub(crate) fn new(url: &str, password_file: Option<&Path>) -> Result<Self> {
        let Address { mut config, tls } = Address::parse(url, password_file)?;
        config.application_name("jingku").connect_timeout(POSTGRES_CONNECT_TIMEOUT);
        config.tcp_user_timeout(SILENCE_MAX).keepalives_idle(KEEPALIVE).keepalives_interval(KEEPALIVE);
        // Of several servers in the URL, the one that accepts changes.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        if config.get_options().is_none() {
            config.options(format!("{LIMITS} {PLANS}"));
        }
        // Fast: replace a closed connection without a round trip to the server, which would double the cost of a read.
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match tls {
            None => Manager::from_config(config, NoTls, recycling),
            Some(files) => {
                let connector = tls::connector(&files).map_err(CatalogError::InvalidUrl)?;
                Manager::from_config(config, connector, recycling)
            }
        };
        let store_id: Arc<OnceLock<String>> = Arc::default();
        let pool = Pool::builder(manager)
            .max_size(POSTGRES_CONNECTIONS_MAX)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(POSTGRES_CONNECT_TIMEOUT))
            .create_timeout(Some(POSTGRES_CONNECT_TIMEOUT))
            .post_create(check_store_id(Arc::clone(&store_id)))
            .build()
            .map_err(|error| CatalogError::Bug(error.into()))?;
        Ok(Self { pool, store_id })
    }

    /// Refuses from now on every connection to a database with another store id.
    pub(crate) fn require_store_id(&self, id: &str) {
        // The first id stays.
        let _ = self.store_id.set(id.to_owned());
    }

    /// Runs a read-only statement. It is repeated if the connection is lost.
    pub(crate) async fn query(&self, sql: &str, params: &[Value<'_>]) -> Result<Rows> {
        let begun = Instant::now();
        loop {
            let connection = self.connection().await?;
            match answered(query(&connection, sql, params)).await {
                Err(error) if is_lost(&error) && begun.elapsed() < POSTGRES_CONNECT_TIMEOUT => {
                    drop(Object::take(connection));
                }
                Err(error @ CatalogError::Unavailable(_)) => {
                    // It may never answer.
                    drop(Object::take(connection));
                    return Err(error);
                }
                result => return result,
            }
        }
    }

    pub(crate) async fn begin(&self) -> Result<Transaction> {
        self.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await
    }

    /// Begins a transaction all of whose statements see one snapshot.
    pub(crate) async fn begin_snapshot(&self) -> Result<Transaction> {
        self.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    async fn begin_with(&self, sql: &str) -> Result<Transaction> {
        // Created before BEGIN: if the future is dropped during BEGIN, the connection must be closed.
        let transaction = Transaction { connection: Some(self.connection().await?) };
        transaction.run(sql).await?;
        Ok(transaction)
    }

    /// Whether a failed change can be repeated on another connection: it was not committed.
    pub(crate) fn may_repeat(error: &CatalogError) -> bool {
        is_lost(error)
    }

    /// Waits for a connection while the server cannot be reached.
    async fn connection(&self) -> Result<Object> {
        let begun = Instant::now();
        loop {
            // The pool does not limit how long the store id is asked for.
            let silent = |_| CatalogError::Unavailable("PostgreSQL does not answer".into());
            let error = match timeout(POSTGRES_ANSWER_TIMEOUT, self.pool.get()).await.map_err(silent)? {
                Ok(connection) => return Ok(connection),
                Err(PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error))) => {
                    failure(error)
                }
                Err(PoolError::PostCreateHook(HookError::Message(found))) => {
                    return Err(CatalogError::unexpected_store(&found));
                }
                Err(error) => return Err(CatalogError::Unavailable(error.into())),
            };
            if !is_lost(&error) || begun.elapsed() + CONNECT_PAUSE >= POSTGRES_CONNECT_TIMEOUT {
                return Err(error);
            }
            sleep(CONNECT_PAUSE).await;
        }
    }
}

/// Compares the id of the database on a new connection.
fn check_store_id(required: Arc<OnceLock<String>>) -> Hook {
    Hook::async_fn(move |client, _| {
        let required = Arc::clone(&required);
        Box::pin(async move {
            let Some(required) = required.get() else { return Ok(()) };
            let row = client.query_one("SELECT store_id FROM counters", &[]).await;
            let found: String = row.and_then(|row| row.try_get(0)).map_err(HookError::Backend)?;
            if found == *required { Ok(()) } else { Err(HookError::message(found)) }
        })
    })
}

/// Waits for the answer of a server that may never answer.
async fn answered<T>(answer: impl Future<Output = Result<T>>) -> Result<T> {
    let silent = || CatalogError::Unavailable("PostgreSQL does not answer".into());
    timeout(POSTGRES_ANSWER_TIMEOUT, answer).await.map_err(|_| silent())?
}

/// A transaction that holds a connection. Each statement sees what was committed before it.
pub(crate) struct Transaction {
    /// Taken when the transaction is finished.
    connection: Option<Object>,
}

impl Transaction {
    pub(crate) async fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Rows> {
        answered(query(self.connection(), sql, params)).await
    }

    pub(crate) async fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        let connection = self.connection();
        answered(async {
            let statement = connection.prepare_cached(sql).await.map_err(failure)?;
            connection.execute_raw(&statement, params).await.map_err(failure)
        })
        .await
    }

    /// Texts compare by bytes, as in SQLite, whatever the locale of the server.
    pub(crate) async fn define(&mut self, sql: &str) -> Result<()> {
        let sql = sql.replace(" INTEGER", " BIGINT").replace(" TEXT", " TEXT COLLATE \"C\"");
        self.connection().batch_execute(&sql).await.map_err(failure)
    }

    /// A migration takes as long as it takes, and other servers wait for it.
    pub(crate) async fn lock_schema(&mut self) -> Result<()> {
        let sql = format!(
            "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;
             SELECT pg_advisory_xact_lock({SCHEMA_LOCK})"
        );
        self.connection().batch_execute(&sql).await.map_err(failure)
    }

    /// Fails with [`CatalogError::Unconfirmed`] if the connection is lost or the server does not answer.
    pub(crate) async fn commit(self) -> Result<()> {
        self.finish("COMMIT").await.map_err(|error| match error {
            CatalogError::Unavailable(source) => CatalogError::Unconfirmed(source),
            error => error,
        })
    }

    pub(crate) async fn roll_back(self) -> Result<()> {
        self.finish("ROLLBACK").await
    }

    async fn finish(mut self, sql: &str) -> Result<()> {
        self.run(sql).await?;
        // Returns the connection to the pool.
        self.connection = None;
        Ok(())
    }

    async fn run(&self, sql: &str) -> Result<()> {
        answered(async { self.connection().batch_execute(sql).await.map_err(failure) }).await
    }

    fn connection(&self) -> &Object {
        self.connection.as_ref().expect("taken only by finish, which consumes the transaction")
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            // Closing the connection makes the server roll back.
            drop(Object::take(connection));
        }
    }
}

async fn query(connection: &Object, sql: &str, params: &[Value<'_>]) -> Result<Rows> {
    let statement = connection.prepare_cached(sql).await.map_err(failure)?;
    let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|param| param as _).collect();
    let rows = connection.query(&statement, &params).await.map_err(failure)?;
    rows.iter().map(cells).collect::<Result<_>>().map(Rows)
}

fn cells(row: &tokio_postgres::Row) -> Result<Vec<Cell>> {
    let cell = |(index, column): (usize, &tokio_postgres::Column)| match *column.type_() {
        Type::INT8 => row.try_get::<_, Option<i64>>(index).map(Cell::from),
        _ => row.try_get::<_, Option<String>>(index).map(Cell::from),
    };
    row.columns().iter().enumerate().map(cell).collect::<std::result::Result<_, _>>().map_err(failure)
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Value::Null => Ok(IsNull::Yes),
            Value::Integer(value) => value.to_sql_checked(ty, out),
            Value::Text(value) => value.to_sql_checked(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
