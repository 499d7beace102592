//! A private copy of a database that this process cannot write to.
//!
//! In WAL mode SQLite must write beside the file even to read it. So the file and its log are copied to a temporary folder
//! and opened there. The copy can then be migrated, whatever version wrote the original.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::connection::is_blank;
use super::open_files::log_of;
use crate::{CatalogError, Result};

/// How often copying a catalogue restarts because the original changed.
const TRIES_MAX: u32 = 10;
/// The header of a log. It changes when the log restarts, and only then are earlier frames lost.
const LOG_HEADER_BYTES: u64 = 32;

/// Copies the file to a temporary folder. Dropping the folder removes the copy.
pub(super) fn copy_to_temporary(path: &Path) -> Result<(PathBuf, TempDir)> {
    let unavailable = |error: io::Error| match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            let folder = std::env::temp_dir();
            CatalogError::Full(
                format!("the copy does not fit in {}: {error}; set TMPDIR", folder.display()).into(),
            )
        }
        _ => CatalogError::Unavailable(error.into()),
    };
    let folder = tempfile::Builder::new()
        .prefix("jingku-catalog-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .map_err(unavailable)?;
    let copy = folder.path().join("catalog.db");
    copy_unchanged(path, &copy).map_err(unavailable)?;
    if is_blank(&copy) {
        return Err(CatalogError::Damaged("the file is empty, or its log is lost".into()));
    }
    Ok((copy, folder))
}

/// Copies a database and its log consistently, although another process may be writing.
///
/// The log is copied last. Unless it has restarted, it still holds every page that a checkpoint wrote to the database
/// meanwhile, so opening the copy restores those pages.
fn copy_unchanged(from: &Path, to: &Path) -> io::Result<()> {
    let (from_log, to_log) = (log_of(from), log_of(to));
    for _ in 0..TRIES_MAX {
        let before = Version::of(from, &from_log)?;
        copy_file(from, to)?;
        match copy_file(&from_log, &to_log) {
            // An empty log is like none.
            Err(error) if error.kind() == ErrorKind::NotFound => fs::write(&to_log, "")?,
            copied => copied?,
        }
        if Version::of(from, &from_log)? == before {
            return Ok(());
        }
    }
    Err(io::Error::other("the file changes too fast to be copied; run the command as the user of the server"))
}

/// Changes when the database and its log may no longer match.
#[derive(PartialEq, Eq)]
enum Version {
    /// The header of the log.
    Log(Vec<u8>),
    /// Length, modification time and inode of a database without a log.
    File(u64, (i64, i64), u64),
}

impl Version {
    fn of(path: &Path, log: &Path) -> io::Result<Self> {
        let mut header = Vec::new();
        match File::open(log) {
            Ok(file) => drop(file.take(LOG_HEADER_BYTES).read_to_end(&mut header)?),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        if !header.is_empty() {
            return Ok(Self::Log(header));
        }
        let file = fs::metadata(path)?;
        Ok(Self::File(file.len(), (file.mtime(), file.mtime_nsec()), file.ino()))
    }
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut copy = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(to)?;
    io::copy(&mut source, &mut copy).map(drop)
}
