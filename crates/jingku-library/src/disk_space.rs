//! Space on the disk that the data folder is on: how much there is, how much must stay, and a reserve for when there is none.
//!
//! The reserve is a file of no use to anybody. A full disk takes no transaction, so that nothing could be deleted; then the reserve
//! goes, and the catalogue has room for thousands of changes more.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use jingku_sources::Disk;

use crate::blocking;

/// What the making of images leaves free, in bytes: for the catalogue, and for what other programs on the machine do.
pub const MARGIN_BYTES: u64 = 32 << 20;
/// How long the reserve is: twice what the catalogue's log grows to by itself.
const RESERVE_BYTES: usize = 8 << 20;
/// Bytes of a block, in which files say what they take up.
const BLOCK_BYTES: u64 = 512;

/// The room of one data folder.
#[derive(Clone, Debug)]
pub struct DiskSpace {
    data: PathBuf,
}

impl DiskSpace {
    pub(crate) fn new(data: PathBuf) -> Self {
        Self { data }
    }

    /// What is free for whom is not root, in bytes.
    pub fn free_bytes(&self) -> io::Result<u64> {
        // A store may be a mount of its own.
        let store = self.data.join("store");
        let ask = || rustix::fs::statvfs(&store).or_else(|_| rustix::fs::statvfs(&self.data));
        let found = blocking::in_place(ask)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Makes the reserve when there is none and twice as much is free.
    pub(crate) fn keep_reserve(&self) -> io::Result<()> {
        let path = self.reserve();
        if path.metadata().is_ok_and(|file| file.len() == RESERVE_BYTES as u64) {
            return Ok(());
        }
        if self.free_bytes()? < 2 * RESERVE_BYTES as u64 {
            return Ok(());
        }
        // Not zeros, which some file systems do not keep.
        let block: Vec<u8> =
            (0..64_u32 << 10).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path)?;
        for _ in 0..RESERVE_BYTES / block.len() {
            file.write_all(&block)?;
        }
        file.sync_all()
    }

    /// Frees the reserve. Returns whether there was one.
    pub(crate) fn give_up_reserve(&self) -> bool {
        let given_up = fs::remove_file(self.reserve()).is_ok();
        if given_up {
            tracing::warn!("the disk is full: the reserve is used up; make room");
            // Some file systems give blocks back only when the folder is synced.
            let _ = File::open(&self.data).and_then(|folder| folder.sync_all());
        }
        given_up
    }

    fn reserve(&self) -> PathBuf {
        self.data.join("reserve")
    }
}

/// About the most bytes that an image of a disk adds to the store: what the files of the disk take up, and not more than
/// the disk has. Clusters that are compressed in a file may take a little more in the store.
pub fn needed_bytes(disk: &Disk) -> u64 {
    if disk.layers.is_empty() {
        // Made up: nearly all of it is kept.
        return disk.size_bytes;
    }
    let blocks = || -> u64 {
        let files = disk.layers.iter().filter_map(|layer| layer.path.metadata().ok());
        files.map(|file| file.blocks()).sum()
    };
    (blocking::in_place(blocks) * BLOCK_BYTES).min(disk.size_bytes)
}
