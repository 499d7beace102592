//! Writing a new, sparse qcow2 file.

use std::io;
use std::path::{Path, PathBuf};

use imago::file::File as ImagoFile;
use imago::qcow2::Qcow2;
use imago::{DenyImplicitOpenGate, FormatAccess, FormatCreateBuilder};
use tempfile::NamedTempFile;

use super::header::SECTOR_BYTES;
use crate::error::DiskError;

/// Writes a disk into a new qcow2 file (version 3, 64 KiB clusters, not compressed).
///
/// Unwritten parts take no space. Nothing exists at the path before [`Qcow2Writer::finish`]: a temporary file beside it
/// is removed when the writer is dropped. Only the owner may read the file.
#[derive(Debug)]
pub struct Qcow2Writer {
    // Before `staged`: dropping it writes tables to the file.
    access: FormatAccess<ImagoFile>,
    staged: NamedTempFile,
    path: PathBuf,
}

impl Qcow2Writer {
    /// Creates a qcow2 file for a disk of `size_bytes`, initially zeros.
    ///
    /// The size is rounded up to whole sectors of 512 bytes, as `qemu-img convert` does: QEMU ignores a partial sector.
    /// Fails if the path exists or the format does not support the size.
    pub fn create(path: &Path, size_bytes: u64) -> Result<Qcow2Writer, DiskError> {
        if path.exists() {
            let source = io::ErrorKind::AlreadyExists.into();
            return Err(DiskError::Io { action: "create", path: path.to_owned(), source });
        }
        let staged = tempfile::Builder::new()
            .prefix(".jingku-export-")
            .tempfile_in(folder_of(path))
            .map_err(DiskError::io("create a file beside", path))?;
        let access = staged
            .as_file()
            .try_clone()
            .and_then(|file| create_image(file, size_bytes.next_multiple_of(SECTOR_BYTES)));
        let access = access.map_err(DiskError::io("create", path))?;
        Ok(Qcow2Writer { access, staged, path: path.to_owned() })
    }

    /// Writes `data` at `offset` of the disk.
    ///
    /// Any order is fast. Skip zeros in whole clusters of 64 KiB for the smallest file. Fails beyond the size.
    pub fn write_at(&mut self, offset: u64, data: &[u8]) -> Result<(), DiskError> {
        self.access.write(data, offset).map_err(DiskError::io("write", &self.path))
    }

    /// Makes the file durable and names it, unless the name is taken meanwhile.
    pub fn finish(self) -> Result<(), DiskError> {
        let Qcow2Writer { access, staged, path } = self;
        access.flush().map_err(DiskError::io("write", &path))?;
        drop(access);
        staged.as_file().sync_all().map_err(DiskError::io("write", &path))?;
        staged.persist_noclobber(&path).map_err(|err| DiskError::io("create", &path)(err.error))?;
        let folder = std::fs::File::open(folder_of(&path)).and_then(|folder| folder.sync_all());
        folder.map_err(DiskError::io("write the folder of", &path))
    }
}

fn create_image(file: std::fs::File, size_bytes: u64) -> io::Result<FormatAccess<ImagoFile>> {
    let image: Qcow2<ImagoFile> = Qcow2::create_builder(ImagoFile::try_from(file)?)
        .size(size_bytes)
        .create_open(DenyImplicitOpenGate::default(), |file| Ok(Qcow2::builder(file).backing(None)))?;
    Ok(FormatAccess::new(image))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}
