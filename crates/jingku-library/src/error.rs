//! Internal errors, for the log and never for a client.

use jingku_catalog::CatalogError;

/// An internal error.
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
    MasterKey(#[from] crate::keyring::WrongMasterKey),
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
