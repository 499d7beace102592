//! The folder below `tmp/` that one open store writes into.
//!
//! It is locked for as long as its owner lives. The kernel lets go of the lock when the process ends, however it ends,
//! so whoever finds a folder it can lock knows that its owner is dead: no clock, no age, no process numbers that another
//! container may use too.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::folder::{FILE_MODE, FOLDER_MODE, create_folders};

pub(super) struct Session {
    path: PathBuf,
    next_file: AtomicU64,
    _lock: File,
}

impl Session {
    /// Removes the folders of dead sessions and makes one of its own.
    pub(super) fn start(tmp: &Path) -> io::Result<Self> {
        // A backup may have left it out, being empty.
        create_folders(tmp)?;
        // Held meanwhile, so that nobody takes a folder for abandoned that was made but is not locked yet.
        let gate = File::open(tmp)?;
        gate.lock()?;
        remove_all_abandoned(tmp)?;
        let path = create_folder(tmp)?;
        let lock = File::open(&path)?;
        lock.lock()?;
        Ok(Self { path, next_file: AtomicU64::new(0), _lock: lock })
    }

    /// Removes the folders of dead sessions.
    pub(super) fn remove_dead(tmp: &Path) -> io::Result<()> {
        let gate = File::open(tmp)?;
        gate.lock()?;
        remove_all_abandoned(tmp)
    }

    /// Makes a new file in the folder; its name begins like this.
    pub(super) fn create_file(&self, prefix: &str) -> io::Result<(File, PathBuf)> {
        let number = self.next_file.fetch_add(1, Ordering::Relaxed);
        let path = self.path.join(format!("{prefix}{number}"));
        let file = File::options().write(true).create_new(true).mode(FILE_MODE).open(&path)?;
        Ok((file, path))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Tidiness only: what stays is removed by the next session.
        let _ = fs::remove_dir(&self.path);
    }
}

fn remove_all_abandoned(tmp: &Path) -> io::Result<()> {
    for entry in fs::read_dir(tmp)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_abandoned(&entry.path())?;
        }
    }
    Ok(())
}

fn remove_abandoned(path: &Path) -> io::Result<()> {
    let folder = match File::open(path) {
        // Its owner ended properly just now.
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        folder => folder?,
    };
    match folder.try_lock() {
        Ok(()) => match fs::remove_dir_all(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        },
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// The process number only makes the name easy to place: another container may have the same one.
fn create_folder(tmp: &Path) -> io::Result<PathBuf> {
    for number in 0_u32.. {
        let path = tmp.join(format!("{}-{number}", std::process::id()));
        match DirBuilder::new().mode(FOLDER_MODE).create(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            created => return created.map(|()| path),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
