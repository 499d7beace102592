//! Making chunks durable while others are still being made, so that little is left to wait for in the end.
//!
//! Left alone, the kernel writes nothing back for half a minute: first the cores are busy and then the disk is.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::backend::Backend;
use crate::error::{Error, Result};

/// The new bytes after which a writer has them written back ahead of the end.
const STEP_BYTES: u64 = 64 << 20;

/// One sync at a time, on a thread of its own.
pub(super) struct SyncAhead {
    backend: Arc<dyn Backend>,
    running: Option<JoinHandle<Result<()>>>,
    /// What was stored since the last one began.
    bytes: u64,
}

impl SyncAhead {
    pub(super) fn new(backend: &Arc<dyn Backend>) -> Self {
        Self { backend: Arc::clone(backend), running: None, bytes: 0 }
    }

    /// Tells that so many bytes were stored. Fails when an earlier sync has failed.
    pub(super) fn stored(&mut self, bytes: u64) -> Result<()> {
        self.bytes += bytes;
        if self.bytes < STEP_BYTES || self.running.as_ref().is_some_and(|sync| !sync.is_finished()) {
            return Ok(());
        }
        self.wait()?;
        self.bytes = 0;
        let backend = Arc::clone(&self.backend);
        let thread = thread::Builder::new().name("sync".into()).spawn(move || backend.sync());
        self.running = Some(thread.map_err(|e| Error::io("start a thread", e))?);
        Ok(())
    }

    /// Waits for the sync that runs.
    pub(super) fn wait(&mut self) -> Result<()> {
        let ended = self.running.take().map(JoinHandle::join);
        ended
            .unwrap_or(Ok(Ok(())))
            .unwrap_or_else(|_| Err(Error::io("sync", io::Error::other("a thread panicked"))))
    }
}

impl Drop for SyncAhead {
    fn drop(&mut self) {
        // Nothing of the writer's is left at work when it is gone. Whether it failed does not matter any more.
        let _ = self.wait();
    }
}
