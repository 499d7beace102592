//! Who serves from a data folder: one server at a time, with commands beside it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::blocking;
use crate::data_dir::{DataDir, StartError};

/// The file that a server holds locked while it runs.
const NAME: &str = "serve.lock";
/// How often a server tries to get the lock: a command beside it may hold it for a moment to look at it.
const LOCK_TRIES: u32 = 5;
/// How often a command looks for the log of a server: one that starts or stops has the lock, and for a moment no log.
const LOG_TRIES: u32 = 50;
/// The time between two tries.
const WAIT: Duration = Duration::from_millis(20);

/// The right to serve from a data folder, until dropped.
#[must_use = "dropping the lock gives the folder up"]
pub struct ServeLock {
    _file: File,
}

impl DataDir {
    /// Takes the folder for a server.
    pub fn lock(&self) -> Result<ServeLock, StartError> {
        let path = self.path().join(NAME);
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.map_err(|source| StartError::Io { path, source })?;
        let take = || flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
        if repeat(LOCK_TRIES, take) {
            Ok(ServeLock { _file: file })
        } else {
            Err(StartError::InUse(self.path().to_owned()))
        }
    }

    /// Refuses a folder whose server writes to a log that is not there any more. A command would not see what is in that
    /// log, so that a sweep would remove new images, and make another one, which the server never sees.
    pub fn check_served(&self) -> Result<(), StartError> {
        let is_sound = || self.missing_log().is_none() || !self.is_served();
        if repeat(LOG_TRIES, is_sound) {
            return Ok(());
        }
        self.missing_log().map_or(Ok(()), |path| Err(StartError::LogGone(path)))
    }

    /// The log, or its index, where there is a catalogue without it.
    fn missing_log(&self) -> Option<PathBuf> {
        let catalog = self.catalog_path();
        let beside = ["db-wal", "db-shm"].map(|extension| catalog.with_extension(extension));
        beside.into_iter().find(|path| catalog.exists() && !path.exists())
    }

    /// Whether a server has the lock.
    fn is_served(&self) -> bool {
        let probe = |file: File| flock(&file, FlockOperation::NonBlockingLockShared);
        File::open(self.path().join(NAME)).is_ok_and(|file| probe(file) == Err(Errno::WOULDBLOCK))
    }
}

/// Tries until it works, so many times.
fn repeat(tries: u32, mut works: impl FnMut() -> bool) -> bool {
    works()
        || blocking::in_place(|| {
            (1..tries).any(|_| {
                thread::sleep(WAIT);
                works()
            })
        })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn one_server_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open_or_create(folder.path()).unwrap();
        let lock = data.lock().unwrap();
        assert!(matches!(data.lock(), Err(StartError::InUse(_))));
        drop(lock);
        assert!(data.lock().is_ok());
    }

    #[test]
    fn a_command_refuses_a_folder_whose_server_has_lost_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open_or_create(folder.path()).unwrap();
        let paths = ["catalog.db", "catalog.db-wal", "catalog.db-shm"].map(|name| data.path().join(name));
        data.check_served().unwrap();
        for path in &paths {
            fs::write(path, "").unwrap();
        }
        let lock = data.lock().unwrap();
        data.check_served().unwrap();
        for path in &paths[1..] {
            fs::remove_file(path).unwrap();
            let refused = data.check_served();
            assert!(matches!(&refused, Err(StartError::LogGone(gone)) if gone == path), "{refused:?}");
            fs::write(path, "").unwrap();
        }
        fs::remove_file(&paths[1]).unwrap();
        drop(lock);
        data.check_served().unwrap();
    }
}
