//! Protection from sweeps.

use std::fmt;
use std::sync::Arc;

use crate::backend::{Backend, Claim};
use crate::error::Result;
use crate::key::Key;

/// Protects objects from sweeps of any process while they become an image or are copied.
///
/// The protection ends with the last clone, or with the process.
#[derive(Clone)]
pub struct GcGuard {
    claim: Arc<dyn Claim>,
}

impl GcGuard {
    pub(crate) fn begin(backend: &dyn Backend) -> Result<Self> {
        Ok(Self { claim: backend.claim()?.into() })
    }

    /// Protects an object, and the chunks that a manifest references. It need not exist; check afterwards.
    pub(crate) fn add(&self, key: Key) -> Result<()> {
        self.claim.add(key)
    }

    pub(crate) fn claim(&self) -> Arc<dyn Claim> {
        Arc::clone(&self.claim)
    }
}

impl fmt::Debug for GcGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GcGuard").finish_non_exhaustive()
    }
}
