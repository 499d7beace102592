//! Changes of an image that depend on what it is.

use std::array;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;

/// Images whose ids have the same hash wait for each other, which is rare and short.
const TURNS: usize = 64;
/// How long a change waits for another one.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

/// Keeps two forms from changing an image at once, between finding what it is and changing that. It counts only for this
/// process: the API has no change under a condition.
pub(crate) struct Turns([Mutex<()>; TURNS]);

impl Turns {
    pub(crate) fn new() -> Self {
        Self(array::from_fn(|_| Mutex::new(())))
    }

    /// Waits for the changes of an image before this one. After the timeout, the change goes ahead.
    pub(crate) async fn take(&self, id: &str) -> Option<MutexGuard<'_, ()>> {
        let hash = usize::from(blake3::hash(id.as_bytes()).as_bytes()[0]);
        timeout(TURN_TIMEOUT, self.0[hash % TURNS].lock()).await.ok()
    }
}
