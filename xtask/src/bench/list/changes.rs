//! Changes an account while its images are listed, so that no page in memory stays current.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow};

/// Between two changes. Cases with changes request enough pages that none is repeated sooner.
const PAUSE: Duration = Duration::from_millis(2);
/// How long a change waits for those of the server.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A thread that changes an account, until the sender is dropped.
pub(super) struct Changes {
    running: Sender<()>,
    thread: JoinHandle<rusqlite::Result<()>>,
}

impl Changes {
    /// Starts to increase the account's revision, as every change of its images does.
    pub(super) fn start(catalog: &Path, account: i64) -> Result<Self> {
        let connection = rusqlite::Connection::open(catalog)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // The speed of the disk is not part of the measurement.
        connection.pragma_update(None, "synchronous", "OFF")?;
        let (running, stopped) = mpsc::channel();
        let thread = thread::spawn(move || {
            while stopped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
                connection.execute("UPDATE accounts SET revision = revision + 1 WHERE id = ?1", [account])?;
            }
            Ok(())
        });
        Ok(Self { running, thread })
    }

    /// Fails if a change failed.
    pub(super) fn stop(self) -> Result<()> {
        drop(self.running);
        Ok(self.thread.join().map_err(|_| anyhow!("the thread of changes panicked"))??)
    }
}
