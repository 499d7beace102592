//! Detects whether the files that a process has open are still those in the folder.
//!
//! A process can write to an open file that was deleted, replaced or moved away with its folder. Every change would be
//! acknowledged, and lost when the process ends.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::log_index;
use crate::{CatalogError, Result};

/// The paths of a database's files, and their identities when it was opened.
#[derive(Debug)]
pub(super) struct OpenFiles {
    pub(super) path: PathBuf,
    database: FileId,
    // SQLite creates the log and its index when first needed, and keeps them while a connection is open.
    log_path: PathBuf,
    log: OnceLock<FileId>,
    index_path: PathBuf,
    index: OnceLock<(FileId, &'static File)>,
}

impl OpenFiles {
    pub(super) fn of(path: &Path) -> Result<Self> {
        let database = id_at(path).map_err(|error| CatalogError::Unavailable(error.into()))?;
        Ok(Self {
            path: path.to_owned(),
            database,
            log_path: log_of(path),
            log: OnceLock::new(),
            index_path: beside(path, "-shm"),
            index: OnceLock::new(),
        })
    }

    /// The index of the log, once there has been a change.
    pub(super) fn index(&self) -> Option<&File> {
        self.index.get().map(|(_, index)| *index)
    }

    /// Fails with [`CatalogError::FileReplaced`] if a path no longer leads to the file that was opened.
    pub(super) fn check(&self) -> Result<()> {
        let index = self.index.get().map(|(opened, _)| opened);
        let files =
            [(&self.path, Some(&self.database)), (&self.log_path, self.log.get()), (&self.index_path, index)];
        for (path, opened) in files {
            if opened.is_some_and(|opened| id_at(path).ok() != Some(*opened)) {
                return Err(CatalogError::FileReplaced(path.clone()));
            }
        }
        Ok(())
    }

    /// Checks in an open write transaction, when the log and its index must exist.
    pub(super) fn check_writing(&self) -> Result<()> {
        let replaced = |path: &Path| CatalogError::FileReplaced(path.to_owned());
        if self.log.get().is_none() {
            let log = id_at(&self.log_path).map_err(|_| replaced(&self.log_path))?;
            self.log.get_or_init(|| log);
        }
        if self.index.get().is_none() {
            let index =
                log_index::open(&self.index_path).and_then(|index| Ok((id_of(&index.metadata()?), index)));
            let index = index.map_err(|_| replaced(&self.index_path))?;
            self.index.get_or_init(|| index);
        }
        // A truncated file keeps its identity, but has lost what is not in the log.
        if self.path.metadata().is_ok_and(|file| file.len() == 0) {
            return Err(replaced(&self.path));
        }
        self.check()
    }
}

/// Identifies a file whatever its path: device and inode.
type FileId = (u64, u64);

/// Does not follow a symbolic link: SQLite names the log after its target.
fn id_at(path: &Path) -> io::Result<FileId> {
    path.symlink_metadata().map(|file| id_of(&file))
}

fn id_of(file: &Metadata) -> FileId {
    (file.dev(), file.ino())
}

/// Returns the path of the log of a database.
pub(super) fn log_of(path: &Path) -> PathBuf {
    beside(path, "-wal")
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
