//! The folder of a backup: what lies where, and whether it is what was put there.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jingku_chunks::{Disk, Store};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::BackupError;

const RECORD: &str = "backup";
const KEYS: &str = "keys";
/// The version of the folder and of the record.
const VERSION: u32 = 1;
/// A record is a few hundred bytes.
const RECORD_BYTES_MAX: u64 = 64 << 10;

/// What was backed up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) version: u32,
    /// When, in Unix seconds.
    pub(super) taken_at: i64,
    /// The BLAKE3 hash of the catalogue, which is in its file's name too.
    pub(super) catalog: String,
    /// Files below `keys`, with their hashes.
    pub(super) keys: Vec<(String, String)>,
    pub(super) images: u64,
}

/// What every version of a record says.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// A backup's folder, held by one command.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Opens the folder of a backup, finished or not, or makes it, for its owner only.
    pub(super) fn open_or_create(path: &Path) -> Result<Self, BackupError> {
        let failed = |source| BackupError::Io { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        let path = path.canonicalize().map_err(failed)?;
        let names = fs::read_dir(&path).map_err(failed)?.map(|entry| entry.map(|entry| entry.file_name()));
        let names = names.collect::<io::Result<Vec<_>>>().map_err(failed)?;
        // The lock is the first file, and nobody else's folder has both.
        let ours = names.iter().any(|name| name == "lock")
            && names.iter().all(|name| name == "lock" || name == "store" || name == RECORD || ours(name));
        if !names.is_empty() && !ours {
            return Err(BackupError::NotABackup(path));
        }
        Self::lock(path)
    }

    /// Opens the folder of a finished backup.
    pub(super) fn open(path: &Path) -> Result<Self, BackupError> {
        if !path.join(RECORD).is_file() {
            return Err(BackupError::NoBackup(path.to_owned()));
        }
        let path = path.canonicalize().map_err(|source| BackupError::Io { path: path.to_owned(), source })?;
        Self::lock(path)
    }

    fn lock(path: PathBuf) -> Result<Self, BackupError> {
        let lock = path.join("lock");
        let file = private().create(true).truncate(false).write(true).open(&lock);
        let file = file.map_err(|source| BackupError::Io { path: lock, source })?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { path, _lock: file }),
            Err(_) => Err(BackupError::InUse(path)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn objects(&self) -> Result<(Disk, Store), BackupError> {
        open_objects(&self.path.join("store"))
    }

    /// Where a catalogue is written before its hash is known.
    pub(super) fn staged_catalog(&self) -> PathBuf {
        self.path.join("catalog.new")
    }

    pub(super) fn catalog(&self, hash: &str) -> PathBuf {
        self.path.join(format!("catalog-{hash}.db"))
    }

    pub(super) fn key(&self, name: &str) -> PathBuf {
        self.path.join(KEYS).join(name)
    }

    /// Reads what was backed up.
    pub(super) fn record(&self) -> Result<Record, BackupError> {
        let path = self.path.join(RECORD);
        let mut text = String::new();
        let read = File::open(&path).and_then(|file| file.take(RECORD_BYTES_MAX).read_to_string(&mut text));
        let damaged = || BackupError::DamagedFile(path.clone());
        match read {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(damaged()),
            read => read.map_err(|source| BackupError::Io { path: path.clone(), source })?,
        };
        let (line, hash) = text.split_once('\n').ok_or_else(damaged)?;
        if hash != format!("{}\n", blake3::hash(line.as_bytes())) {
            return Err(damaged());
        }
        let Version { version } = serde_json::from_str(line).map_err(|_| damaged())?;
        if version > VERSION {
            return Err(BackupError::Newer(self.path.clone()));
        }
        serde_json::from_str(line).map_err(|_| damaged())
    }

    /// Makes what is in the folder the backup from now on, and removes the catalogues of others.
    pub(super) fn finish(&self, record: &Record) -> Result<(), BackupError> {
        let record = Record { version: VERSION, ..record.clone() };
        let line = serde_json::to_string(&record).expect("a record has a JSON form");
        let text = format!("{line}\n{}\n", blake3::hash(line.as_bytes()));
        write_whole(&self.path, RECORD, text.as_bytes())?;
        let kept = self.catalog(&record.catalog);
        for entry in fs::read_dir(&self.path).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let catalog = name.to_str().is_some_and(|name| name.starts_with("catalog"));
            if catalog && entry.path() != kept {
                // What stays is removed by the next backup.
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    /// Puts a file below `keys`, and tells its hash.
    pub(super) fn keep_key(&self, name: &str, from: &Path) -> Result<Option<(String, String)>, BackupError> {
        let bytes = match fs::read(from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|source| BackupError::Io { path: from.to_owned(), source })?,
        };
        let folder = self.path.join(KEYS);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|source| BackupError::Io { path: folder.clone(), source })?;
        write_whole(&folder, name, &bytes)?;
        Ok(Some((name.to_owned(), blake3::hash(&bytes).to_string())))
    }
}

fn ours(name: &std::ffi::OsStr) -> bool {
    let ours = |name: &str| name == KEYS || name == ".backup.new" || name.starts_with("catalog");
    name.to_str().is_some_and(ours)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Opens the store in a folder, or makes it.
pub(super) fn open_objects(path: &Path) -> Result<(Disk, Store), BackupError> {
    let open = || match Disk::open(path) {
        Err(jingku_chunks::Error::UnknownFormat { found, .. }) if found.is_empty() => Disk::create(path),
        opened => opened,
    };
    Ok((open()?, Store::new(open()?)))
}

/// Writes a file as a whole, for its owner only, replacing what was there.
pub(super) fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), BackupError> {
    let (path, staged) = (folder.join(name), folder.join(format!(".{name}.new")));
    let write = || {
        let mut file = private().create(true).truncate(true).write(true).open(&staged)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        put_in_place(&staged, &path)
    };
    write().map_err(|source| BackupError::Io { path: path.clone(), source })
}

/// Gives a durable file its name, durably.
pub(super) fn put_in_place(staged: &Path, path: &Path) -> io::Result<()> {
    fs::rename(staged, path)?;
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// The BLAKE3 hash of a file.
pub(super) fn hash_file(path: &Path) -> Result<String, BackupError> {
    let mut hasher = blake3::Hasher::new();
    let read = File::open(path).and_then(|file| io::copy(&mut io::BufReader::new(file), &mut hasher));
    read.map_err(|source| BackupError::Io { path: path.to_owned(), source })?;
    Ok(hasher.finalize().to_string())
}

/// Removes a catalogue's file with those that belong to it while it is open.
pub(super) fn remove_catalog(path: &Path) -> Result<(), BackupError> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        match fs::remove_file(&name) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(BackupError::Io { path: name.into(), source });
            }
            _ => {}
        }
    }
    Ok(())
}
