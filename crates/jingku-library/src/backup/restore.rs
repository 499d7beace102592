//! From a backup to a data folder.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jingku_catalog::Catalog;

use super::copy::{Direction, Outcome, Pair, copy};
use super::folder::{
    Folder, copy_catalog, hash_file, open_objects, put_in_place, read_checked, remove_catalog, write_whole,
};
use super::record::{Entry, Record};
use super::{BackupError, Copied, Damage};
use crate::data_dir::{DataDir, RESTORING};
use crate::failpoint;
use crate::referenced::{Referenced, all_images};

/// How [`restore_backup`] is to go.
#[derive(Clone, Copy, Debug)]
pub struct RestoreBackup<'a> {
    /// The folder of the backup.
    pub folder: &'a Path,
    /// The number of a generation; `None` for the newest.
    pub generation: Option<u64>,
    /// The data folder: new, empty, or what an earlier try left.
    pub data: &'a Path,
    /// Leaves out images whose bits are lost or damaged.
    pub skip_damaged: bool,
}

/// What [`restore_backup`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The generation that it was.
    pub generation: u64,
    /// When the backup was taken.
    pub taken_at: i64,
    /// How many images are back, in the trash or not.
    pub images: u64,
    /// Objects.
    pub copied: Copied,
    /// Whether the backup had the master key.
    pub master_key: bool,
    /// What was left out.
    pub damage: Damage,
}

/// Makes a data folder of a backup. Everything is checked on the way; the folder cannot be used before all is in place.
pub async fn restore_backup(how: RestoreBackup<'_>) -> Result<Restored, BackupError> {
    let folder = Folder::open(how.folder)?;
    let entry = choose(&folder, how.generation)?;
    let (generation, record) = (entry.number, entry.record()?.clone());
    let source = folder.catalog(&record);
    if !source.is_file() || hash_file(&source)? != record.catalog {
        return Err(BackupError::DamagedFile(source));
    }
    let keys = read_keys(&folder, &record)?;
    let data = prepare(how.data)?;
    let _lock = data.lock()?;
    let staged = data.path().join("catalog.db.new");
    remove_catalog(&staged)?;
    copy_catalog(&source, &staged, &record.catalog)?;
    let catalog = Catalog::open_sqlite(&staged).await?;
    let images = all_images(&catalog).await?;
    let count = images.len() as u64;
    let (from, from_store) = folder.objects_read_only()?;
    let (to, to_store) = open_objects(&data.path().join("store"))?;
    let copying = tokio::task::spawn_blocking(move || {
        let referenced = Referenced::open(&images, &[(&from, &from_store)])?;
        // What an earlier try left is looked into like everything else.
        let pair = Pair {
            from: &from,
            to: &to,
            to_store: &to_store,
            verify: true,
            direction: Direction::FromBackup,
        };
        copy(&pair, &referenced, &images)
    });
    let Outcome { copied, damage } = copying.await??;
    if !damage.is_empty() && !how.skip_damaged {
        return Err(BackupError::Damaged(damage));
    }
    for id in &damage.images {
        catalog.forget_image(id).await?;
    }
    // The last handle: what was changed is in the file then, and nowhere else.
    drop(catalog);
    for (name, bytes) in keys {
        write_whole(data.path(), name, &bytes)?;
    }
    put_catalog(&data, &staged)?;
    failpoint::reached("restore.catalog_durable");
    remove_marker(&data)?;
    failpoint::reached("restore.done");
    Ok(Restored {
        generation,
        taken_at: record.taken_at,
        images: count - damage.images.len() as u64,
        copied,
        master_key: record.has_master_key(),
        damage,
    })
}

/// Finds the generation that was asked for.
fn choose(folder: &Folder, generation: Option<u64>) -> Result<Entry, BackupError> {
    let mut entries = folder.entries()?;
    match generation {
        None => entries.pop().ok_or_else(|| BackupError::NoBackup(folder.path().to_owned())),
        Some(generation) => entries
            .into_iter()
            .find(|entry| entry.number == generation)
            .ok_or_else(|| BackupError::NoGeneration { folder: folder.path().to_owned(), generation }),
    }
}

/// Reads the keys of a generation.
fn read_keys<'a>(folder: &Folder, record: &'a Record) -> Result<Vec<(&'a str, Vec<u8>)>, BackupError> {
    let read = |(name, hash): &'a (String, String)| {
        // A name that is a path would lead out of the data folder.
        let path = folder.key(record, name, hash);
        match name.as_str() {
            "master.key" | "credentials.toml" => Ok((name.as_str(), read_checked(&path, hash)?)),
            _ => Err(BackupError::DamagedFile(path)),
        }
    };
    record.keys.iter().map(read).collect()
}

/// Takes a folder that is new or empty, or that an earlier try left unfinished, and marks it as unfinished.
fn prepare(path: &Path) -> Result<DataDir, BackupError> {
    let unfinished = path.join(RESTORING).exists();
    // Before anything is changed in a folder that is not for this.
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        entries => Some(entries.map_err(|source| BackupError::Io { path: path.to_owned(), source })?),
    };
    if !unfinished && entries.is_some_and(|mut entries| entries.next().is_some()) {
        return Err(BackupError::NotEmpty(path.to_owned()));
    }
    let data = DataDir::open_or_create(path)?;
    let marker = data.path().join(RESTORING);
    if !unfinished {
        let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&marker);
        let file = file.and_then(|file| file.sync_all());
        let named = file.and_then(|()| File::open(data.path())?.sync_all());
        named.map_err(|source| BackupError::Io { path: marker, source })?;
    }
    failpoint::reached("restore.marked");
    Ok(data)
}

fn put_catalog(data: &DataDir, staged: &PathBuf) -> Result<(), BackupError> {
    let failed = |source| BackupError::Io { path: staged.clone(), source };
    let mut log = staged.clone().into_os_string();
    log.push("-wal");
    if Path::new(&log).exists() {
        return Err(failed(io::Error::other("something else has it open")));
    }
    File::open(staged).and_then(|file| file.sync_all()).map_err(failed)?;
    put_in_place(staged, &data.catalog_path()).map_err(failed)
}

fn remove_marker(data: &DataDir) -> Result<(), BackupError> {
    let marker = data.path().join(RESTORING);
    let removed = fs::remove_file(&marker).and_then(|()| File::open(data.path())?.sync_all());
    removed.map_err(|source| BackupError::Io { path: marker, source })
}
