//! Changes an account while its images are listed, so that no page in memory stays current.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Result;

/// Between two changes. Cases with changes request enough pages that none is repeated sooner.
const PAUSE: Duration = Duration::from_millis(2);
/// How long a change waits for those of the server.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A thread that changes an account, until dropped.
pub(super) struct Changes {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Changes {
    /// Starts to increase the account's revision, as every change of its images does.
    pub(super) fn start(catalog: &Path, account: i64) -> Result<Self> {
        let connection = rusqlite::Connection::open(catalog)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // The speed of the disk is not part of the measurement.
        connection.pragma_update(None, "synchronous", "OFF")?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                connection
                    .execute("UPDATE accounts SET revision = revision + 1 WHERE id = ?1", [account])
                    .expect("the catalogue accepts a change");
                thread::sleep(PAUSE);
            }
        });
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(matches!(ended, Some(Ok(()))) || thread::panicking(), "the thread of changes panicked");
    }
}
