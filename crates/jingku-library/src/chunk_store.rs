//! The chunk store over any backend.

use jingku_chunks::{Backend, Store};

/// The store on a backend. In a debug build it has failpoints.
pub(crate) fn store(backend: impl Backend) -> Store {
    #[cfg(debug_assertions)]
    let backend = crate::failpoint::FailpointBackend(backend);
    Store::new(backend)
}
