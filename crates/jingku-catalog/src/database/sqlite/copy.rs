//! A private copy of a database that this process cannot write to.
//!
//! SQLite needs to write beside a file in WAL mode even to read it. So the file and its log are copied to a temporary
//! folder and opened there. That also brings the schema of the copy up to date, whatever version wrote the original.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Sqlite, is_blank};
use crate::{CatalogError, Result};

/// How often the copying of a catalogue starts over because the original changed.
const TRIES_MAX: u32 = 10;
/// The header of a log. It changes when the log starts over, and only then are earlier frames gone.
const LOG_HEADER_BYTES: u64 = 32;

impl Sqlite {
    /// Copies the file to a temporary folder and opens it there. The copy is removed with the folder.
    pub(crate) fn open_copy(path: &Path) -> Result<(Self, TempDir)> {
        let unavailable = |error: io::Error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                let place = std::env::temp_dir();
                CatalogError::Full(
                    format!("its copy does not fit in {}: {error}; set TMPDIR", place.display()).into(),
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
        Ok((Self::open(&copy)?, folder))
    }
}

/// Copies a database and its log so that both belong together, although another process may be writing.
///
/// The log is copied last. While it has not started over, it still holds every page that a checkpoint moved into the
/// database meanwhile, so opening the copy puts those pages right.
fn copy_unchanged(from: &Path, to: &Path) -> io::Result<()> {
    let (from_log, to_log) = (log_of(from), log_of(to));
    for _ in 0..TRIES_MAX {
        let before = Version::of(from, &from_log)?;
        copy_file(from, to)?;
        match copy_file(&from_log, &to_log) {
            Err(error) if error.kind() == ErrorKind::NotFound => remove_if_there(&to_log)?,
            copied => copied?,
        }
        if Version::of(from, &from_log)? == before {
            return Ok(());
        }
    }
    Err(io::Error::other(
        "it changes too fast to be copied; run the command as the user whose server writes it",
    ))
}

/// What says whether the database and its log still belong together.
#[derive(PartialEq, Eq)]
enum Version {
    /// The header of the log.
    Log(Vec<u8>),
    /// Length, time and inode of the database, which has no log.
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

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}
