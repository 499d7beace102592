//! Changes images of an account while they are listed, so that no page in memory stays current.

use std::ops::Range;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow};

/// Between two changes. Cases with changes request enough pages that none is repeated sooner.
pub(super) const PAUSE: Duration = Duration::from_millis(2);
/// How long a change waits for those of the server.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A thread that changes an account, until the sender is dropped.
pub(super) struct Changes {
    running: Sender<()>,
    thread: JoinHandle<rusqlite::Result<()>>,
}

impl Changes {
    /// Starts to change the images with these numbers in turn, as the server does.
    pub(super) fn start(catalog: &Path, account: i64, seqs: Range<i64>) -> Result<Self> {
        let connection = rusqlite::Connection::open(catalog)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // The speed of the disk is not part of the measurement.
        connection.pragma_update(None, "synchronous", "OFF")?;
        let (running, stopped) = mpsc::channel();
        let thread = thread::spawn(move || {
            for seq in seqs.cycle() {
                if stopped.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
                let transaction = connection.unchecked_transaction()?;
                let account_sql = "UPDATE accounts SET revision = revision + 1 WHERE id = ?1";
                transaction.execute(account_sql, [account])?;
                let image_sql = "UPDATE images SET update_time = update_time + 1,
                                     changed = (SELECT revision FROM accounts WHERE id = ?1)
                                 WHERE account_id = ?1 AND seq = ?2 AND deleted_at IS NULL";
                transaction.execute(image_sql, [account, seq])?;
                transaction.commit()?;
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
