//! Protects objects from sweeps before an image references them. `docs/format/sweep.md` proves that it does.

use crate::error::Result;
use crate::key::Key;

/// The objects that one writer depends on. Dropping the claim or ending the process releases them all.
pub trait Claim: Send + Sync {
    /// Adds objects, which need not exist. Waits while a sweep deletes.
    ///
    /// After this returns, a sweep has either deleted an object already or leaves it alone while the claim lives. Check
    /// *afterwards* whether the objects exist.
    fn add(&self, keys: &[Key]) -> Result<()>;
}

/// Reads and pauses all claims.
pub trait ClaimWatch: Send {
    /// Blocks additions to all claims until [`resume`](Self::resume), and visits every key added since the previous
    /// call. Keys of claims that ended meanwhile may be skipped.
    ///
    /// After an error nothing is paused, and visited keys may be visited again.
    fn pause(&mut self, visit: &mut dyn FnMut(Key)) -> Result<()>;

    /// Allows additions again, as does dropping the watch.
    fn resume(&mut self);
}
