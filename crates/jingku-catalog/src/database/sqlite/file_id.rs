use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Identifies a file whatever its path: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId(u64, u64);

impl FileId {
    /// Does not follow a symbolic link: SQLite names the log after its target.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        path.symlink_metadata().map(|file| Self::of(&file))
    }

    pub(super) fn of(file: &Metadata) -> Self {
        Self(file.dev(), file.ino())
    }
}
