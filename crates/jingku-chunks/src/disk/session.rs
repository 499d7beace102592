//! The folder below `tmp/` that one open store writes to.
//!
//! The owner holds a lock on it. The kernel releases the lock when the process ends, so a folder that can be locked has
//! no owner. This needs no clock, no age and no process ids, which containers may share.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::folder::{FILE_MODE, FOLDER_MODE, create_folders, if_found};

pub(super) struct Session {
    path: PathBuf,
    next_file: AtomicU64,
    _lock: File,
}

impl Session {
    pub(super) fn start(tmp: &Path) -> io::Result<Self> {
        // A backup may lack this empty folder.
        create_folders(tmp)?;
        // Held until the end, so that nobody takes the same name, or removes a folder that is not locked yet.
        let _gate = Self::remove_dead(tmp)?;
        // The process id only helps people; containers may share it.
        let mut paths = (0_u32..).map(|number| tmp.join(format!("{}-{number}", std::process::id())));
        let path = paths.find(|path| !path.exists()).ok_or(io::ErrorKind::AlreadyExists)?;
        DirBuilder::new().mode(FOLDER_MODE).create(&path)?;
        let lock = File::open(&path)?;
        lock.lock()?;
        Ok(Self { path, next_file: AtomicU64::new(0), _lock: lock })
    }

    /// Removes the folders of dead sessions. No session starts while the result is held.
    pub(super) fn remove_dead(tmp: &Path) -> io::Result<File> {
        let gate = File::open(tmp)?;
        gate.lock()?;
        for entry in fs::read_dir(tmp)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                remove_abandoned(&entry.path())?;
            }
        }
        Ok(gate)
    }

    pub(super) fn create_file(&self, prefix: &str) -> io::Result<(File, PathBuf)> {
        let number = self.next_file.fetch_add(1, Ordering::Relaxed);
        let path = self.path.join(format!("{prefix}{number}"));
        let file = File::options().write(true).create_new(true).mode(FILE_MODE).open(&path)?;
        Ok((file, path))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Best effort: the next session removes what stays.
        let _ = fs::remove_dir(&self.path);
    }
}

fn remove_abandoned(path: &Path) -> io::Result<()> {
    // Otherwise its owner has just ended.
    let Some(folder) = if_found(File::open(path))? else { return Ok(()) };
    match folder.try_lock() {
        Ok(()) => if_found(fs::remove_dir_all(path)).map(drop),
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(e)) => Err(e),
    }
}
