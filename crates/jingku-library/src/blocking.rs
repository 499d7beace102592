//! Waiting for a disk without keeping other requests waiting.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Runs something that may wait for a disk, such as removing a file or making it durable. On a thread of the runtime,
/// the other tasks continue on another thread meanwhile.
pub(crate) fn in_place<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        // A runtime of one thread has nowhere else to go.
        Ok(_) | Err(_) => work(),
    }
}
