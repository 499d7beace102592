//! The folder of a backup: its files and their integrity.

use std::fs::{self, DirEntry, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use jingku_chunks::{Disk, Store};

use super::BackupError;
use super::record::{Generation, GenerationRecord};
use crate::durable::{self, if_found, private_file};
use crate::private;
use crate::start_error::StartError;

/// The record of the single generation that version 1 kept.
const FIRST_RECORD: &str = "backup";
const GENERATIONS: &str = "generations";
const KEYS: &str = "keys";
const LOCK: &str = "lock";

/// The folder of a backup, locked by one command.
pub(super) struct Folder {
    path: PathBuf,
    _lock: Option<File>,
}

impl Folder {
    /// Opens the folder of a backup for writing, or creates it with access for the owner only. Locks out other commands.
    pub(super) fn open_or_create(path: &Path) -> Result<Self, BackupError> {
        refuse_other_folders(path)?;
        let path = private::open_or_create(path, is_ours)?;
        let lock = path.join(LOCK);
        let file = private_file().create(true).truncate(false).write(true).open(&lock);
        let file = file.map_err(StartError::io(lock))?;
        check_lock(file.try_lock(), &path)?;
        Ok(Self { path, _lock: Some(file) })
    }

    /// Opens the folder of a finished backup for reading; it may be on a read-only disk.
    pub(super) fn open(path: &Path) -> Result<Self, BackupError> {
        let found = if_found(path.canonicalize()).map_err(StartError::io(path))?;
        let path = found.ok_or_else(|| BackupError::NoBackup(path.to_owned()))?;
        // A copy of a backup may lack the lock file.
        let lock = if_found(File::open(path.join(LOCK))).map_err(StartError::io(path.join(LOCK)))?;
        if let Some(file) = &lock {
            check_lock(file.try_lock_shared(), &path)?;
        }
        let folder = Self { path, _lock: lock };
        if folder.generations()?.is_empty() {
            return Err(BackupError::NoBackup(folder.path));
        }
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn objects_read_only(&self) -> Result<(Disk, Store), BackupError> {
        let open = || Disk::open_read_only(self.path.join("store"));
        Ok((open()?, Store::new(open()?)))
    }

    pub(super) fn catalog(&self, hash: &str) -> PathBuf {
        self.path.join(format!("catalog-{hash}.db"))
    }

    /// The file of a key in a generation.
    pub(super) fn key(&self, record: &GenerationRecord, name: &str, hash: &str) -> PathBuf {
        self.path.join(KEYS).join(if record.is_first_version() { name } else { hash })
    }

    pub(super) fn generations(&self) -> Result<Vec<Generation>, BackupError> {
        let generations = self.path.join(GENERATIONS);
        let mut entries = Vec::new();
        for file in list(&generations)? {
            let name = file.file_name();
            let Some(number) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            entries.extend(read_generation_file(number, file.path())?);
        }
        entries.sort_by_key(|entry| entry.number);
        if let Some(first) = read_generation_file(1, self.first_record())? {
            // A command that was killed may have adopted it without removing the file.
            if !entries.iter().any(|entry| entry.number == 1) {
                entries.insert(0, first);
            }
        }
        Ok(entries)
    }

    /// Adds a generation to the backup, durably.
    pub(super) fn write_record(&self, number: u64, record: &GenerationRecord) -> Result<(), StartError> {
        let folder = self.create_folder(GENERATIONS)?;
        replace(&folder.join(number.to_string()), record.to_text().as_bytes())
    }

    /// Removes a generation from the backup, durably.
    pub(super) fn remove_record(&self, number: u64) -> Result<(), StartError> {
        remove_durably(&self.path.join(GENERATIONS).join(number.to_string()))
    }

    /// Where version 1 kept its record.
    pub(super) fn first_record(&self) -> PathBuf {
        self.path.join(FIRST_RECORD)
    }

    pub(super) fn remove_first_record(&self) -> Result<(), StartError> {
        remove_durably(&self.first_record())
    }

    /// Writes a file below `keys`, named by its hash, which it returns.
    pub(super) fn keep_key(&self, bytes: &[u8]) -> Result<String, StartError> {
        let hash = blake3::hash(bytes).to_string();
        replace(&self.create_folder(KEYS)?.join(&hash), bytes)?;
        Ok(hash)
    }

    /// Removes catalogues and keys that no generation names. The next backup removes what could not be removed.
    pub(super) fn remove_unnamed(&self, records: &[GenerationRecord]) {
        let mut named = Vec::new();
        for record in records {
            named.push(self.catalog(&record.catalog));
            named.extend(record.keys.iter().map(|(name, hash)| self.key(record, name, hash)));
        }
        let files = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
        let is_catalog =
            |file: &DirEntry| file.file_name().to_str().is_some_and(|name| name.starts_with("catalog"));
        let catalogs = files(&self.path).filter(is_catalog);
        let paths = catalogs.chain(files(&self.path.join(KEYS))).map(|file| file.path());
        for path in paths.filter(|path| !named.contains(path)) {
            let _ = fs::remove_file(path);
        }
    }

    fn create_folder(&self, name: &str) -> Result<PathBuf, StartError> {
        let path = self.path.join(name);
        let made = durable::create_folder(&path);
        made.and_then(|()| durable::sync_folder(&self.path)).map_err(StartError::io(&path))?;
        Ok(path)
    }
}

fn read_generation_file(number: u64, path: PathBuf) -> Result<Option<Generation>, BackupError> {
    match GenerationRecord::read(&path) {
        Ok(record) => Ok(record.map(|record| Generation { number, path, record: Some(record) })),
        Err(BackupError::DamagedFile(_)) => Ok(Some(Generation { number, path, record: None })),
        Err(error) => Err(error),
    }
}

/// Refuses a folder with other content. The lock is the first file of a backup, and no other folder has only our names.
fn refuse_other_folders(path: &Path) -> Result<(), BackupError> {
    let names: Vec<_> = list(path)?.iter().map(DirEntry::file_name).collect();
    let all_ours =
        names.iter().any(|name| name == LOCK) && names.iter().all(|name| name.to_str().is_some_and(is_ours));
    if names.is_empty() || all_ours { Ok(()) } else { Err(BackupError::NotABackup(path.to_owned())) }
}

/// The entries of a folder; none if it does not exist.
fn list(path: &Path) -> Result<Vec<DirEntry>, StartError> {
    let entries = if_found(fs::read_dir(path)).and_then(|entries| entries.into_iter().flatten().collect());
    entries.map_err(StartError::io(path))
}

fn is_ours(name: &str) -> bool {
    [LOCK, "store", FIRST_RECORD, ".backup.new", GENERATIONS, KEYS].contains(&name)
        || name.starts_with("catalog")
}

fn check_lock(taken: Result<(), TryLockError>, path: &Path) -> Result<(), BackupError> {
    taken.map_err(|error| match error {
        TryLockError::WouldBlock => BackupError::InUse(path.to_owned()),
        TryLockError::Error(error) => StartError::io(path.join(LOCK))(error).into(),
    })
}

/// Opens the store in a folder, or creates it.
pub(super) fn open_objects(path: &Path) -> Result<(Disk, Store), BackupError> {
    let open = || match Disk::open(path) {
        Err(jingku_chunks::Error::UnknownFormat { found, .. }) if found.is_empty() => Disk::create(path),
        opened => opened,
    };
    Ok((open()?, Store::new(open()?)))
}

/// Replaces a file as a whole, durably, readable by the owner only.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), StartError> {
    durable::replace(path, bytes).map_err(StartError::io(path))
}

/// Removes a file, if it exists, durably.
pub(super) fn remove_durably(path: &Path) -> Result<(), StartError> {
    let removed = if_found(fs::remove_file(path)).and_then(|_| durable::sync_parent(path));
    removed.map_err(StartError::io(path))
}

/// Reads a file of a backup that is named by its hash.
pub(super) fn read_checked(path: &Path, hash: &str) -> Result<Vec<u8>, BackupError> {
    let bytes = if_found(fs::read(path)).map_err(StartError::io(path))?;
    let intact = bytes.filter(|bytes| blake3::hash(bytes).to_string() == hash);
    intact.ok_or_else(|| BackupError::DamagedFile(path.to_owned()))
}

/// The BLAKE3 hash of a file.
pub(super) fn hash_file(path: &Path) -> Result<String, StartError> {
    let mut hasher = blake3::Hasher::new();
    let read = File::open(path).and_then(|file| io::copy(&mut io::BufReader::new(file), &mut hasher));
    read.map_err(StartError::io(path))?;
    Ok(hasher.finalize().to_string())
}

/// Copies the catalogue of a generation, because opening a catalogue may change it.
pub(super) fn copy_catalog(from: &Path, to: &Path, hash: &str) -> Result<(), BackupError> {
    let damaged = || BackupError::DamagedFile(from.to_owned());
    let source = if_found(File::open(from)).map_err(StartError::io(from))?;
    let mut source = source.ok_or_else(damaged)?;
    let mut copied = || {
        let mut file = private_file().create_new(true).write(true).open(to)?;
        io::copy(&mut source, &mut file)?;
        file.sync_all()
    };
    copied().map_err(StartError::io(to))?;
    // The copy is checked, because this read may have failed.
    if hash_file(to)? == hash { Ok(()) } else { Err(damaged()) }
}

/// Removes the file of a catalogue and its companions.
pub(crate) fn remove_catalog(path: &Path) -> Result<(), StartError> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        if_found(fs::remove_file(&name)).map_err(StartError::io(name))?;
    }
    Ok(())
}
