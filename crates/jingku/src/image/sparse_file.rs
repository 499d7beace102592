//! A raw disk file with holes for zeros.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io;
use std::iter;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use jingku_library::is_zero;
use tempfile::NamedTempFile;

/// The granularity of holes: the block size of common file systems.
const BLOCK: usize = 4096;

/// How many bytes to write before syncing them; the kernel by itself waits for half a minute.
const SYNC_BYTES: usize = 64 << 20;

/// A file that appears under its name only when it is complete.
pub(super) struct SparseFile {
    /// Removed when dropped.
    staged: NamedTempFile,
    path: PathBuf,
    at: u64,
    /// Syncs what was written, while more is received.
    syncing: Option<JoinHandle<io::Result<()>>>,
    /// Bytes written since the last sync began.
    unsynced: usize,
}

impl SparseFile {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        if path.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut name = OsString::from(".");
        name.push(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
        name.push(".jingku-");
        let open = |path: &Path| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let staged = tempfile::Builder::new().prefix(&name).make_in(path.with_file_name(""), open)?;
        Ok(Self { staged, path: path.to_owned(), at: 0, syncing: None, unsynced: 0 })
    }

    /// Appends bytes; blocks of zeros become holes.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        // Blocks are aligned in the file, not in the stream.
        let to_boundary = BLOCK - usize::try_from(self.at % BLOCK as u64).unwrap_or(0);
        let (first, rest) = bytes.split_at(to_boundary.min(bytes.len()));
        // Adjacent blocks are written together.
        let mut data = 0..0;
        for block in iter::once(first).chain(rest.chunks(BLOCK)) {
            let end = data.end + block.len();
            if is_zero(block) {
                self.write(&bytes[data.clone()], self.at + data.start as u64)?;
                data = end..end;
            } else {
                data.end = end;
            }
        }
        self.write(&bytes[data.clone()], self.at + data.start as u64)?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn write(&mut self, data: &[u8], at: u64) -> io::Result<()> {
        self.staged.as_file().write_all_at(data, at)?;
        self.unsynced += data.len();
        if self.unsynced >= SYNC_BYTES && self.syncing.as_ref().is_none_or(JoinHandle::is_finished) {
            self.wait_for_sync()?;
            self.unsynced = 0;
            let file = self.staged.as_file().try_clone()?;
            self.syncing = Some(thread::Builder::new().spawn(move || file.sync_data())?);
        }
        Ok(())
    }

    /// The kernel reports a failed write once, perhaps to that thread.
    fn wait_for_sync(&mut self) -> io::Result<()> {
        let ended = self.syncing.take().map(JoinHandle::join);
        ended.unwrap_or(Ok(Ok(()))).unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
    }

    /// Makes the file durable and gives it its name, unless the name was taken meanwhile.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.staged.as_file().set_len(self.at)?;
        self.wait_for_sync()?;
        self.staged.as_file().sync_all()?;
        self.staged.persist_noclobber(&self.path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn bytes_are_the_same_and_zeros_take_no_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.raw");
        let mut expected = vec![0; 3 << 20];
        expected[1_000_000] = 7;
        expected[(3 << 20) - 1] = 9;
        let mut file = SparseFile::create(&path).unwrap();
        for piece in expected.chunks(100_003) {
            file.append(piece).unwrap();
        }
        assert!(!path.exists());
        file.finish().unwrap();
        assert!(std::fs::read(&path).unwrap() == expected);
        assert!(path.metadata().unwrap().blocks() * 512 < 100_000);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn nothing_is_replaced_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.raw");
        drop(SparseFile::create(&path).unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        std::fs::write(&path, "mine").unwrap();
        assert!(SparseFile::create(&path).is_err());
    }
}
