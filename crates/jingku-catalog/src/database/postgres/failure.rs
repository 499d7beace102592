//! What an error of PostgreSQL means for the caller.

use std::error::Error;
use std::io;

use tokio_postgres::error::SqlState;

use crate::CatalogError;

pub(super) fn failure(error: tokio_postgres::Error) -> CatalogError {
    let Some(state) = error.code() else {
        return if is_network(&error) {
            CatalogError::Unavailable(error.into())
        } else {
            CatalogError::Bug(error.into())
        };
    };
    // The first two characters are the class of the error.
    match (state.code().get(..2).unwrap_or_default(), state) {
        // Only a catalogue that was moved raises exceptions.
        (_, &SqlState::RAISE_EXCEPTION) => {
            let moved = error.as_db_error().and_then(|error| CatalogError::moved(error.message()));
            moved.unwrap_or_else(|| CatalogError::Bug(error.into()))
        }
        (_, &SqlState::DISK_FULL) => CatalogError::Full(error.into()),
        (_, &SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED) => CatalogError::Damaged(error.into()),
        (_, &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED) => {
            CatalogError::Contended(error.into())
        }
        // Connection, wrong password, no such database, insufficient resources, operator intervention, system error.
        ("08" | "28" | "3D" | "53" | "57" | "58", _)
        | (
            _,
            &SqlState::LOCK_NOT_AVAILABLE
            | &SqlState::READ_ONLY_SQL_TRANSACTION
            | &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ) => CatalogError::Unavailable(error.into()),
        _ => CatalogError::Bug(error.into()),
    }
}

/// Whether the connection is lost, or the server starts, stops or has been replaced. Another connection may work soon, and
/// an uncommitted transaction changed nothing.
pub(super) fn is_lost(error: &CatalogError) -> bool {
    let CatalogError::Unavailable(source) = error else { return false };
    let Some(error) = source.downcast_ref::<tokio_postgres::Error>() else { return false };
    match error.code() {
        None => is_network(error),
        Some(state) => {
            state.code().starts_with("08")
                || [
                    SqlState::ADMIN_SHUTDOWN,
                    SqlState::CRASH_SHUTDOWN,
                    SqlState::CANNOT_CONNECT_NOW,
                    SqlState::TOO_MANY_CONNECTIONS,
                    // The server was demoted: the URL may name its successor.
                    SqlState::READ_ONLY_SQL_TRANSACTION,
                    SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                ]
                .contains(state)
        }
    }
}

fn is_network(error: &tokio_postgres::Error) -> bool {
    error.is_closed() || error.source().is_some_and(<dyn Error>::is::<io::Error>)
}
