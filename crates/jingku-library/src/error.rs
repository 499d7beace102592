//! Failures of the library itself.

use jingku_catalog::CatalogError;

use crate::data_dir::{StartError, way_back, with_causes};
use crate::keyring::WrongMasterKey;

/// An internal error, for the log and never for a client.
#[derive(Debug, thiserror::Error)]
pub enum Internal {
    /// The catalogue failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The chunk store failed.
    #[error(transparent)]
    Store(#[from] jingku_chunks::Error),
    /// The master key does not open a private key.
    #[error(transparent)]
    MasterKey(#[from] WrongMasterKey),
    /// A row has a value that this program never writes.
    #[error("the catalogue has an unreadable row: {0}")]
    BadRow(String),
    /// An uploaded file cannot be used.
    #[error("cannot use an uploaded file: {0}")]
    UploadFile(#[source] std::io::Error),
    /// A task panicked or was cancelled.
    #[error("a task ended abnormally: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// A failure of the library while it works for the operator. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// The catalogue failed.
    #[error("The catalogue failed: {}.{}", with_causes(.0), way_back(.0))]
    Catalog(#[from] CatalogError),
    /// The master key does not open a private key.
    #[error(transparent)]
    MasterKey(#[from] WrongMasterKey),
    /// An internal error.
    #[error("{}.", with_causes(.0))]
    Inside(#[from] Internal),
    /// A file of the data folder cannot be written.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Lets `?` convert failures of the library into the error of a subject.
macro_rules! from_library_errors {
    ($error:ty: $($source:ty),+) => {
        $(impl From<$source> for $error {
            fn from(error: $source) -> Self {
                Self::Library(error.into())
            }
        })+
    };
}
pub(crate) use from_library_errors;
