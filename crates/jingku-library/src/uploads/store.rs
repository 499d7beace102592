//! The folder of files on their way in, and who has which.

use std::collections::HashMap;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use tempfile::TempDir;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::hashed::Hashed;
use crate::blocking;
use crate::disk_space::DiskSpace;
use crate::error::Internal;
use crate::failpoint;
use crate::lock::lock;

/// The end of the name of a file that is unpacked; what it is made of still stands beside it.
pub(crate) const UNPACKED: &str = "unpacked";

/// Files that are uploaded.
pub struct UploadStore {
    folder: Folder,
    disk_space: Option<DiskSpace>,
    /// What is known of each file that was looked at, held by whoever has the file.
    known: Mutex<HashMap<String, Arc<AsyncMutex<Option<Hashed>>>>>,
}

enum Folder {
    Fixed(PathBuf),
    /// Made when the first file comes, gone with the server.
    Temporary(OnceLock<TempDir>),
}

/// The right to one file.
pub struct UploadLock {
    pub(super) path: PathBuf,
    pub(super) known: OwnedMutexGuard<Option<Hashed>>,
    pub(super) disk_space: Option<DiskSpace>,
}

fn private_folder() -> io::Result<TempDir> {
    let owner_only = Permissions::from_mode(0o700);
    tempfile::Builder::new().prefix("jingku-uploads-").permissions(owner_only).tempdir()
}

impl UploadStore {
    pub(crate) fn in_folder(folder: PathBuf, disk_space: DiskSpace) -> Self {
        Self { folder: Folder::Fixed(folder), disk_space: Some(disk_space), known: Mutex::default() }
    }

    pub(crate) fn in_temporary_folder() -> Self {
        Self { folder: Folder::Temporary(OnceLock::new()), disk_space: None, known: Mutex::default() }
    }

    fn folder(&self) -> io::Result<&Path> {
        match &self.folder {
            Folder::Fixed(path) => Ok(path),
            Folder::Temporary(made) => {
                if made.get().is_none() {
                    // Of two, one is gone at once.
                    let _ = made.set(private_folder()?);
                }
                Ok(made.get().map_or(Path::new("/"), TempDir::path))
            }
        }
    }

    /// Where the file of an image is.
    pub fn path(&self, image_id: &str) -> Result<PathBuf, Internal> {
        // Ids come from the catalogue, and none holds a slash.
        Ok(self.folder().map_err(Internal::UploadFile)?.join(image_id))
    }

    /// Takes the file of an image, unless somebody has it.
    pub fn take(&self, image_id: &str) -> Result<Option<UploadLock>, Internal> {
        let path = self.path(image_id)?;
        let entry = Arc::clone(lock(&self.known).entry(image_id.to_owned()).or_default());
        Ok(entry.try_lock_owned().ok().map(|known| UploadLock {
            path,
            known,
            disk_space: self.disk_space.clone(),
        }))
    }

    /// Forgets what is known of a file that nothing is added to any more.
    pub fn close(&self, image_id: &str) {
        lock(&self.known).remove(image_id);
    }

    /// Tells whether a request has the file of an image.
    pub fn is_taken(&self, image_id: &str) -> bool {
        lock(&self.known).get(image_id).is_some_and(|known| known.try_lock().is_err())
    }

    /// Removes the file of an image, if there is one. A request that has it finds out from the catalogue.
    pub fn remove(&self, image_id: &str) {
        self.close(image_id);
        failpoint::reached("upload.removing");
        if let Ok(path) = self.path(image_id) {
            blocking::in_place(|| {
                remove(&path.with_extension(UNPACKED));
                remove(&path);
            });
        }
    }

    /// The images that there are files of.
    pub fn list(&self) -> Vec<String> {
        let folder = match &self.folder {
            Folder::Fixed(path) => Some(path.as_path()),
            Folder::Temporary(made) => made.get().map(TempDir::path),
        };
        let entries = folder.and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
        let stem = |entry: fs::DirEntry| Some(entry.path().file_stem()?.to_str()?.to_owned());
        blocking::in_place(|| entries.filter_map(stem).collect())
    }
}

fn remove(path: &Path) {
    match fs::remove_file(path) {
        Ok(()) => {
            // Some file systems give blocks back only when the folder is synced.
            let folder = path.parent().map(File::open);
            let _ = folder.map(|folder| folder.and_then(|folder| folder.sync_all()));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(path = %path.display(), %error, "cannot remove an uploaded file"),
    }
}
