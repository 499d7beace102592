//! From a data folder to a backup.

use std::collections::HashSet;
use std::path::Path;

use jingku_catalog::{AccountId, Catalog, ManifestUse};
use jingku_chunks::{Backend, GcGuard, ManifestId};

use super::copy::{Direction, Outcome, Pair, copy};
use super::folder::{Folder, hash_file, put_in_place, read_checked, remove_catalog};
use super::generations::{Pruned, adopt_first, another_library, prune};
use super::record::Record;
use super::{BackupError, Copied, Damage};
use crate::data_dir::{DataDir, StartError, parse_master_key};
use crate::failpoint;
use crate::keyring::Keyring;
use crate::library::Library;
use crate::referenced::{Referenced, all_images};

/// How often a backup writes the catalogue anew because images went for good before they could be held.
const TRIES_MAX: u32 = 10;

/// Names of keys in a data folder.
const MASTER_KEY: &str = "master.key";
const CREDENTIALS: &str = "credentials.toml";

/// How [`Library::back_up`] is to go.
#[derive(Clone, Copy, Debug)]
pub struct BackUp<'a> {
    /// Where to.
    pub folder: &'a Path,
    /// Looks also into objects that are in the backup already.
    pub verify: bool,
    /// Puts the master key and the first account's key pair into the backup too, which then is a secret.
    pub with_master_key: bool,
    /// How many generations to keep, at least one.
    pub keep: u32,
    /// Goes ahead although most images are gone since the last time.
    pub force: bool,
}

/// What [`Library::back_up`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// The number of the new generation.
    pub generation: u64,
    /// How many images there are, in the trash or not.
    pub images: u64,
    /// Objects.
    pub copied: Copied,
    /// Bytes of the catalogue.
    pub catalog_bytes: u64,
    /// Whether the master key is with it, put there now or earlier.
    pub master_key: bool,
    /// The last generation had a master key, which does not open the keys of this one.
    pub master_key_changed: bool,
    /// What was removed with old generations.
    pub pruned: Pruned,
    /// What the data folder itself does not have any more. The backup is finished all the same.
    pub damage: Damage,
}

/// The keys of a generation.
#[derive(Default)]
struct Keys {
    files: Vec<(String, String)>,
    changed: bool,
}

impl Library {
    /// Backs the data folder up, as a new generation. A server may run meanwhile: what is in the generation is the
    /// catalogue of one moment and everything that it names.
    pub async fn back_up(&self, data: &DataDir, how: BackUp<'_>) -> Result<BackedUp, BackupError> {
        if how.with_master_key {
            self.require_master_key(data).await?;
        }
        let library = self.catalog.library_id().await?;
        let library = library.ok_or_else(|| StartError::NoLibrary(data.path().to_owned()))?;
        let folder = open_outside(data, how.folder)?;
        let last = last_of(&folder, &library).await?;
        let (to, to_store) = folder.objects()?;
        let staged = folder.staged_catalog();
        let (images, _held) = self.moment(&staged).await?;
        let count = images.len() as u64;
        if !how.force
            && let Some((_, last)) = &last
            && count < last.images.div_ceil(2)
        {
            remove_catalog(&staged)?;
            return Err(BackupError::FewImages {
                folder: folder.path().to_owned(),
                before: last.images,
                now: count,
            });
        }
        let (from, from_store, verify) = (data.objects()?, self.store.clone(), how.verify);
        let copying = {
            let to_store = to_store.clone();
            tokio::task::spawn_blocking(move || {
                let stores: [(&dyn Backend, _); 2] = [(&from, &from_store), (&to, &to_store)];
                let referenced = Referenced::open(&images, &stores)?;
                let pair = Pair {
                    from: &from,
                    to: &to,
                    to_store: &to_store,
                    verify,
                    direction: Direction::ToBackup,
                };
                copy(&pair, &referenced, &images)
            })
        };
        let Outcome { copied, damage } = copying.await??;
        let last = last.as_ref();
        let keys =
            self.keys_to_back_up(data, &folder, last.map(|(_, last)| last), how.with_master_key).await?;
        let (catalog, catalog_bytes) = place_catalog(&folder)?;
        failpoint::reached("backup.catalog_durable");
        let record = Record {
            version: 0,
            library: Some(library),
            taken_at: self.clock.now(),
            catalog,
            keys: keys.files,
            images: count,
            bytes: Some(copied.bytes + copied.there_bytes + catalog_bytes),
        };
        let generation = last.map_or(0, |(number, _)| *number) + 1;
        folder.write_record(generation, &record)?;
        failpoint::reached("backup.recorded");
        let pruned =
            prune(&folder, &to_store, usize::try_from(how.keep.max(1)).unwrap_or(usize::MAX)).await?;
        failpoint::reached("backup.done");
        let master_key = record.has_master_key();
        let master_key_changed = keys.changed;
        Ok(BackedUp {
            generation,
            images: count,
            copied,
            catalog_bytes,
            master_key,
            master_key_changed,
            pruned,
            damage,
        })
    }

    /// Refuses when the data folder has no master key, or one that does not open the library's private keys.
    async fn require_master_key(&self, data: &DataDir) -> Result<(), BackupError> {
        let path = data.path().join(MASTER_KEY);
        let bytes = read_key(&path)?.ok_or(BackupError::NoMasterKey)?;
        let opens = bytes_open(&bytes, self.sealed_key().await?.as_ref());
        if opens { Ok(()) } else { Err(BackupError::WrongMasterKey(path)) }
    }

    /// Puts the keys into the backup when they were asked for, and also when they are in the last generation: what an
    /// earlier run put there must not get lost. A master key that does not open the library any more is left to the
    /// generations that it opens.
    async fn keys_to_back_up(
        &self,
        data: &DataDir,
        folder: &Folder,
        last: Option<&Record>,
        asked: bool,
    ) -> Result<Keys, BackupError> {
        let mut keys = Keys::default();
        if asked {
            let bytes = read_key(&data.path().join(MASTER_KEY))?.ok_or(BackupError::NoMasterKey)?;
            keys.files.push((MASTER_KEY.to_owned(), folder.keep_key(&bytes)?));
        } else {
            let Some((last, hash)) = last.and_then(|last| Some((last, last.key(MASTER_KEY)?))) else {
                return Ok(keys);
            };
            let (kept, sealed) =
                (read_checked(&folder.key(last, MASTER_KEY, hash), hash), self.sealed_key().await?);
            if !kept.is_ok_and(|bytes| bytes_open(&bytes, sealed.as_ref())) {
                keys.changed = true;
                return Ok(keys);
            }
            keys.files.push((MASTER_KEY.to_owned(), hash.to_owned()));
        }
        if let Some(bytes) = read_key(&data.credentials_path())? {
            keys.files.push((CREDENTIALS.to_owned(), folder.keep_key(&bytes)?));
        }
        Ok(keys)
    }

    /// A public key with its sealed private key.
    async fn sealed_key(&self) -> Result<Option<(String, String)>, BackupError> {
        let keys = self.catalog.keys(Some(AccountId(1))).await?;
        Ok(keys.into_iter().next().map(|key| (key.public_key, key.sealed_private_key)))
    }

    /// Writes the catalogue of one moment to a file, and keeps sweeps away from all that it names.
    async fn moment(&self, staged: &Path) -> Result<(Vec<ManifestUse>, Vec<GcGuard>), BackupError> {
        let mut held = Vec::new();
        // What is known to have been live after it was held: no sweep has removed that, nor will.
        let mut safe: HashSet<ManifestId> = HashSet::new();
        let mut tries = 1;
        loop {
            remove_catalog(staged)?;
            self.catalog.back_up(staged).await?;
            let images = all_images(&Catalog::open_sqlite(staged).await?).await?;
            let ids = images.iter().filter_map(|image| image.manifest.as_ref()?.parse().ok());
            let new: HashSet<ManifestId> = ids.filter(|id| !safe.contains(id)).collect();
            let (store, ids) = (self.store.clone(), new.iter().copied().collect::<Vec<_>>());
            held.push(tokio::task::spawn_blocking(move || store.guard(&ids)).await??);
            let live: HashSet<ManifestId> = all_images(&self.catalog)
                .await?
                .iter()
                .filter_map(|image| image.manifest.as_ref()?.parse().ok())
                .collect();
            if new.is_subset(&live) || tries == TRIES_MAX {
                return Ok((images, held));
            }
            safe.extend(new.intersection(&live));
            tries += 1;
        }
    }
}

/// Gives the catalogue the name of its hash.
fn place_catalog(folder: &Folder) -> Result<(String, u64), BackupError> {
    let staged = folder.staged_catalog();
    let failed = |source| BackupError::Io { path: staged.clone(), source };
    // Opening it may have written to it.
    let file = std::fs::File::open(&staged).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    let hash = hash_file(&staged)?;
    put_in_place(&staged, &folder.catalog_named(&hash)).map_err(failed)?;
    Ok((hash, bytes))
}

/// Opens the folder of the backup, which must not be in the data folder.
fn open_outside(data: &DataDir, folder: &Path) -> Result<Folder, BackupError> {
    let inside = |path: &Path| path.starts_with(data.path());
    // Looked at before the folder is made, where it can be.
    let absolute = std::path::absolute(folder);
    if absolute.is_ok_and(|path| inside(&path)) {
        return Err(BackupError::Inside(folder.to_owned()));
    }
    let opened = Folder::open_or_create(folder)?;
    if inside(opened.path()) { Err(BackupError::Inside(folder.to_owned())) } else { Ok(opened) }
}

/// The last generation of the backup whose record can be read, `None` when there is no generation; its number is that of
/// the last. Refuses a backup of another library.
async fn last_of(folder: &Folder, library: &str) -> Result<Option<(u64, Record)>, BackupError> {
    for record in folder.entries()?.iter().filter_map(|entry| entry.record.as_ref()) {
        if let Some(other) = record.library.as_ref().filter(|other| *other != library) {
            return Err(another_library(folder.path(), other.clone(), library));
        }
    }
    adopt_first(folder, library).await?;
    let entries = folder.entries()?;
    let Some(newest) = entries.last() else { return Ok(None) };
    let readable = entries.iter().rev().find_map(|entry| entry.record.clone());
    // Nobody knows whose backup it is when no record can be read.
    let record = readable.map_or_else(|| newest.record().cloned(), Ok)?;
    Ok(Some((newest.number, record)))
}

/// Whether the text of a master key opens a sealed private key.
fn bytes_open(master_key: &[u8], sealed: Option<&(String, String)>) -> bool {
    let Some(key) = std::str::from_utf8(master_key).ok().and_then(parse_master_key) else { return false };
    sealed.is_none_or(|(public_key, sealed)| Keyring::new(key).open(public_key, sealed).is_ok())
}

/// The content of a key's file, `None` when there is none.
fn read_key(path: &Path) -> Result<Option<Vec<u8>>, BackupError> {
    match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(|source| BackupError::Io { path: path.to_owned(), source }),
    }
}
