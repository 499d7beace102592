//! All files below a root, in the order of an archive: each directory before what is in it, names by their bytes.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use rustix::fs::{Dir, FileType};
use rustix::io::Errno;

use super::node::{Node, Opener, open_directory};
use crate::tree::PATH_BYTES_MAX;

/// The most bytes of names of the directory that is read and of those above it: a million files in one directory.
const NAMES_BYTES_MAX: usize = 32 << 20;
/// Bytes of memory for a name besides its text.
const NAME_BYTES: usize = 8;
/// The most directories that are open at the same time. Those above are opened again when the walk returns to them.
const OPEN_MAX: usize = 32;

/// A walk through all files.
pub(super) struct Walk {
    opener: Opener,
    root: OwnedFd,
    levels: Vec<Level>,
    /// The path of the last file.
    path: Vec<u8>,
    /// Bytes of names of all levels.
    names_bytes: usize,
}

/// A directory on the way to the last file.
struct Level {
    /// `None` for a directory that was closed meanwhile.
    directory: Option<OwnedFd>,
    names: Names,
    /// The length of its path.
    path_length: usize,
}

impl Walk {
    pub(super) fn begin(root: OwnedFd) -> io::Result<Self> {
        let directory = root.try_clone()?;
        let mut walk =
            Self { opener: Opener::new()?, root, levels: Vec::new(), path: Vec::new(), names_bytes: 0 };
        walk.enter(directory)?;
        Ok(walk)
    }

    /// The path of the file that `next` returned, below the root.
    pub(super) fn path(&self) -> &[u8] {
        &self.path
    }

    /// The next file; `None` at the end. What was removed since its directory was listed is left out.
    pub(super) fn next(&mut self) -> io::Result<Option<Node>> {
        while let Some(level) = self.levels.last_mut() {
            self.path.truncate(level.path_length);
            let Some(name) = level.names.next() else {
                self.names_bytes -= level.names.bytes();
                self.levels.pop();
                continue;
            };
            let directory = match &level.directory {
                Some(directory) => directory,
                None => match open_directory(self.root.as_fd(), &self.path) {
                    Ok(directory) => level.directory.insert(directory),
                    Err(error) if is_gone(&error) || error.kind() == io::ErrorKind::CrossesDevices => {
                        // It was moved or removed with all that was still to come.
                        level.names.clear();
                        continue;
                    }
                    Err(error) => return Err(error),
                },
            };
            if !self.path.is_empty() {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(name);
            let node = match self.opener.name(directory.as_fd(), name) {
                Ok(node) => node,
                Err(error) if is_gone(&error) => continue,
                Err(error) => return Err(error),
            };
            if self.path.len() > PATH_BYTES_MAX {
                return Err(io::Error::other("a path has more than 4095 bytes"));
            }
            if let Some(directory) = node.opened.as_ref().filter(|_| node.kind == FileType::Directory) {
                self.enter(directory.try_clone()?.into())?;
            }
            return Ok(Some(node));
        }
        Ok(None)
    }

    /// Lists a directory, the files of which come next.
    fn enter(&mut self, directory: OwnedFd) -> io::Result<()> {
        let names = Names::read(&directory, NAMES_BYTES_MAX - self.names_bytes)?;
        self.names_bytes += names.bytes();
        if let Some(far) = self.levels.len().checked_sub(OPEN_MAX) {
            self.levels[far].directory = None;
        }
        self.levels.push(Level { directory: Some(directory), names, path_length: self.path.len() });
        Ok(())
    }
}

/// Whether an error says that a name leads to another file by now, or to none.
fn is_gone(error: &io::Error) -> bool {
    let gone = [Errno::NOENT, Errno::NOTDIR, Errno::LOOP, Errno::STALE];
    error.raw_os_error().is_some_and(|code| gone.iter().any(|gone| gone.raw_os_error() == code))
}

/// The names in a directory, in order.
#[derive(Default)]
struct Names {
    texts: Vec<u8>,
    /// Where each begins and ends; the next one is the last.
    places: Vec<(u32, u32)>,
}

impl Names {
    fn read(directory: &OwnedFd, bytes_max: usize) -> io::Result<Self> {
        let mut names = Self::default();
        for entry in Dir::read_from(directory)? {
            let entry = match entry {
                Ok(entry) => entry,
                // It was removed meanwhile.
                Err(Errno::NOENT) => break,
                Err(error) => return Err(error.into()),
            };
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            let start = names.texts.len();
            names.texts.extend_from_slice(name);
            let place = |at| u32::try_from(at).map_err(io::Error::other);
            names.places.push((place(start)?, place(names.texts.len())?));
            if names.bytes() > bytes_max {
                return Err(io::Error::other("a directory has too many files"));
            }
        }
        let Self { texts, places } = &mut names;
        places.sort_unstable_by(|one, other| text(texts, *other).cmp(text(texts, *one)));
        Ok(names)
    }

    fn next(&mut self) -> Option<&[u8]> {
        let place = self.places.pop()?;
        Some(text(&self.texts, place))
    }

    /// Forgets the names that are left.
    fn clear(&mut self) {
        self.places.clear();
    }

    /// Bytes of memory, which do not change while names are taken.
    fn bytes(&self) -> usize {
        self.texts.len() + self.places.capacity() * NAME_BYTES
    }
}

fn text(texts: &[u8], (start, end): (u32, u32)) -> &[u8] {
    &texts[start as usize..end as usize]
}
