//! What a server knows about itself among those that share its catalogue (ADR 25).

use std::sync::OnceLock;

use tokio_util::sync::CancellationToken;

/// This server among those that share its catalogue.
#[derive(Default)]
pub(crate) struct Cluster {
    /// Identifies this process; `None` before it has a name, and if the catalogue is a file.
    pub(crate) session: Option<String>,
    /// The base URL of this server, once it is known.
    pub(crate) address: OnceLock<String>,
    /// Cancelled when another server has got the name.
    pub(crate) lost: CancellationToken,
}

/// The right to do what one server does for all.
#[derive(Clone)]
pub(crate) struct Turn {
    /// Cancelled when the server stops, or when the right is lost.
    pub(crate) stop: CancellationToken,
    /// The number of the lease; `None` if there are no other servers.
    pub(crate) lease: Option<i64>,
}
