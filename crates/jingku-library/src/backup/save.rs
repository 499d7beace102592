//! From a data directory to a backup.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::Path;

use jingku_catalog::{AccountId, Catalog, ManifestUse};
use jingku_chunks::{Backend, Disk, GcGuard, ManifestId, Store};
use zeroize::Zeroizing;

use super::copy::{Failpoints, Outcome, Stores, VERIFY_NONE, backup_threads, copy};
use super::folder::{Folder, hash_file, open_objects, read_checked, remove_catalog};
use super::generations::{Pruned, adopt_first, another_library, prune};
use super::last::LastBackup;
use super::record::GenerationRecord;
use super::{BackupError, Copied, Damage};
use crate::data_dir::{DataDir, parse_master_key};
use crate::keyring::Keyring;
use crate::library::Library;
use crate::referenced::{Referenced, all_images};
use crate::start_error::StartError;
use crate::{durable, failpoint};

/// How often a backup copies the catalogue again because images were purged before their data was guarded.
const TRIES_MAX: u32 = 10;

/// Names of keys in a data directory.
const MASTER_KEY: &str = "master.key";
const CREDENTIALS: &str = "credentials.toml";

const FAILPOINTS: Failpoints = Failpoints {
    chunk: || failpoint::reached("backup.chunk"),
    chunks_durable: || failpoint::reached("backup.chunks_durable"),
    manifests_durable: || failpoint::reached("backup.manifests_durable"),
};

/// Options of [`Library::back_up`].
#[derive(Clone, Copy, Debug)]
pub struct BackUp<'a> {
    /// The folder of the backup.
    pub folder: &'a Path,
    /// Also reads and checks objects that the backup has already.
    pub verify: bool,
    /// Includes the master key and the key pair of the first account. The backup must then be kept secret.
    pub with_master_key: bool,
    /// How many generations to keep, at least one.
    pub keep: u32,
    /// Continues even if most images are gone since the last generation.
    pub force: bool,
}

/// The result of [`Library::back_up`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// The number of the new generation.
    pub generation: u64,
    /// How many images there are, including the trash.
    pub images: u64,
    /// The copied objects.
    pub copied: Copied,
    /// Bytes of the catalogue.
    pub catalog_bytes: u64,
    /// Whether the generation includes the master key.
    pub master_key: bool,
    /// The master key of the last generation does not open the keys of this one.
    pub master_key_changed: bool,
    /// What was removed with old generations.
    pub pruned: Pruned,
    /// What is missing or corrupted in the data directory itself. The backup is complete apart from that.
    pub damage: Damage,
}

impl Library {
    /// Backs up the data directory as a new generation, also while a server runs. The generation is the catalogue of one
    /// moment and everything that it names.
    pub async fn back_up(&self, data: &DataDir, how: BackUp<'_>) -> Result<BackedUp, BackupError> {
        let master_key = if how.with_master_key { Some(self.master_key(data).await?) } else { None };
        let library_id = self.catalog.library_id().await?;
        let library_id = library_id.ok_or_else(|| StartError::NoLibrary(data.path().to_owned()))?;
        let folder = open_outside(data, how.folder)?;
        let (last_number, last) = last_generation(&folder, &library_id).await?;
        let stores = open_objects(&folder.path().join("store"))?;
        // The name until the hash is known.
        let staged = folder.path().join("catalog.new");
        let (snapshot, _guards) = self.snapshot(&staged).await?;
        let images = snapshot.len() as u64;
        let before = last.as_ref().map_or(0, |last| last.images);
        if !how.force && images < before.div_ceil(2) {
            remove_catalog(&staged)?;
            return Err(BackupError::FewImages { folder: folder.path().to_owned(), before, now: images });
        }
        let to_store = stores.1.clone();
        let Outcome { copied, damage } = self.copy_objects(stores, snapshot, how.verify).await?;
        let keys = self.keys_to_back_up(data, &folder, last.as_ref(), master_key).await?;
        let had_key = last.is_some_and(|last| last.has_master_key());
        let (catalog, catalog_bytes) = place_catalog(&folder, &staged)?;
        failpoint::reached("backup.catalog_durable");
        let record = GenerationRecord {
            version: 0,
            library: Some(library_id),
            taken_at: self.clock.now(),
            catalog,
            keys,
            images,
            bytes: Some(copied.bytes + copied.existing_bytes + catalog_bytes),
        };
        let generation = last_number + 1;
        folder.write_record(generation, &record)?;
        failpoint::reached("backup.recorded");
        let keep = usize::try_from(how.keep.max(1)).unwrap_or(usize::MAX);
        let pruned = prune(&folder, &to_store, keep).await?;
        self.note_backup(&LastBackup::of(generation, &record, folder.path())).await;
        failpoint::reached("backup.done");
        Ok(BackedUp {
            generation,
            images,
            copied,
            catalog_bytes,
            master_key: record.has_master_key(),
            master_key_changed: had_key && !record.has_master_key(),
            pruned,
            damage,
        })
    }

    async fn copy_objects(
        &self,
        (to, to_store): (Disk, Store),
        images: Vec<ManifestUse>,
        verify: bool,
    ) -> Result<Outcome, BackupError> {
        let from_store = self.store.clone();
        let copying = tokio::task::spawn_blocking(move || {
            let from = from_store.backend().as_ref();
            let sources: [(&dyn Backend, _); 2] = [(from, &from_store), (&to, &to_store)];
            let referenced = Referenced::open(&images, &sources)?;
            let verify_from = if verify { 0 } else { VERIFY_NONE };
            let (to, to_store) = (&to, &to_store);
            let stores =
                Stores { from, to, to_store, verify_from, threads: backup_threads(), watch: &FAILPOINTS };
            copy(&stores, &referenced, &images)
        });
        Ok(copying.await??)
    }

    /// The file of the master key. Refuses a data directory without one, or with one that does not open the library's private
    /// keys.
    async fn master_key(&self, data: &DataDir) -> Result<Zeroizing<Vec<u8>>, BackupError> {
        let path = data.path().join(MASTER_KEY);
        let bytes = read_key(&path)?.ok_or(BackupError::NoMasterKey)?;
        let opens = opens_key(&bytes, self.sealed_key().await?.as_ref());
        if opens { Ok(Zeroizing::new(bytes)) } else { Err(BackupError::WrongMasterKey(path)) }
    }

    /// Puts the keys into the backup if a master key is given, or if the last generation has them, so that they are not
    /// lost. A master key that no longer opens the library stays with the generations that it opens. Returns the names and
    /// hashes.
    async fn keys_to_back_up(
        &self,
        data: &DataDir,
        folder: &Folder,
        last: Option<&GenerationRecord>,
        master_key: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Vec<(String, String)>, BackupError> {
        let master_key = if let Some(bytes) = master_key {
            folder.keep_key(&bytes)?
        } else {
            let Some((last, hash)) = last.and_then(|last| Some((last, last.key(MASTER_KEY)?))) else {
                return Ok(Vec::new());
            };
            let (key, sealed) =
                (read_checked(&folder.key(last, MASTER_KEY, hash), hash), self.sealed_key().await?);
            if !key.is_ok_and(|bytes| opens_key(&bytes, sealed.as_ref())) {
                return Ok(Vec::new());
            }
            hash.to_owned()
        };
        let mut keys = vec![(MASTER_KEY.to_owned(), master_key)];
        if let Some(bytes) = read_key(&data.credentials_path())? {
            keys.push((CREDENTIALS.to_owned(), folder.keep_key(&bytes)?));
        }
        Ok(keys)
    }

    /// A public key and its sealed private key.
    async fn sealed_key(&self) -> Result<Option<(String, String)>, BackupError> {
        let keys = self.catalog.keys(Some(AccountId(1))).await?;
        Ok(keys.into_iter().next().map(|key| (key.public_key, key.sealed_private_key)))
    }

    /// Writes the catalogue of one moment to a file. Returns its images, and guards that keep their data from sweeps.
    async fn snapshot(&self, staged: &Path) -> Result<(Vec<ManifestUse>, Vec<GcGuard>), BackupError> {
        let mut guards = Vec::new();
        // Manifests that were live after they were guarded: no sweep has removed them or will.
        let mut safe: HashSet<ManifestId> = HashSet::new();
        let mut tries = 1;
        loop {
            remove_catalog(staged)?;
            self.catalog.back_up(staged).await?;
            let images = all_images(&Catalog::open_sqlite(staged).await?).await?;
            let new: HashSet<ManifestId> = manifests(&images).filter(|id| !safe.contains(id)).collect();
            let (store, ids) = (self.store.clone(), new.iter().copied().collect::<Vec<_>>());
            guards.push(tokio::task::spawn_blocking(move || store.guard(&ids)).await??);
            let live: HashSet<ManifestId> = manifests(&all_images(&self.catalog).await?).collect();
            if new.is_subset(&live) || tries == TRIES_MAX {
                return Ok((images, guards));
            }
            safe.extend(new.intersection(&live));
            tries += 1;
        }
    }
}

fn manifests(images: &[ManifestUse]) -> impl Iterator<Item = ManifestId> {
    images.iter().filter_map(|image| image.manifest.as_ref()?.parse().ok())
}

/// Names the staged catalogue by its hash. Returns the hash and the size.
fn place_catalog(folder: &Folder, staged: &Path) -> Result<(String, u64), StartError> {
    let failed = StartError::io(staged);
    // Opening the catalogue may have changed it.
    let file = File::open(staged).map_err(&failed)?;
    file.sync_all().map_err(&failed)?;
    let bytes = file.metadata().map_err(&failed)?.len();
    let hash = hash_file(staged)?;
    durable::rename(staged, &folder.catalog(&hash)).map_err(failed)?;
    Ok((hash, bytes))
}

/// Opens the folder of the backup, which must be outside the data directory.
fn open_outside(data: &DataDir, folder: &Path) -> Result<Folder, BackupError> {
    let inside = |path: &Path| path.starts_with(data.path());
    // Checked before the folder is created, if its path can be resolved.
    if std::path::absolute(folder).is_ok_and(|path| inside(&path)) {
        return Err(BackupError::Inside(folder.to_owned()));
    }
    let opened = Folder::open_or_create(folder)?;
    if inside(opened.path()) { Err(BackupError::Inside(folder.to_owned())) } else { Ok(opened) }
}

/// The number of the last generation and the last readable record; 0 if there is no generation. Refuses a backup of another
/// library.
async fn last_generation(
    folder: &Folder,
    library: &str,
) -> Result<(u64, Option<GenerationRecord>), BackupError> {
    for record in folder.generations()?.iter().filter_map(|entry| entry.record.as_ref()) {
        if let Some(other) = record.library.as_ref().filter(|other| *other != library) {
            return Err(another_library(folder.path(), other.clone(), library));
        }
    }
    adopt_first(folder, library).await?;
    let entries = folder.generations()?;
    let Some(newest) = entries.last() else { return Ok((0, None)) };
    let readable = entries.iter().rev().find_map(|entry| entry.record.clone());
    // Without a readable record, the library of the backup is unknown.
    let record = readable.map_or_else(|| newest.record().cloned(), Ok)?;
    Ok((newest.number, Some(record)))
}

/// Whether a master key opens a sealed private key.
fn opens_key(master_key: &[u8], sealed: Option<&(String, String)>) -> bool {
    let Some(key) = std::str::from_utf8(master_key).ok().and_then(parse_master_key) else { return false };
    sealed.is_none_or(|(public_key, sealed)| Keyring::new(key).open(public_key, sealed).is_ok())
}

/// The content of a key's file; `None` if it does not exist.
fn read_key(path: &Path) -> Result<Option<Vec<u8>>, StartError> {
    durable::if_found(fs::read(path)).map_err(StartError::io(path))
}
