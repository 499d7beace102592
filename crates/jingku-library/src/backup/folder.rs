//! The folder of a backup: what lies where, and whether it is what was put there.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jingku_chunks::{Disk, Store};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::BackupError;
use super::record::{Entry, Record};
use crate::data_dir::StartError;
use crate::private;

/// The record of the one generation that version 1 kept.
const FIRST_RECORD: &str = "backup";
const GENERATIONS: &str = "generations";
const KEYS: &str = "keys";
const LOCK: &str = "lock";

/// A backup's folder, held by one command.
pub(super) struct Folder {
    path: PathBuf,
    _lock: Option<File>,
}

impl Folder {
    /// Opens the folder of a backup to write to it, or makes it, for its owner only. No other command may use it meanwhile.
    pub(super) fn open_or_create(path: &Path) -> Result<Self, BackupError> {
        refuse_other_folders(path)?;
        let path = private::open_or_create(path, is_ours).map_err(StartError::from)?;
        let lock = path.join(LOCK);
        let file = private_file().create(true).truncate(false).write(true).open(&lock);
        let file = file.map_err(|source| BackupError::Io { path: lock, source })?;
        hold(&file, FlockOperation::NonBlockingLockExclusive, &path)?;
        Ok(Self { path, _lock: Some(file) })
    }

    /// Opens the folder of a finished backup to read it; it may be on a read-only disk.
    pub(super) fn open(path: &Path) -> Result<Self, BackupError> {
        let path = match path.canonicalize() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(BackupError::NoBackup(path.to_owned()));
            }
            found => found.map_err(|source| BackupError::Io { path: path.to_owned(), source })?,
        };
        let lock = match File::open(path.join(LOCK)) {
            // A copy of a backup is one too.
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            opened => Some(opened.map_err(|source| BackupError::Io { path: path.join(LOCK), source })?),
        };
        if let Some(file) = &lock {
            hold(file, FlockOperation::NonBlockingLockShared, &path)?;
        }
        let folder = Self { path, _lock: lock };
        if folder.entries()?.is_empty() {
            return Err(BackupError::NoBackup(folder.path));
        }
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The store, which is made if need be.
    pub(super) fn objects(&self) -> Result<(Disk, Store), BackupError> {
        open_objects(&self.path.join("store"))
    }

    /// The store, which is only read.
    pub(super) fn objects_read_only(&self) -> Result<(Disk, Store), BackupError> {
        let open = || Disk::open_read_only(self.path.join("store"));
        Ok((open()?, Store::new(open()?)))
    }

    /// Where a catalogue is written before its hash is known.
    pub(super) fn staged_catalog(&self) -> PathBuf {
        self.path.join("catalog.new")
    }

    pub(super) fn catalog(&self, record: &Record) -> PathBuf {
        self.catalog_named(&record.catalog)
    }

    pub(super) fn catalog_named(&self, hash: &str) -> PathBuf {
        self.path.join(format!("catalog-{hash}.db"))
    }

    /// The file of a key of a generation.
    pub(super) fn key(&self, record: &Record, name: &str, hash: &str) -> PathBuf {
        self.path.join(KEYS).join(if record.is_first_version() { name } else { hash })
    }

    /// Every generation, in order of their numbers.
    pub(super) fn entries(&self) -> Result<Vec<Entry>, BackupError> {
        let generations = self.path.join(GENERATIONS);
        let mut entries = Vec::new();
        let files = match fs::read_dir(&generations) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            files => files
                .and_then(Iterator::collect::<io::Result<Vec<_>>>)
                .map_err(|source| BackupError::Io { path: generations, source })?,
        };
        for file in files {
            let name = file.file_name();
            let Some(number) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
            entries.extend(read_entry(number, file.path())?);
        }
        entries.sort_by_key(|entry| entry.number);
        if let Some(first) = read_entry(1, self.first_record())? {
            // Adopted already where the command was killed before it removed the file.
            let adopted = entries.iter().any(|entry| entry.number == 1);
            if !adopted {
                entries.insert(0, first);
            }
        }
        Ok(entries)
    }

    /// Makes the generation one of the backup, durably.
    pub(super) fn write_record(&self, number: u64, record: &Record) -> Result<(), BackupError> {
        let folder = self.create_folder(GENERATIONS)?;
        write_whole(&folder, &number.to_string(), record.to_text().as_bytes())
    }

    /// Takes the generation away from the backup, durably.
    pub(super) fn remove_record(&self, number: u64) -> Result<(), BackupError> {
        remove_durably(&self.path.join(GENERATIONS).join(number.to_string()))
    }

    /// Where version 1 kept its record.
    pub(super) fn first_record(&self) -> PathBuf {
        self.path.join(FIRST_RECORD)
    }

    pub(super) fn remove_first_record(&self) -> Result<(), BackupError> {
        remove_durably(&self.first_record())
    }

    /// Puts a file below `keys` under the name of its hash, which it returns.
    pub(super) fn keep_key(&self, bytes: &[u8]) -> Result<String, BackupError> {
        let hash = blake3::hash(bytes).to_string();
        write_whole(&self.create_folder(KEYS)?, &hash, bytes)?;
        Ok(hash)
    }

    /// Removes catalogues and keys that none of the generations names. What stays is removed by the next backup.
    pub(super) fn remove_unnamed(&self, records: &[Record]) {
        let catalogs: Vec<_> = records.iter().map(|record| self.catalog(record)).collect();
        let keys = records.iter().flat_map(|record| {
            record.keys.iter().map(|(name, hash)| self.key(record, name, hash)).collect::<Vec<_>>()
        });
        let keys: Vec<_> = keys.collect();
        let files =
            |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
        for path in files(&self.path) {
            let name = path.file_name().and_then(|name| name.to_str());
            if name.is_some_and(|name| name.starts_with("catalog")) && !catalogs.contains(&path) {
                let _ = fs::remove_file(path);
            }
        }
        for path in files(&self.path.join(KEYS)).filter(|path| !keys.contains(path)) {
            let _ = fs::remove_file(path);
        }
    }

    fn create_folder(&self, name: &str) -> Result<PathBuf, BackupError> {
        let path = self.path.join(name);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        let named = made.and_then(|()| File::open(&self.path)?.sync_all());
        named.map_err(|source| BackupError::Io { path: path.clone(), source })?;
        Ok(path)
    }
}

fn read_entry(number: u64, path: PathBuf) -> Result<Option<Entry>, BackupError> {
    match Record::read(&path) {
        Ok(record) => Ok(record.map(|record| Entry { number, path, record: Some(record) })),
        Err(BackupError::DamagedFile(_)) => Ok(Some(Entry { number, path, record: None })),
        Err(error) => Err(error),
    }
}

/// Refuses a folder with something else in it: the lock is the first file, and nobody else's folder has only ours.
fn refuse_other_folders(path: &Path) -> Result<(), BackupError> {
    let failed = |source| BackupError::Io { path: path.to_owned(), source };
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed)?,
    };
    let names = entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<Vec<_>>>();
    let names = names.map_err(failed)?;
    let all_ours =
        names.iter().any(|name| name == LOCK) && names.iter().all(|name| name.to_str().is_some_and(is_ours));
    if names.is_empty() || all_ours { Ok(()) } else { Err(BackupError::NotABackup(path.to_owned())) }
}

fn is_ours(name: &str) -> bool {
    [LOCK, "store", FIRST_RECORD, ".backup.new", GENERATIONS, KEYS].contains(&name)
        || name.starts_with("catalog")
}

fn hold(file: &File, how: FlockOperation, path: &Path) -> Result<(), BackupError> {
    match flock(file, how) {
        Ok(()) => Ok(()),
        Err(Errno::WOULDBLOCK) => Err(BackupError::InUse(path.to_owned())),
        Err(error) => Err(BackupError::Io { path: path.join(LOCK), source: error.into() }),
    }
}

fn private_file() -> OpenOptions {
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
        let mut file = private_file().create(true).truncate(true).write(true).open(&staged)?;
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

fn remove_durably(path: &Path) -> Result<(), BackupError> {
    let remove = || {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    remove().map_err(|source| BackupError::Io { path: path.to_owned(), source })
}

/// Reads a file of a backup that is named by its hash.
pub(super) fn read_checked(path: &Path, hash: &str) -> Result<Vec<u8>, BackupError> {
    match fs::read(path) {
        Ok(bytes) if blake3::hash(&bytes).to_string() == hash => Ok(bytes),
        Err(source) if source.kind() != ErrorKind::NotFound => {
            Err(BackupError::Io { path: path.to_owned(), source })
        }
        _ => Err(BackupError::DamagedFile(path.to_owned())),
    }
}

/// The BLAKE3 hash of a file.
pub(super) fn hash_file(path: &Path) -> Result<String, BackupError> {
    let mut hasher = blake3::Hasher::new();
    let read = File::open(path).and_then(|file| io::copy(&mut io::BufReader::new(file), &mut hasher));
    read.map_err(|source| BackupError::Io { path: path.to_owned(), source })?;
    Ok(hasher.finalize().to_string())
}

/// Copies the catalogue of a generation to where it can be opened, which may change it.
pub(super) fn copy_catalog(from: &Path, to: &Path, hash: &str) -> Result<(), BackupError> {
    let damaged = || BackupError::DamagedFile(from.to_owned());
    let mut source = match File::open(from) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(damaged()),
        opened => opened.map_err(|source| BackupError::Io { path: from.to_owned(), source })?,
    };
    let mut copied = || {
        let mut file = private_file().create_new(true).write(true).open(to)?;
        io::copy(&mut source, &mut file)?;
        file.sync_all()
    };
    copied().map_err(|source| BackupError::Io { path: to.to_owned(), source })?;
    // What counts is the copy: it may have been read wrong this time.
    if hash_file(to)? == hash { Ok(()) } else { Err(damaged()) }
}

/// Removes a catalogue's file with those that belong to it while it is open.
pub(super) fn remove_catalog(path: &Path) -> Result<(), BackupError> {
    for ending in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        match fs::remove_file(&name) {
            Err(source) if source.kind() != ErrorKind::NotFound => {
                return Err(BackupError::Io { path: name.into(), source });
            }
            _ => {}
        }
    }
    Ok(())
}
