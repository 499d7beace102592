//! Who calls.

use std::sync::Arc;

use jingku_catalog::{Account, Generation, Scope};
use jingku_library::Credentials;

/// Whose request it is, proven by the signature.
pub(crate) struct Caller {
    pub(crate) credentials: Arc<Credentials>,
    /// Where the catalogue was before anything was read for this request: what is kept in memory and was current then
    /// is current for it.
    pub(crate) generation: Option<Generation>,
    /// Names the request, where its answer is remembered.
    pub(crate) request: Option<String>,
}

impl Caller {
    pub(crate) fn account(&self) -> &Account {
        &self.credentials.account
    }

    /// The images that are the caller's own.
    pub(crate) fn own(&self) -> Scope {
        Scope::own(self.account().id)
    }
}
