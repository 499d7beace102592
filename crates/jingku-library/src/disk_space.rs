//! Free space on the disk of the data directory, and a reserve for a full disk.
//!
//! On a full disk, the catalogue can commit no transaction, not even a deletion. Freeing the reserve file gives it space for
//! thousands of further changes.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use jingku_sources::Disk;

use crate::{blocking, durable};

/// Space that jobs leave free for the catalogue and for other programs, in bytes.
pub const MARGIN_BYTES: u64 = 32 << 20;
/// Size of the reserve: twice the size that the log of the catalogue normally reaches.
const RESERVE_BYTES: usize = 8 << 20;
/// Size of the blocks in which file systems count.
const BLOCK_BYTES: u64 = 512;

/// The disk space of one data directory.
#[derive(Clone, Debug)]
pub struct DiskSpace {
    data: PathBuf,
}

impl DiskSpace {
    pub(crate) fn new(data: PathBuf) -> Self {
        Self { data }
    }

    /// The space that is free for ordinary users, in bytes.
    pub fn free_bytes(&self) -> io::Result<u64> {
        // The store may be a mount of its own.
        let store = self.data.join("store");
        let ask = || rustix::fs::statvfs(&store).or_else(|_| rustix::fs::statvfs(&self.data));
        let found = blocking::in_place(ask)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Whether only the margin is free. If the free space is unknown, the store reports a full disk itself.
    pub(crate) fn is_full(&self) -> bool {
        self.free_bytes().is_ok_and(|free| free < MARGIN_BYTES)
    }

    /// Creates the reserve if there is none and twice its size is free.
    pub(crate) fn keep_reserve(&self) -> io::Result<()> {
        let path = self.reserve();
        if path.metadata().is_ok_and(|file| file.len() == RESERVE_BYTES as u64) {
            return Ok(());
        }
        if self.free_bytes()? < 2 * RESERVE_BYTES as u64 {
            return Ok(());
        }
        // Some file systems do not store zeros.
        let block: Vec<u8> =
            (0..64_u32 << 10).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let mut file = durable::private_file().create(true).truncate(true).write(true).open(&path)?;
        for _ in 0..RESERVE_BYTES / block.len() {
            file.write_all(&block)?;
        }
        file.sync_all()
    }

    /// Frees the reserve. Returns whether there was one.
    pub(crate) fn give_up_reserve(&self) -> bool {
        let given_up = fs::remove_file(self.reserve()).is_ok();
        if given_up {
            tracing::warn!("the disk is full: the reserve was freed; make space");
            // Some file systems free blocks only when the folder is synced.
            let _ = durable::sync_folder(&self.data);
        }
        given_up
    }

    fn reserve(&self) -> PathBuf {
        self.data.join("reserve")
    }
}

/// Roughly the most bytes that an image of a disk adds to the store: the size of the disk's files, at most that of the
/// disk. Compressed clusters may take slightly more in the store.
pub fn needed_bytes(disk: &Disk) -> u64 {
    if disk.layers.is_empty() {
        // A generated disk is stored almost completely.
        return disk.size_bytes;
    }
    let blocks = || -> u64 {
        let files = disk.layers.iter().filter_map(|layer| layer.path.metadata().ok());
        files.map(|file| file.blocks()).sum()
    };
    (blocking::in_place(blocks) * BLOCK_BYTES).min(disk.size_bytes)
}
