//! Whether the server can work: the answer of `/readyz`.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::sync::Arc;

use jingku_catalog::Catalog;
use jingku_chunks::{Kind, Store};
use tokio::sync::Semaphore;

use crate::data_dir::DataDir;
use crate::limits::READY_TIMEOUT;
use crate::sentence::with_causes;

/// The owner's write permission of a folder.
const OWNER_WRITES: u32 = 0o200;
/// The folders that a server needs, and whether it writes into them directly.
const FOLDERS: [(&str, bool); 3] = [("", true), ("uploads", true), ("scratch", true)];
/// The same, for a store in the data directory.
const STORE_FOLDERS: [(&str, bool); 4] =
    [("store", false), ("store/chunks", false), ("store/manifests", false), ("store/tmp", true)];

/// Checks whether the folders still exist as at the start and are writable.
pub struct Readiness {
    folders: Arc<[Folder]>,
    /// A store in a bucket, which must answer.
    bucket: Option<Store>,
    /// Lets one check run at a time, so that checks of a disk that hangs block only one thread.
    turn: Arc<Semaphore>,
}

struct Folder {
    path: PathBuf,
    /// Device and inode when the server started.
    identity: (u64, u64),
    is_written: bool,
}

impl Readiness {
    /// The readiness of a server in memory, which has no folders.
    pub(crate) fn in_memory() -> Self {
        Self { folders: Arc::new([]), bucket: None, turn: Arc::new(Semaphore::new(1)) }
    }

    /// Records the folders of an existing data directory, and its store if that is in a bucket.
    pub(crate) fn of(data: &DataDir, bucket: Option<Store>) -> io::Result<Self> {
        let store_folders = STORE_FOLDERS.iter().filter(|_| bucket.is_none());
        let folders = FOLDERS.iter().chain(store_folders).map(|(name, is_written)| {
            let path = data.path().join(name);
            let found = path.metadata()?;
            Ok(Folder { path, identity: (found.dev(), found.ino()), is_written: *is_written })
        });
        Ok(Self { folders: folders.collect::<io::Result<_>>()?, bucket, ..Self::in_memory() })
    }

    /// Checks the folders and the catalogue within `READY_TIMEOUT`. Returns the problem.
    pub async fn check(&self, catalog: &Catalog) -> Result<(), String> {
        let checked = tokio::time::timeout(READY_TIMEOUT, async {
            self.check_folders().await?;
            catalog.ping().await.map_err(|error| with_causes(&error))
        });
        checked.await.unwrap_or_else(|_| {
            Err(format!("the disk or the catalogue did not answer within {} s", READY_TIMEOUT.as_secs()))
        })
    }

    async fn check_folders(&self) -> Result<(), String> {
        let (folders, turn) = (Arc::clone(&self.folders), Arc::clone(&self.turn));
        let bucket = self.bucket.clone();
        let turn = turn.acquire_owned().await.map_err(|error| error.to_string())?;
        let checked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            folders.iter().try_for_each(|folder| {
                folder.check().map_err(|error| format!("{}: {error}", folder.path.display()))
            })?;
            // Any request shows whether the bucket answers; this one is cheap.
            let listed = bucket.map(|store| store.backend().list_kind(Kind::QuarantineMark, 0));
            listed.transpose().map(drop).map_err(|error| format!("the bucket: {}", with_causes(&error)))
        });
        checked.await.map_err(|error| error.to_string())?
    }
}

impl Folder {
    fn check(&self) -> io::Result<()> {
        let found = self.path.metadata()?;
        if (found.dev(), found.ino()) != self.identity {
            return Err(io::Error::other("it is not the folder that existed when the server started"));
        }
        // Checked explicitly, because root can always write.
        if found.permissions().mode() & OWNER_WRITES == 0 {
            return Err(io::Error::from(io::ErrorKind::PermissionDenied));
        }
        // The file has no name and leaves nothing behind.
        if self.is_written { tempfile::tempfile_in(&self.path).map(drop) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[tokio::test]
    async fn every_folder_must_exist_and_be_writable() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open_or_create(folder.path()).unwrap();
        for (name, _) in FOLDERS.iter().chain(&STORE_FOLDERS) {
            fs::create_dir_all(data.path().join(name)).unwrap();
        }
        let catalog = Catalog::open_sqlite(&data.path().join("catalog.db")).await.unwrap();
        let readiness = Readiness::of(&data, None).unwrap();
        assert_eq!(readiness.check(&catalog).await, Ok(()));
        for (name, _) in FOLDERS[1..].iter().chain(&STORE_FOLDERS) {
            let (path, aside) = (data.path().join(name), data.path().join("aside"));
            fs::rename(&path, &aside).unwrap();
            let problem = readiness.check(&catalog).await.unwrap_err();
            assert!(problem.starts_with(&format!("{}: No such file", path.display())), "{problem}");
            fs::create_dir(&path).unwrap();
            let problem = readiness.check(&catalog).await.unwrap_err();
            assert!(problem.contains("not the folder"), "{problem}");
            fs::remove_dir(&path).unwrap();
            fs::rename(&aside, &path).unwrap();
            assert_eq!(readiness.check(&catalog).await, Ok(()));
            let modes = [0o500, 0o700].map(fs::Permissions::from_mode);
            fs::set_permissions(&path, modes[0].clone()).unwrap();
            let problem = readiness.check(&catalog).await.unwrap_err();
            assert!(problem.starts_with(&format!("{}: permission denied", path.display())), "{problem}");
            fs::set_permissions(&path, modes[1].clone()).unwrap();
        }
        assert_eq!(fs::read_dir(data.path().join("uploads")).unwrap().count(), 0, "nothing is left behind");
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_times_out() {
        let readiness = Readiness::in_memory();
        let _hangs = readiness.turn.acquire().await.unwrap();
        let catalog = Catalog::open_sqlite_in_memory().await.unwrap();
        let problem = readiness.check(&catalog).await.unwrap_err();
        assert!(problem.contains("did not answer"), "{problem}");
    }
}
