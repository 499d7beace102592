//! PostgreSQL: a pool of connections to one server.

use std::error::Error;
use std::io;
use std::time::Duration;

use bytes::BytesMut;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Config, NoTls};

use super::row::Rows;
use super::value::{Cell, Value};
use crate::{CatalogError, Result};

/// The most connections to the server.
const CONNECTIONS_MAX: usize = 16;
/// How long a caller waits for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long PostgreSQL may leave sent data unacknowledged.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// How long a statement waits for a row lock, and how long an idle transaction keeps its locks.
const LIMITS: &str = "-c lock_timeout=5s -c idle_in_transaction_session_timeout=30s";
/// The advisory lock held while migrating: "jingku" in ASCII.
const SCHEMA_LOCK: i64 = 0x6a69_6e67_6b75;

/// A PostgreSQL database. Connections are opened when first needed.
pub(crate) struct Postgres(Pool);

impl Postgres {
    pub(crate) fn new(url: &str) -> Result<Self> {
        let mut config: Config =
            url.parse().map_err(|error: tokio_postgres::Error| CatalogError::InvalidUrl(error.into()))?;
        config.application_name("jingku").connect_timeout(CONNECT_TIMEOUT).tcp_user_timeout(SILENCE_MAX);
        if config.get_options().is_none() {
            config.options(LIMITS);
        }
        // Fast: replace a closed connection without a round trip to the server, which would double the cost of a read.
        let manager =
            Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS_MAX)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(CONNECT_TIMEOUT))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .build()
            .map_err(|error| CatalogError::Bug(error.into()))?;
        Ok(Self(pool))
    }

    pub(crate) async fn query(&self, sql: &str, params: &[Value<'_>]) -> Result<Rows> {
        query(&self.connection().await?, sql, params).await
    }

    pub(crate) async fn begin(&self) -> Result<Transaction> {
        // Created before BEGIN: if the future is dropped during BEGIN, the connection must be closed.
        let transaction = Transaction { connection: Some(self.connection().await?) };
        transaction.run("BEGIN ISOLATION LEVEL READ COMMITTED").await?;
        Ok(transaction)
    }

    async fn connection(&self) -> Result<Object> {
        self.0.get().await.map_err(|error| match error {
            PoolError::Backend(error) => failure(error),
            error => CatalogError::Unavailable(error.into()),
        })
    }
}

/// A transaction that holds a connection. Each statement sees what was committed before it.
pub(crate) struct Transaction {
    /// Taken when the transaction is finished.
    connection: Option<Object>,
}

impl Transaction {
    pub(crate) async fn query(&mut self, sql: &str, params: &[Value<'_>]) -> Result<Rows> {
        query(self.connection(), sql, params).await
    }

    pub(crate) async fn execute(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        let connection = self.connection();
        let statement = connection.prepare_cached(sql).await.map_err(failure)?;
        connection.execute_raw(&statement, params).await.map_err(failure)
    }

    /// Texts compare by bytes, as in SQLite, whatever the locale of the server.
    pub(crate) async fn define(&mut self, sql: &str) -> Result<()> {
        let sql = sql.replace(" INTEGER", " BIGINT").replace(" TEXT", " TEXT COLLATE \"C\"");
        self.run(&sql).await
    }

    pub(crate) async fn lock_schema(&mut self) -> Result<()> {
        self.run(&format!("SELECT pg_advisory_xact_lock({SCHEMA_LOCK})")).await
    }

    pub(crate) async fn finish(mut self, sql: &str) -> Result<()> {
        self.run(sql).await?;
        // Returns the connection to the pool.
        self.connection = None;
        Ok(())
    }

    async fn run(&self, sql: &str) -> Result<()> {
        self.connection().batch_execute(sql).await.map_err(failure)
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

fn failure(error: tokio_postgres::Error) -> CatalogError {
    let Some(state) = error.code() else {
        let is_network = error.is_closed() || error.source().is_some_and(<dyn Error>::is::<io::Error>);
        return if is_network {
            CatalogError::Unavailable(error.into())
        } else {
            CatalogError::Bug(error.into())
        };
    };
    // The first two characters are the class of the error.
    match (state.code().get(..2).unwrap_or_default(), state) {
        (_, &SqlState::DISK_FULL) => CatalogError::Full(error.into()),
        (_, &SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED) => CatalogError::Damaged(error.into()),
        (_, &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED) => {
            CatalogError::Contended(error.into())
        }
        // Connection, wrong password, no such database, insufficient resources, operator intervention, system error.
        ("08" | "28" | "3D" | "53" | "57" | "58", _) | (_, &SqlState::LOCK_NOT_AVAILABLE) => {
            CatalogError::Unavailable(error.into())
        }
        _ => CatalogError::Bug(error.into()),
    }
}
