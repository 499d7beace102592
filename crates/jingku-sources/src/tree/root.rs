//! The root directory of a running container, read directly as the archive that its engine would export.
//!
//! The container runs meanwhile and may be hostile: it renames directories and swaps files for links while they are read.
//! Every file is therefore opened beneath the root, without following a link or crossing a mount, and first only as a
//! place (`O_PATH`): nothing but a file or directory is ever opened for reading, so no FIFO blocks and no device is
//! touched.

mod archive;
mod header;
mod links;
mod node;
mod walk;

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

pub use self::archive::RootArchive;
use self::node::Opener;

/// The type of an overlay in `statfs`.
const OVERLAY_MAGIC: u64 = 0x794c_7630;

/// The root directory of a container.
pub struct Root {
    directory: OwnedFd,
}

impl Root {
    /// Opens the merged directory of an overlay that is the root of this process. Fails if it is not, as for a container
    /// that has stopped, or of another user namespace: its owners would then be other numbers.
    pub fn open(merged: &Path, process: u32) -> io::Result<Self> {
        let root = Self::open_directory(merged)?;
        let is_overlay = u64::try_from(rustix::fs::fstatfs(&root.directory)?.f_type)
            .is_ok_and(|kind| kind == OVERLAY_MAGIC);
        let same =
            |one: &fs::Metadata, other: &fs::Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
        let process = Path::new("/proc").join(process.to_string());
        let its_root = fs::metadata(process.join("root"))?;
        if !is_overlay || !same(&File::from(root.directory.try_clone()?).metadata()?, &its_root) {
            return Err(io::Error::other("the directory is not the root of the container"));
        }
        let namespace = fs::metadata(process.join("ns/user"))?;
        if !same(&namespace, &fs::metadata("/proc/self/ns/user")?) {
            return Err(io::Error::other("the container has users of its own"));
        }
        Ok(root)
    }

    /// Opens any directory.
    pub fn open_directory(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self { directory: rustix::fs::open(path, flags, Mode::empty())? })
    }

    /// Reads all files as an archive.
    pub fn archive(&self) -> io::Result<RootArchive> {
        RootArchive::of_all(self.directory.try_clone()?)
    }

    /// Reads one file, by its path below the root, as an archive; without its content if it is a directory or link. Fails
    /// with `NotFound` if it does not exist.
    pub fn file(&self, path: &[u8]) -> io::Result<RootArchive> {
        let node = Opener::new()?.path(self.directory.as_fd(), path)?;
        RootArchive::of_one(node, path)
    }
}
