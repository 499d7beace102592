//! One file of a disk, opened read-only, with a fingerprint.

use std::fs::{self, File, Metadata, OpenOptions};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::content::{Content, HEAD_BYTES, TAIL_BYTES, detect};
use crate::error::DiskError;

/// A regular file, opened for reading only.
#[derive(Debug)]
pub(crate) struct Source {
    /// Absolute and canonical.
    pub(crate) path: PathBuf,
    pub(crate) file: File,
    pub(crate) fingerprint: Fingerprint,
}

/// Detects that a file was replaced or written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    device: u64,
    inode: u64,
    pub(crate) len: u64,
    modified: (i64, i64),
    /// No program can set this one back.
    changed: (i64, i64),
}

impl From<&Metadata> for Fingerprint {
    fn from(metadata: &Metadata) -> Fingerprint {
        Fingerprint {
            device: metadata.dev(),
            inode: metadata.ino(),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
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
        Ok(Source { path: path.to_owned(), file, fingerprint: Fingerprint::from(&metadata) })
    }

    /// Length of the file in bytes when it was opened.
    pub(crate) fn len(&self) -> u64 {
        self.fingerprint.len
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
        if Fingerprint::from(&now) == self.fingerprint { Ok(()) } else { Err(changed()) }
    }
}

/// Names the type of a file that is not a regular one.
fn not_regular(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some("a directory")
    } else if kind.is_fifo() {
        Some("a named pipe")
    } else if kind.is_block_device() || kind.is_char_device() {
        Some("a device")
    } else {
        Some("a special file")
    }
}
