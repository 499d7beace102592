//! Blocking work inside asynchronous code.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs work that may wait for a disk. In a multi-threaded runtime, other tasks move to another thread meanwhile.
pub(crate) fn in_place<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        // A single-threaded runtime has no other thread.
        Ok(_) | Err(_) => work(),
    }
}
