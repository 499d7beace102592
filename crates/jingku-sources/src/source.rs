//! One file of a disk, opened read-only.

use std::fs::{self, File, Metadata, OpenOptions};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags};

use crate::content::{Content, HEAD_BYTES, TAIL_BYTES, detect};
use crate::error::DiskError;

/// A regular file, opened for reading only.
#[derive(Debug)]
pub(crate) struct Source {
    /// Absolute and canonical.
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    metadata: Metadata,
}

impl Source {
    /// Opens the regular, non-empty file at a canonical path.
    pub(crate) fn open(path: &Path) -> Result<Source, DiskError> {
        // NONBLOCK: opening a FIFO must not wait for a writer. NOFOLLOW: the path was canonical when it was checked.
        let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY).bits();
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(flags.cast_signed())
            .open(path)
            .map_err(DiskError::opening(path))?;
        let metadata = file.metadata().map_err(DiskError::io("look at", path))?;
        if let Some(kind) = not_regular(&metadata) {
            let why = format!(
                "it is {kind}, and only a regular file holds a disk; give the path of a raw or qcow2 file"
            );
            return Err(DiskError::unusable(path, why));
        }
        if metadata.len() == 0 {
            return Err(DiskError::unusable(path, "it is empty; give the path of a raw or qcow2 file"));
        }
        // Writes through a memory map update the times only after their pages reached the disk. This fails only where
        // nothing can be written, as on a read-only disk.
        let _ = file.sync_all();
        let metadata = file.metadata().map_err(DiskError::io("look at", path))?;
        let _ = file.sync_all();
        Ok(Source { path: path.to_owned(), file, metadata })
    }

    /// Length of the file in bytes when it was opened.
    pub(crate) fn len(&self) -> u64 {
        self.metadata.len()
    }

    /// Reads up to `len_max` bytes from the start of the file.
    pub(crate) fn head(&self, len_max: usize) -> Result<Vec<u8>, DiskError> {
        self.read(0, len_max)
    }

    pub(crate) fn content(&self) -> Result<Content, DiskError> {
        let tail = self.read(self.len().saturating_sub(TAIL_BYTES as u64), TAIL_BYTES)?;
        Ok(detect(&self.head(HEAD_BYTES)?, &tail, self.len()))
    }

    fn read(&self, at: u64, len_max: usize) -> Result<Vec<u8>, DiskError> {
        let mut bytes = vec![0; usize::try_from(self.len() - at).unwrap_or(usize::MAX).min(len_max)];
        self.file.read_exact_at(&mut bytes, at).map_err(DiskError::io("read", &self.path))?;
        Ok(bytes)
    }

    /// Fails if the path names another file, or the file was written to since it was opened.
    pub(crate) fn unchanged(&self) -> Result<(), DiskError> {
        let changed = || DiskError::Changed(self.path.clone());
        let now = fs::symlink_metadata(&self.path).map_err(|_| changed())?;
        let identity = |file: &Metadata| {
            // No program can set the time of the last change back.
            let times = (file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec());
            (file.dev(), file.ino(), file.len(), times)
        };
        if identity(&now) == identity(&self.metadata) { Ok(()) } else { Err(changed()) }
    }
}

/// Names the type of a file that is not a regular one.
fn not_regular(metadata: &Metadata) -> Option<&'static str> {
    match FileType::from_raw_mode(metadata.mode()) {
        FileType::RegularFile => None,
        FileType::Directory => Some("a directory"),
        FileType::Fifo => Some("a named pipe"),
        FileType::BlockDevice | FileType::CharacterDevice => Some("a device"),
        _ => Some("a special file"),
    }
}
