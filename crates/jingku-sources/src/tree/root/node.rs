//! One file below a root.

use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::path::DecInt;

/// Names of extended attributes that belong to a file. Others belong to the machine, as `security.selinux`, or to the
/// overlay.
const ATTRIBUTES: [&[u8]; 3] =
    [b"security.capability", b"system.posix_acl_access", b"system.posix_acl_default"];
const USER_ATTRIBUTES: &[u8] = b"user.";
/// Attributes of an overlay that was mounted without rights.
const OVERLAY_ATTRIBUTES: &[u8] = b"user.overlay.";
/// The most bytes of the names of all attributes, and of the value of one: the limits of Linux.
const ATTRIBUTE_BYTES_MAX: usize = 64 << 10;
/// Bytes that hold the names of the attributes of most files.
const NAMES_BYTES: usize = 256;

/// An extended attribute: its name and value.
pub(super) type Attribute = (Vec<u8>, Vec<u8>);

/// A file of any kind.
pub(super) struct Node {
    /// The file as a place: reading needs another step.
    place: OwnedFd,
    pub(super) kind: FileType,
    pub(super) stat: Stat,
    /// A file or directory, opened for reading.
    pub(super) opened: Option<File>,
}

/// How paths are followed: through nothing but directories of the same mount.
const INSIDE: ResolveFlags =
    ResolveFlags::NO_SYMLINKS.union(ResolveFlags::NO_MAGICLINKS).union(ResolveFlags::NO_XDEV);

/// Opens files below directories.
pub(super) struct Opener {
    /// `/proc/self/fd`, which leads from a place to its file.
    places: OwnedFd,
}

impl Opener {
    pub(super) fn new() -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { places: rustix::fs::open("/proc/self/fd", flags, Mode::empty())? })
    }

    /// Opens a path below a directory.
    pub(super) fn path(&self, directory: BorrowedFd<'_>, path: &[u8]) -> io::Result<Node> {
        self.open(directory, path, INSIDE | ResolveFlags::BENEATH)
    }

    /// Opens a name that a directory has. Such a name leads nowhere else, so the kernel need not check that; its check
    /// fails for a file that is moved at this moment.
    pub(super) fn name(&self, directory: BorrowedFd<'_>, name: &[u8]) -> io::Result<Node> {
        self.open(directory, name, INSIDE)
    }

    fn open(&self, directory: BorrowedFd<'_>, path: &[u8], how: ResolveFlags) -> io::Result<Node> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let place = rustix::fs::openat2(directory, path, flags, Mode::empty(), how)?;
        let stat = rustix::fs::fstat(&place)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        let is_readable = matches!(kind, FileType::RegularFile | FileType::Directory);
        let opened = is_readable.then(|| self.read(&place)).transpose()?;
        Ok(Node { place, kind, stat, opened })
    }

    /// Opens a place for reading: this file, whatever has its name by now.
    fn read(&self, place: &OwnedFd) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let name = DecInt::from_fd(place);
        Ok(rustix::fs::openat(&self.places, name.as_c_str(), flags, Mode::empty())?.into())
    }
}

impl Node {
    /// The target of a symbolic link.
    pub(super) fn target(&self) -> io::Result<Vec<u8>> {
        Ok(rustix::fs::readlinkat(&self.place, "", Vec::new())?.into_bytes())
    }
}

/// Opens a directory below another for reading.
pub(super) fn open_directory(root: BorrowedFd<'_>, path: &[u8]) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::openat2(root, path, flags, Mode::empty(), INSIDE | ResolveFlags::BENEATH)?)
}

/// The extended attributes that belong to an open file, in order.
pub(super) fn attributes(file: &File) -> io::Result<Vec<Attribute>> {
    let Some(names) = names(file)? else { return Ok(Vec::new()) };
    let mut attributes = Vec::new();
    for name in names.split(|byte| *byte == 0) {
        let is_users = name.starts_with(USER_ATTRIBUTES) && !name.starts_with(OVERLAY_ATTRIBUTES);
        // An archive cannot have such a name: the value would begin there.
        let has_sign = name.contains(&b'=');
        if !(is_users || ATTRIBUTES.contains(&name)) || has_sign {
            continue;
        }
        let mut value = vec![0; ATTRIBUTE_BYTES_MAX];
        match rustix::fs::fgetxattr(file, name, &mut value[..]) {
            Ok(length) => value.truncate(length),
            Err(rustix::io::Errno::NODATA) => continue,
            Err(error) => return Err(error.into()),
        }
        attributes.push((name.to_vec(), value));
    }
    attributes.sort();
    Ok(attributes)
}

/// The names of all attributes, each with a zero at its end; `None` without attributes.
fn names(file: &File) -> io::Result<Option<Vec<u8>>> {
    let mut few = [0; NAMES_BYTES];
    match rustix::fs::flistxattr(file, &mut few[..]) {
        Ok(0) | Err(rustix::io::Errno::NOTSUP) => Ok(None),
        Ok(length) => Ok(Some(few[..length].to_vec())),
        Err(rustix::io::Errno::RANGE) => {
            let mut names = vec![0; ATTRIBUTE_BYTES_MAX];
            let length = rustix::fs::flistxattr(file, &mut names[..])?;
            names.truncate(length);
            Ok(Some(names))
        }
        Err(error) => Err(error.into()),
    }
}
