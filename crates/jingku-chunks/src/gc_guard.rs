//! What keeps sweeps away.

use std::fmt;
use std::sync::Arc;

use crate::backend::{Backend, Claim};
use crate::error::Result;
use crate::key::Key;

/// Keeps sweeps, of any process, away from what is on its way to become an image, or is still being copied.
///
/// Clones hold the same; what they hold is let go with the last of them, and when the process ends, however it ends.
#[derive(Clone)]
pub struct GcGuard {
    claim: Arc<dyn Claim>,
}

impl GcGuard {
    pub(crate) fn begin(backend: &dyn Backend) -> Result<Self> {
        Ok(Self { claim: backend.claim()?.into() })
    }

    /// Holds an object, and with a manifest the chunks it names. It need not exist; ask whether it does afterwards.
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
