//! Makes chunks durable while others are still in progress, so that little is left at the end.
//!
//! Otherwise the kernel writes nothing back for half a minute: first the cores are busy, then the disk.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::backend::Backend;
use crate::error::{Error, Result};

/// The new bytes after which a writer starts a sync.
const STEP_BYTES: u64 = 64 << 20;

/// Runs one sync at a time, on its own thread.
pub(super) struct SyncAhead {
    backend: Arc<dyn Backend>,
    running: Option<JoinHandle<Result<()>>>,
    bytes: u64,
}

impl SyncAhead {
    pub(super) fn new(backend: &Arc<dyn Backend>) -> Self {
        Self { backend: Arc::clone(backend), running: None, bytes: 0 }
    }

    /// Records stored bytes. Fails if an earlier sync has failed.
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

    pub(super) fn wait(&mut self) -> Result<()> {
        let ended = self.running.take().map(JoinHandle::join);
        ended
            .unwrap_or(Ok(Ok(())))
            .unwrap_or_else(|_| Err(Error::io("sync", io::Error::other("a thread panicked"))))
    }
}

impl Drop for SyncAhead {
    fn drop(&mut self) {
        // No thread outlives the writer. Its errors no longer matter.
        let _ = self.wait();
    }
}
