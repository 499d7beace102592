//! Restores a data directory from a backup.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use jingku_catalog::Catalog;

use super::copy::{Failpoints, Outcome, Stores, backup_threads, copy};
use super::folder::{
    Folder, copy_catalog, hash_file, open_objects, read_checked, remove_catalog, remove_durably, replace,
};
use super::record::{Generation, GenerationRecord};
use super::{BackupError, Copied, Damage};
use crate::config::Config;
use crate::data_dir::{DataDir, RESTORING};
use crate::database::ExternalDatabase;
use crate::environment::Environment;
use crate::referenced::{Referenced, all_images};
use crate::start_error::StartError;
use crate::{durable, failpoint};

const FAILPOINTS: Failpoints = Failpoints {
    chunk: || failpoint::reached("restore.chunk"),
    chunks_durable: || failpoint::reached("restore.chunks_durable"),
    manifests_durable: || failpoint::reached("restore.manifests_durable"),
};

/// Options of [`restore_backup`].
#[derive(Clone, Copy)]
pub struct RestoreBackup<'a> {
    /// The folder of the backup.
    pub folder: &'a Path,
    /// The number of a generation; `None` for the newest.
    pub generation: Option<u64>,
    /// The data directory: new, empty, or left by an interrupted restore.
    pub data: &'a Path,
    /// Skips images with missing or corrupted data.
    pub skip_damaged: bool,
    /// The configuration and the environment, which may name an empty database for the catalogue.
    pub config: &'a Config,
    /// The environment.
    pub environment: &'a Environment,
}

/// The result of [`restore_backup`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The restored generation.
    pub generation: u64,
    /// When the backup was taken.
    pub taken_at: i64,
    /// How many images were restored, including the trash.
    pub images: u64,
    /// The copied objects.
    pub copied: Copied,
    /// Whether the backup had the master key.
    pub master_key: bool,
    /// What was skipped.
    pub damage: Damage,
}

/// Restores a data directory from a backup and checks all data. The folder cannot be used until the restore is complete.
pub async fn restore_backup(how: RestoreBackup<'_>) -> Result<Restored, BackupError> {
    let folder = Folder::open(how.folder)?;
    let entry = choose(&folder, how.generation)?;
    let (generation, record) = (entry.number, entry.record()?.clone());
    let source = folder.catalog(&record.catalog);
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
    // Among the sessions of the console may be some that were ended since the backup.
    catalog.end_sign_ins(None).await?;
    let images = all_images(&catalog).await?;
    let count = images.len() as u64;
    let (from, from_store) = folder.objects_read_only()?;
    let (to, to_store) = open_objects(&data.path().join("store"))?;
    let copying = tokio::task::spawn_blocking(move || {
        let referenced = Referenced::open(&images, &[(&from, &from_store)])?;
        // Objects of an interrupted restore are checked as well.
        let (from, to, to_store) = (&from, &to, &to_store);
        let stores =
            Stores { from, to, to_store, verify_from: 0, threads: backup_threads(), watch: &FAILPOINTS };
        copy(&stores, &referenced, &images)
    });
    let Outcome { copied, damage } = copying.await??;
    if !damage.is_empty() && !how.skip_damaged {
        return Err(BackupError::Damaged(damage));
    }
    for id in &damage.images {
        catalog.forget_image(id).await?;
    }
    for (name, bytes) in keys {
        replace(&data.path().join(name), &bytes)?;
    }
    if let Some(database) = ExternalDatabase::of(&data, how.config, how.environment)? {
        database.fill(&data, &catalog, how.environment).await?;
        drop(catalog);
        remove_catalog(&staged)?;
    } else {
        // Closing the last handle moves all changes into the file.
        drop(catalog);
        put_catalog(&data, &staged)?;
    }
    failpoint::reached("restore.catalog_durable");
    remove_durably(&data.path().join(RESTORING))?;
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

fn choose(folder: &Folder, generation: Option<u64>) -> Result<Generation, BackupError> {
    let mut entries = folder.generations()?;
    match generation {
        None => entries.pop().ok_or_else(|| BackupError::NoBackup(folder.path().to_owned())),
        Some(generation) => entries
            .into_iter()
            .find(|entry| entry.number == generation)
            .ok_or_else(|| BackupError::NoGeneration(folder.path().to_owned(), generation)),
    }
}

fn read_keys<'a>(
    folder: &Folder,
    record: &'a GenerationRecord,
) -> Result<Vec<(&'a str, Vec<u8>)>, BackupError> {
    let read = |(name, hash): &'a (String, String)| {
        // A name that is a path could lead out of the data directory.
        let path = folder.key(record, name, hash);
        match name.as_str() {
            "master.key" | "credentials.toml" => Ok((name.as_str(), read_checked(&path, hash)?)),
            _ => Err(BackupError::DamagedFile(path)),
        }
    };
    record.keys.iter().map(read).collect()
}

/// Takes a folder that is new, empty or left by an interrupted restore, and marks it as incomplete.
fn prepare(path: &Path) -> Result<DataDir, BackupError> {
    let unfinished = path.join(RESTORING).exists();
    // Checked before anything is changed.
    let entries = durable::if_found(fs::read_dir(path)).map_err(StartError::io(path))?;
    if !unfinished && entries.is_some_and(|mut entries| entries.next().is_some()) {
        return Err(BackupError::NotEmpty(path.to_owned()));
    }
    let data = DataDir::open_or_create(path)?;
    let marker = data.path().join(RESTORING);
    if !unfinished {
        // Not staged: a leftover of another name would make the folder look like it had other content.
        let file = durable::private_file().create(true).truncate(true).write(true).open(&marker);
        let created = file.and_then(|file| file.sync_all()).and_then(|()| durable::sync_folder(data.path()));
        created.map_err(StartError::io(marker))?;
    }
    failpoint::reached("restore.marked");
    Ok(data)
}

/// Makes a closed catalogue that of the data directory.
pub(crate) fn put_catalog(data: &DataDir, staged: &Path) -> Result<(), StartError> {
    let failed = StartError::io(staged);
    let mut log = staged.as_os_str().to_owned();
    log.push("-wal");
    if Path::new(&log).exists() {
        return Err(failed(io::Error::other("another process has it open")));
    }
    File::open(staged).and_then(|file| file.sync_all()).map_err(&failed)?;
    durable::rename(staged, &data.catalog_path()).map_err(failed)
}
