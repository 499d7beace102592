//! What goes wrong inside: for the log, never for a client.

use jingku_catalog::CatalogError;

/// What went wrong inside.
#[derive(Debug, thiserror::Error)]
pub enum Internal {
    /// The catalogue failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The chunk store failed.
    #[error(transparent)]
    Store(#[from] jingku_chunks::Error),
    /// A sealed private key does not open.
    #[error(transparent)]
    MasterKey(#[from] crate::keyring::WrongMasterKey),
    /// A row holds what this program never writes.
    #[error("the catalogue holds something unreadable: {0}")]
    BadRow(String),
    /// A file that is uploaded cannot be used.
    #[error("cannot use an uploaded file: {0}")]
    UploadFile(#[source] std::io::Error),
    /// A task panicked or was cancelled.
    #[error("a task ended abnormally: {0}")]
    Task(#[from] tokio::task::JoinError),
}
