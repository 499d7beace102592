//! What keeps a sweep away from objects that no image names yet; `docs/format/sweep.md` has the argument.

use crate::error::Result;
use crate::key::Key;

/// The objects that one writer relies on or is about to. Dropping it lets go of them all; so does the end of the
/// process, however it ends.
pub trait Claim: Send + Sync {
    /// Adds an object, which need not exist. Waits while a sweep is about to delete something.
    ///
    /// When this returns, a sweep has either deleted the object already or leaves it alone for as long as the claim
    /// lives. So whether the object exists is to be asked *afterwards*.
    fn add(&self, key: Key) -> Result<()>;

    /// Adds objects, with the same promise for each once it returns: cheaper than one by one where a call costs.
    fn add_all(&self, keys: &[Key]) -> Result<()> {
        keys.iter().try_for_each(|key| self.add(*key))
    }
}

/// Reads all claims there are, and holds them still.
pub trait ClaimWatch: Send {
    /// Keeps every claim from growing until [`release`](Self::resume), and tells what was added to any of them since
    /// the last call, or since ever in the first. What a claim that has ended paused meanwhile may be reported or not.
    ///
    /// After an error nothing is paused, and what was reported may be reported again.
    fn pause(&mut self, visit: &mut dyn FnMut(Key)) -> Result<()>;

    /// Lets claims grow again. So does dropping the watch.
    fn resume(&mut self);
}
