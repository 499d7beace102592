//! Whether a QEMU process may write to a file.

use std::fs::File;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use crate::error::DiskError;
use crate::source::Source;

/// The byte that QEMU locks while it may write: `RAW_LOCK_PERM_BASE` (100) and `BLK_PERM_WRITE` (bit 1), from its
/// `block/file-posix.c` and `include/block/block-common.h`.
const WRITE_PERMISSION_BYTE: i64 = 101;

/// Refuses a file that a QEMU process on this machine has open for writing; see [`is_written`].
pub(crate) fn refuse_if_written(source: &Source) -> Result<(), DiskError> {
    if is_written(&source.file) {
        return Err(DiskError::InUse(source.path.clone()));
    }
    Ok(())
}

/// Whether a QEMU process on this machine has a file open for writing.
///
/// Takes no lock, so it never disturbs a machine. Without working locks (some network file systems, QEMU with
/// `locking=off`) it returns false; comparing the file before and after remains.
#[expect(clippy::cast_possible_truncation, reason = "libc has these small constants as int, flock as short")]
pub fn is_written(file: &File) -> bool {
    let mut lock = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: WRITE_PERMISSION_BYTE,
        l_len: 1,
        l_pid: 0,
    };
    let asked = fcntl(file, FcntlArg::F_OFD_GETLK(&mut lock));
    asked.is_ok() && lock.l_type != libc::F_UNLCK as libc::c_short
}
