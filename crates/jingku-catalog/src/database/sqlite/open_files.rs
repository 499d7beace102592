//! Whether the files that a process has open are still those in the folder.
//!
//! A file that is deleted, replaced, or in a folder that is moved away can be written to as long as it is open. Every
//! change would be acknowledged, and lost when the process ends.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::log_index::LogIndex;
use crate::{CatalogError, Result};

/// The files of a database, by their paths, and which files they were when the database was opened.
#[derive(Debug)]
pub(super) struct OpenFiles {
    path: PathBuf,
    database: FileId,
    // SQLite makes the log and its index when it first needs them, and keeps them while a connection is open.
    log_path: PathBuf,
    log: OnceLock<FileId>,
    index_path: PathBuf,
    index: OnceLock<(FileId, LogIndex)>,
}

/// Names a file, whatever its path: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId(pub(super) u64, pub(super) u64);

impl FileId {
    fn of(path: &Path) -> io::Result<Self> {
        // A link to the file is not the file: SQLite names the log after where the link leads to.
        path.symlink_metadata().map(|file| Self(file.dev(), file.ino()))
    }
}

impl OpenFiles {
    /// Remembers the file at this path.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let database = FileId::of(path).map_err(|error| CatalogError::Unavailable(error.into()))?;
        let beside = |end| {
            let mut name = OsString::from(path);
            name.push(end);
            PathBuf::from(name)
        };
        Ok(Self {
            path: path.to_owned(),
            database,
            log_path: beside("-wal"),
            log: OnceLock::new(),
            index_path: beside("-shm"),
            index: OnceLock::new(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The index of the log, once there has been a change.
    pub(super) fn index(&self) -> Option<&LogIndex> {
        self.index.get().map(|(_, index)| index)
    }

    /// Fails with [`CatalogError::FileReplaced`] when one of the files is not the one that was opened.
    pub(super) fn check(&self) -> Result<()> {
        let index = self.index.get().map(|(opened, _)| opened);
        let files =
            [(&self.path, Some(&self.database)), (&self.log_path, self.log.get()), (&self.index_path, index)];
        for (path, opened) in files {
            if opened.is_some_and(|opened| FileId::of(path).ok() != Some(*opened)) {
                return Err(CatalogError::FileReplaced(path.clone()));
            }
        }
        Ok(())
    }

    /// Does the same while a transaction that writes is open, when the log and its index must exist.
    pub(super) fn check_writing(&self) -> Result<()> {
        let displaced = |path: &Path| CatalogError::FileReplaced(path.to_owned());
        if self.log.get().is_none() {
            let log = FileId::of(&self.log_path).map_err(|_| displaced(&self.log_path))?;
            self.log.get_or_init(|| log);
        }
        if self.index.get().is_none() {
            let index = LogIndex::open(&self.index_path).and_then(|index| Ok((index.identity()?, index)));
            let index = index.map_err(|_| displaced(&self.index_path))?;
            self.index.get_or_init(|| index);
        }
        // Emptied, it is the same file, and what the log does not have is lost.
        if self.path.metadata().is_ok_and(|file| file.len() == 0) {
            return Err(displaced(&self.path));
        }
        self.check()
    }
}
