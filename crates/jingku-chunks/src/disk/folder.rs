//! The layout of the store's folder.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::format::FORMAT;
use crate::key::{Key, Kind};

const FOLDERS: [&str; 3] = ["chunks", "manifests", "tmp"];

/// Only the owner has access, whatever the umask: the files hold the contents of disks.
pub(super) const FILE_MODE: u32 = 0o600;
pub(super) const FOLDER_MODE: u32 = 0o700;

pub(super) fn create_folders(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)
}

/// Returns `None` for a file that does not exist.
pub(super) fn if_found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

#[derive(Clone)]
pub(super) struct Folder {
    path: Arc<Path>,
}

impl Folder {
    /// Creates an empty store. The `format` file comes last, so that an interrupted `create` can be repeated.
    pub(super) fn create(path: &Path) -> Result<()> {
        let create = || {
            create_folders(path)?;
            for entry in fs::read_dir(path)? {
                if !FOLDERS.map(OsString::from).contains(&entry?.file_name()) {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
            }
            for name in FOLDERS {
                create_folders(&path.join(name))?;
            }
            // Staged and linked: visible completely or not at all, and only one of two creators succeeds.
            let staged = path.join("tmp").join(format!("format.{}", std::process::id()));
            let mut file =
                File::options().write(true).create(true).truncate(true).mode(FILE_MODE).open(&staged)?;
            file.write_all(FORMAT.as_bytes())?;
            file.sync_all()?;
            let linked = fs::hard_link(&staged, path.join("format"));
            fs::remove_file(&staged)?;
            linked?;
            File::open(path)?.sync_all()
        };
        create().map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => Error::AlreadyExists(path.to_owned()),
            _ => Error::io(format!("create a store in {}", path.display()), e),
        })
    }

    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut found = Vec::new();
        let read = if_found(File::open(path.join("format"))).and_then(|file| {
            // One byte more than expected is enough to recognise another file.
            file.map(|file| file.take(FORMAT.len() as u64 + 1).read_to_end(&mut found)).transpose()
        });
        read.map_err(|e| Error::io(format!("open the store in {}", path.display()), e))?;
        if found != FORMAT.as_bytes() {
            let found = String::from_utf8_lossy(&found).into_owned();
            return Err(Error::UnknownFormat { path: path.to_owned(), found });
        }
        Ok(Self { path: path.into() })
    }

    /// Where objects are written before they get their names.
    pub(super) fn tmp(&self) -> PathBuf {
        self.path.join("tmp")
    }

    /// Locked shared while a claim grows, exclusively while a sweep deletes.
    pub(super) fn gate(&self) -> PathBuf {
        self.path.join("chunks")
    }

    /// The folder of all objects of a kind whose names begin with this byte.
    pub(super) fn fan(&self, kind: Kind, prefix: u8) -> PathBuf {
        self.path.join(kind.folder()).join(format!("{prefix:02x}"))
    }

    pub(super) fn object(&self, key: Key) -> PathBuf {
        self.fan(key.kind(), key.prefix()).join(key.name())
    }

    /// Runs `act`, which needs the folder of an object, and creates the folder if it is missing.
    pub(super) fn with_fan<T>(&self, key: Key, act: impl Fn() -> io::Result<T>) -> io::Result<T> {
        match act() {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                create_folders(&self.fan(key.kind(), key.prefix()))?;
                act()
            }
            done => done,
        }
    }
}
