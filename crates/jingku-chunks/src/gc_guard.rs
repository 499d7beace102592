//! Protection from sweeps.

use std::fmt;
use std::sync::Arc;

use crate::backend::{Backend, Claim, ClaimTicket};
use crate::error::Result;
use crate::key::Key;

/// Protects objects from sweeps of any process while they become an image or are copied.
///
/// The protection ends with the last clone, or with the process. In a store that several machines share, it also ends if
/// the process is suspended or cut off from the database for too long: see [`GcGuard::ticket`].
#[derive(Clone)]
pub struct GcGuard(Arc<dyn Claim>);

impl GcGuard {
    pub(crate) fn begin(backend: &dyn Backend) -> Result<Self> {
        Ok(Self(backend.claim()?.into()))
    }

    /// Protects objects, and the chunks that a manifest references. They need not exist; check afterwards.
    pub(crate) fn add(&self, keys: &[Key]) -> Result<()> {
        self.0.add(keys)
    }

    /// Returns what the commit that makes a manifest live must verify; `None` if the protection cannot end before the
    /// guard is dropped.
    pub fn ticket(&self) -> Option<ClaimTicket> {
        self.0.ticket()
    }
}

impl fmt::Debug for GcGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GcGuard").finish_non_exhaustive()
    }
}
