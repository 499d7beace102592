//! A new object as a file that has no name until it is whole.
//!
//! Cheaper than a file below `tmp/` that is linked and unlinked: one name is made instead of two, and threads do not wait
//! for each other at one folder. What a killed process leaves unnamed the kernel takes away by itself.

use std::io;

use super::folder::{FILE_MODE, Folder, create_folders};
use crate::backend::Outcome;
use crate::key::Key;

/// Puts an object unless there is one. Returns nothing, having done nothing, where such files are not to be had.
#[cfg(target_os = "linux")]
pub(super) fn put(folder: &Folder, key: Key, object: &[u8]) -> io::Result<Option<Outcome>> {
    use std::fs::File;
    use std::io::Write as _;
    use std::os::fd::AsRawFd as _;

    use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};
    use rustix::io::Errno;

    let fan = folder.fan(key.kind(), key.prefix());
    let (flags, mode) = (OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC, Mode::from_raw_mode(FILE_MODE));
    let opened = match open(&fan, flags, mode) {
        Err(Errno::NOENT) => {
            create_folders(&fan)?;
            open(&fan, flags, mode)
        }
        opened => opened,
    };
    let mut file = match opened {
        // Each is how some file system, or a kernel, says that it does not know this.
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL) => return Ok(None),
        opened => File::from(opened?),
    };
    file.write_all(object)?;
    // The kernel's own name of the descriptor; to link the descriptor itself takes a privilege.
    let descriptor = format!("/proc/self/fd/{}", file.as_raw_fd());
    match linkat(CWD, descriptor, CWD, folder.object(key), AtFlags::SYMLINK_FOLLOW) {
        Ok(()) => Ok(Some(Outcome::Stored)),
        Err(Errno::EXIST) => Ok(Some(Outcome::Kept)),
        // Without /proc.
        Err(Errno::NOENT | Errno::XDEV) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// Nothing of the kind elsewhere.
#[cfg(not(target_os = "linux"))]
pub(super) fn put(_: &Folder, _: Key, _: &[u8]) -> io::Result<Option<Outcome>> {
    Ok(None)
}
