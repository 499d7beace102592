//! Durable changes of small files, and files that only the owner can read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

/// Options that create files for the owner only.
pub(crate) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Creates a folder for the owner only, and its parents, unless it exists.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// The result of an operation on a file; `None` if the file does not exist.
pub(crate) fn if_found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

/// Replaces a file as a whole. A reader sees the old or the new content, also after a power cut.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    let staged = path.with_file_name(name);
    let mut file = private_file().create(true).truncate(true).write(true).open(&staged)?;
    give_to_owner_of_folder(&file, path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    rename(&staged, path)
}

/// Changes the owner of a file that root creates in another user's folder, as SQLite does with its files: the server,
/// which runs as that user, must be able to read and replace it.
fn give_to_owner_of_folder(file: &File, path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent().map(fs::metadata).transpose()? else { return Ok(()) };
    if file.metadata()?.uid() == 0 && folder.uid() != 0 {
        fchown(file, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(())
}

pub(crate) fn rename(staged: &Path, path: &Path) -> io::Result<()> {
    fs::rename(staged, path)?;
    sync_parent(path)
}

/// Makes changes of a folder's entries durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes the entry of a path durable.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), sync_folder)
}
