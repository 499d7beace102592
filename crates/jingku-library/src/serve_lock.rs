//! The lock of a data directory: one server at a time, with commands beside it.

use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crate::data_dir::DataDir;
use crate::start_error::StartError;
use crate::{blocking, durable};

/// The file that a running server keeps locked.
const NAME: &str = "serve.lock";
/// The file that a running move of the catalogue or of images keeps locked.
const MOVE: &str = "migrate.lock";
/// How often a server tries to lock it, because a command may hold the lock for a moment.
const LOCK_TRIES: u32 = 5;
/// How often a command looks for the log of a server, which is missing for a moment during start and stop.
const LOG_TRIES: u32 = 50;
const WAIT: Duration = Duration::from_millis(20);

/// The lock of a server or a move on its data directory, held until dropped.
#[must_use = "dropping the lock releases the folder"]
pub struct ServeLock {
    _file: File,
}

impl DataDir {
    /// Locks the folder for a server.
    pub fn lock(&self) -> Result<ServeLock, StartError> {
        self.lock_file(NAME)?.ok_or_else(|| StartError::InUse(self.path().to_owned()))
    }

    /// Locks the folder for a move of the catalogue or of images. One copies what the other replaces.
    pub(crate) fn lock_move(&self) -> Result<ServeLock, StartError> {
        self.lock_file(MOVE)?.ok_or_else(|| StartError::Moving(self.path().to_owned()))
    }

    /// `None` if another process has it locked.
    fn lock_file(&self, name: &str) -> Result<Option<ServeLock>, StartError> {
        let path = self.path().join(name);
        let file = durable::private_file().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(StartError::io(path))?;
        Ok(repeat(LOCK_TRIES, || file.try_lock().is_ok()).then_some(ServeLock { _file: file }))
    }

    /// Refuses a folder whose running server writes to a deleted log. A command would not see its content, so a sweep would
    /// remove new images, and would create another log that the server never sees.
    pub fn check_served(&self) -> Result<(), StartError> {
        let is_sound = || self.missing_log().is_none() || !self.is_served();
        if repeat(LOG_TRIES, is_sound) {
            return Ok(());
        }
        self.missing_log().map_or(Ok(()), |path| Err(StartError::LogGone(path)))
    }

    /// The missing log or index of an existing catalogue.
    fn missing_log(&self) -> Option<PathBuf> {
        let catalog = self.catalog_path();
        let beside = ["db-wal", "db-shm"].map(|extension| catalog.with_extension(extension));
        beside.into_iter().find(|path| catalog.exists() && !path.exists())
    }

    fn is_served(&self) -> bool {
        let is_locked = |file: File| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        File::open(self.path().join(NAME)).is_ok_and(is_locked)
    }
}

/// Tries until it works or the tries are used up.
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
    fn only_one_server_locks_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open_or_create(folder.path()).unwrap();
        let lock = data.lock().unwrap();
        assert!(matches!(data.lock(), Err(StartError::InUse(_))));
        drop(lock);
        assert!(data.lock().is_ok());
    }

    #[test]
    fn a_command_refuses_a_folder_whose_server_lost_its_log() {
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
