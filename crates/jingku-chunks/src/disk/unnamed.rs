//! Writes an object as a file without a name until it is complete.
//!
//! This is cheaper than linking and unlinking a file below `tmp/`: one name instead of two, and threads do not contend
//! for one folder. The kernel removes unnamed files of killed processes.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};
use rustix::io::Errno;

use super::folder::{FILE_MODE, Folder};
use crate::backend::Outcome;
use crate::key::Key;

/// Stores an object unless it exists. Returns `None`, with no effect, where such files are not supported.
pub(super) fn put(folder: &Folder, key: Key, object: &[u8]) -> io::Result<Option<Outcome>> {
    let fan = folder.fan(key.kind(), key.prefix());
    let (flags, mode) = (OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC, Mode::from_raw_mode(FILE_MODE));
    let mut file = match folder.with_fan(key, || Ok(open(&fan, flags, mode)?)) {
        Err(e) => match Errno::from_io_error(&e) {
            // File systems and kernels without support answer with one of these.
            Some(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL) => return Ok(None),
            _ => return Err(e),
        },
        Ok(file) => File::from(file),
    };
    file.write_all(object)?;
    // Linking the descriptor itself needs a privilege.
    let descriptor = format!("/proc/self/fd/{}", file.as_raw_fd());
    match linkat(CWD, descriptor, CWD, folder.object(key), AtFlags::SYMLINK_FOLLOW) {
        Ok(()) => Ok(Some(Outcome::Stored)),
        Err(Errno::EXIST) => Ok(Some(Outcome::Kept)),
        // `/proc` is not mounted.
        Err(Errno::NOENT | Errno::XDEV) => Ok(None),
        Err(e) => Err(e.into()),
    }
}
