//! What can fail in every command that copies a library.

use jingku_catalog::CatalogError;

use crate::sentence::{clause, with_causes};
use crate::start_error::StartError;

/// A failure of what a command works with.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The catalogue failed.
    #[error("The catalogue failed: {}.", with_causes(.0))]
    Catalog(#[from] CatalogError),
    /// A chunk store failed.
    #[error("A chunk store failed: {}.", with_causes(.0))]
    Store(#[from] jingku_chunks::Error),
    /// The data directory cannot be used.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A task panicked or was cancelled.
    #[error("A task ended abnormally: {}.", clause(.0))]
    Task(#[from] tokio::task::JoinError),
}

/// Lets `?` convert the causes of a [`Fault`] into an error with the variant `Fault`.
macro_rules! from_causes_of_faults {
    ($error:ty: $($cause:ty),+) => {
        $(impl From<$cause> for $error {
            fn from(cause: $cause) -> Self {
                Self::Fault(cause.into())
            }
        })+
    };
    ($error:ty) => {
        $crate::fault::from_causes_of_faults!(
            $error: jingku_catalog::CatalogError, jingku_chunks::Error, $crate::start_error::StartError,
            tokio::task::JoinError
        );
    };
}
pub(crate) use from_causes_of_faults;
