//! The folder of uploaded files and their locks.

use std::collections::HashMap;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use tempfile::TempDir;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::hashed::Hashed;
use crate::disk_space::DiskSpace;
use crate::error::Internal;
use crate::lock::lock;
use crate::{blocking, durable, failpoint};

/// Extension of a file while it is unpacked next to the compressed one.
pub(crate) const UNPACKED: &str = "unpacked";

/// The uploaded files.
pub struct UploadStore {
    /// The folder, and its owner if it is temporary: created for the first file and removed with the server.
    folder: OnceLock<(PathBuf, Option<TempDir>)>,
    disk_space: Option<DiskSpace>,
    /// The state of each file. A request locks it to use the file.
    known: Mutex<HashMap<String, Arc<AsyncMutex<Option<Hashed>>>>>,
}

/// The lock of one file.
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
        Self { folder: (folder, None).into(), disk_space: Some(disk_space), known: Mutex::default() }
    }

    pub(crate) fn in_temporary_folder() -> Self {
        Self { folder: OnceLock::new(), disk_space: None, known: Mutex::default() }
    }

    fn folder(&self) -> io::Result<&Path> {
        if self.folder.get().is_none() {
            let made = private_folder()?;
            // If two threads create one, the second is removed at once.
            let _ = self.folder.set((made.path().to_owned(), Some(made)));
        }
        Ok(self.folder.get().map_or(Path::new("/"), |(path, _)| path))
    }

    /// The path of an image's file.
    pub fn path(&self, image_id: &str) -> Result<PathBuf, Internal> {
        // Ids come from the catalogue and contain no slash.
        Ok(self.folder().map_err(Internal::UploadFile)?.join(image_id))
    }

    /// Locks the file of an image; `None` if it is locked already.
    pub fn take(&self, image_id: &str) -> Result<Option<UploadLock>, Internal> {
        let path = self.path(image_id)?;
        let entry = Arc::clone(lock(&self.known).entry(image_id.to_owned()).or_default());
        Ok(entry.try_lock_owned().ok().map(|known| UploadLock {
            path,
            known,
            disk_space: self.disk_space.clone(),
        }))
    }

    /// Drops the state of a complete file.
    pub fn close(&self, image_id: &str) {
        lock(&self.known).remove(image_id);
    }

    /// Whether a request has locked the file of an image.
    pub fn is_taken(&self, image_id: &str) -> bool {
        lock(&self.known).get(image_id).is_some_and(|known| known.try_lock().is_err())
    }

    /// Removes the file of an image. A request that has it locked learns of that from the catalogue.
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

    /// The images that have files.
    pub fn list(&self) -> Vec<String> {
        let folder = self.folder.get().and_then(|(folder, _)| fs::read_dir(folder).ok());
        let entries = folder.into_iter().flatten().flatten();
        let stem = |entry: fs::DirEntry| Some(entry.path().file_stem()?.to_str()?.to_owned());
        blocking::in_place(|| entries.filter_map(stem).collect())
    }
}

fn remove(path: &Path) {
    match durable::if_found(fs::remove_file(path)) {
        Ok(None) => {}
        Ok(Some(())) => {
            // Some file systems free blocks only when the folder is synced.
            let _ = durable::sync_parent(path);
        }
        Err(error) => tracing::warn!(path = %path.display(), %error, "cannot remove an uploaded file"),
    }
}
