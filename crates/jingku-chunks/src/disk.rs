//! Objects as files in one folder; `docs/format/README.md` shows the layout.

mod claims;
mod folder;
mod session;
mod unnamed;

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use self::claims::{DiskClaim, DiskWatch, NoClaim};
use self::folder::{Folder, if_found};
use self::session::Session;
use crate::backend::{Backend, Claim, ClaimWatch, Existing, Object, Outcome, Stage};
use crate::error::{Error, Result};
use crate::id::ChunkId;
use crate::key::{Key, Kind};

/// Stores objects as files in a folder on a local file system.
///
/// Any number of threads and processes may use one folder. The file system must support hard links and `flock`.
pub struct Disk {
    folder: Folder,
    /// `None` if opened read-only.
    session: Option<Arc<Session>>,
    /// Opened first, because a write error before a descriptor was opened is not reported to it.
    root: File,
    /// Whether a sync has failed. Locked during a sync.
    sync_failed: Mutex<bool>,
}

impl Disk {
    /// Creates an empty store in a folder, which is created if missing. Fails with `AlreadyExists` if the folder
    /// contains anything else.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        Folder::create(path.as_ref())?;
        Self::open(path)
    }

    /// Opens the store in a folder and removes what killed writers left in its `tmp`. Fails with `UnknownFormat` if
    /// there is no store or its version is unknown.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let folder = Folder::open(path.as_ref())?;
        let session = Session::start(&folder.tmp()).map_err(|e| Error::io("open the tmp folder", e))?;
        Self::new(path.as_ref(), folder, Some(Arc::new(session)))
    }

    /// Opens the store without writing to it. Changes fail, and nothing protects what is read from sweeps of other
    /// processes.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self> {
        Self::new(path.as_ref(), Folder::open(path.as_ref())?, None)
    }

    fn new(path: &Path, folder: Folder, session: Option<Arc<Session>>) -> Result<Self> {
        Ok(Self {
            root: File::open(path).map_err(|e| Error::io("open the store's folder", e))?,
            folder,
            session,
            sync_failed: Mutex::new(false),
        })
    }

    fn staged(&self) -> io::Result<StagedFile> {
        let session = self.session()?;
        let (file, path) = session.create_file("")?;
        Ok(StagedFile { file, path, folder: self.folder.clone(), _session: Arc::clone(session) })
    }

    /// Returns the session to write in; fails if the store is read-only.
    fn session(&self) -> io::Result<&Arc<Session>> {
        self.session.as_ref().ok_or_else(|| io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

impl Backend for Disk {
    fn put(&self, key: Key, object: &[u8], existing: Existing) -> Result<Outcome> {
        let put = || {
            self.session()?;
            if existing == Existing::Keep
                && let Some(outcome) = unnamed::put(&self.folder, key, object)?
            {
                return Ok(outcome);
            }
            let mut staged = self.staged()?;
            staged.file.write_all(object)?;
            staged.publish(key, existing)
        };
        put().map_err(|e| Error::io(format!("write {key}"), e))
    }

    fn stage(&self) -> Result<Box<dyn Stage>> {
        let staged = self.staged().map_err(|e| Error::io("make a temporary file", e))?;
        Ok(Box::new(staged))
    }

    fn read(&self, key: Key) -> Result<Object> {
        let open = || {
            let file = File::open(self.folder.object(key))?;
            Ok(Object { length: file.metadata()?.len(), body: Box::new(file) })
        };
        open().map_err(|e| Error::object("read", key, e))
    }

    fn read_part(&self, key: Key, offset: u64, length: usize) -> Result<Vec<u8>> {
        let read = || {
            let mut file = File::open(self.folder.object(key))?;
            file.seek(SeekFrom::Start(offset))?;
            let mut part = Vec::with_capacity(length);
            file.take(length as u64).read_to_end(&mut part)?;
            Ok(part)
        };
        read().map_err(|e| Error::object("read", key, e))
    }

    fn list(&self, kind: Kind, prefix: u8) -> Result<Vec<Key>> {
        let path = self.folder.fan(kind, prefix);
        let list = || {
            let mut keys = Vec::new();
            for entry in if_found(fs::read_dir(&path))?.into_iter().flatten() {
                // Files with other names do not belong to the store.
                let id = entry?.file_name().to_str().and_then(|name| name.parse::<ChunkId>().ok());
                keys.extend(id.map(|ChunkId(name)| Key::new(kind, name)));
            }
            Ok(keys)
        };
        list().map_err(|e| Error::io(format!("list {}", path.display()), e))
    }

    fn delete(&self, key: Key) -> Result<()> {
        let removed = self.session().and_then(|_| if_found(fs::remove_file(self.folder.object(key))));
        removed.map(drop).map_err(|e| Error::object("delete", key, e))
    }

    fn sync(&self) -> Result<()> {
        // The kernel reports a failed write once, to one caller, and then considers the lost pages clean. A later or
        // concurrent sync for another image must not succeed.
        let mut failed = self.sync_failed.lock().unwrap_or_else(PoisonError::into_inner);
        if *failed {
            let source = io::Error::other("an earlier sync failed; check the disk, then restart");
            return Err(Error::Io { doing: "sync".into(), source });
        }
        let synced = rustix::fs::syncfs(&self.root);
        *failed = synced.is_err();
        synced.map_err(|e| Error::io("sync", e.into()))
    }

    fn claim(&self) -> Result<Box<dyn Claim>> {
        match &self.session {
            Some(session) => Ok(Box::new(DiskClaim::start(session, &self.folder.gate())?)),
            None => Ok(Box::new(NoClaim)),
        }
    }

    fn watch_claims(&self) -> Result<Box<dyn ClaimWatch>> {
        let start = || {
            if self.session.is_some() {
                // Their claims do not count.
                Session::remove_dead(&self.folder.tmp())?;
            }
            DiskWatch::start(self.folder.tmp(), &self.folder.gate())
        };
        Ok(Box::new(start().map_err(|e| Error::io("look for claims", e))?))
    }
}

/// A file below `tmp/`, deleted when dropped.
struct StagedFile {
    file: File,
    path: PathBuf,
    folder: Folder,
    _session: Arc<Session>,
}

impl StagedFile {
    fn publish(self, key: Key, existing: Existing) -> io::Result<Outcome> {
        let target = self.folder.object(key);
        match existing {
            Existing::Keep => match self.folder.with_fan(key, || fs::hard_link(&self.path, &target)) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(Outcome::Kept),
                linked => linked.map(|()| Outcome::Stored),
            },
            Existing::Replace => {
                self.file.sync_all()?;
                self.folder.with_fan(key, || fs::rename(&self.path, &target))?;
                Ok(Outcome::Stored)
            }
        }
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        // Already gone after a rename. Otherwise the session's folder is removed later.
        let _ = fs::remove_file(&self.path);
    }
}

impl Stage for StagedFile {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|e| Error::io("write a temporary file", e))
    }

    fn commit(self: Box<Self>, key: Key, existing: Existing) -> Result<Outcome> {
        self.publish(key, existing).map_err(|e| Error::io(format!("write {key}"), e))
    }
}
