//! From a data folder to a backup.

use std::collections::HashSet;
use std::path::Path;

use jingku_catalog::{Catalog, ManifestUse};
use jingku_chunks::{Hold, ManifestId};

use super::copy::{Outcome, Pair, Way, copy};
use super::folder::{Folder, Record, hash_file, put_in_place, remove_catalog};
use super::{BackupError, Copied, Damage};
use crate::context::Context;
use crate::data_dir::DataDir;
use crate::failpoint;
use crate::named::{Named, all_images};

/// How often the catalogue is written anew because images went for good before they could be held. Each time only those
/// that are new have to be held, within milliseconds.
const TRIES_MAX: u32 = 10;

/// How [`Context::back_up`] is to go.
#[derive(Clone, Copy, Debug)]
pub struct BackUp<'a> {
    /// Where to.
    pub folder: &'a Path,
    /// Looks also into objects that are in the backup already.
    pub verify: bool,
    /// Puts the master key and the first account's key pair into the backup too, which then is a secret.
    pub with_master_key: bool,
}

/// What [`Context::back_up`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackedUp {
    /// How many images there are, in the trash or not.
    pub images: u64,
    /// Objects.
    pub copied: Copied,
    /// Bytes of the catalogue.
    pub catalog_bytes: u64,
    /// What the data folder itself does not have any more. The backup is finished all the same.
    pub damage: Damage,
}

impl Context {
    /// Backs the data folder up. A server may run meanwhile: what is in the backup is the catalogue of one moment and
    /// everything that it names.
    pub async fn back_up(&self, data: &DataDir, how: BackUp<'_>) -> Result<BackedUp, BackupError> {
        let master_key = data.path().join("master.key");
        if how.with_master_key && !master_key.is_file() {
            return Err(BackupError::NoMasterKey);
        }
        // Looked at before the folder is made, where it can be.
        let inside = |path: &Path| path.starts_with(data.path());
        let absolute = std::path::absolute(how.folder);
        if absolute.is_ok_and(|path| inside(&path)) {
            return Err(BackupError::Inside(how.folder.to_owned()));
        }
        let folder = Folder::open_or_create(how.folder)?;
        if inside(folder.path()) {
            return Err(BackupError::Inside(how.folder.to_owned()));
        }
        let (to, to_store) = folder.objects()?;
        let staged = folder.staged_catalog();
        let (images, _held) = self.moment(&staged).await?;
        let count = images.len() as u64;
        let (from, from_store, verify) = (data.objects()?, self.store.clone(), how.verify);
        let copying = tokio::task::spawn_blocking(move || {
            let stores: [(&dyn jingku_chunks::Backend, _); 2] = [(&from, &from_store), (&to, &to_store)];
            let named = Named::open(&images, &stores)?;
            let pair = Pair { from: &from, to: &to, to_store: &to_store, verify, way: Way::ToBackup };
            copy(&pair, &named, &images)
        });
        let outcome = copying.await??;
        let Outcome { copied, damage } = outcome;
        let mut keys = Vec::new();
        if how.with_master_key {
            keys.extend(folder.keep_key("master.key", &master_key)?);
            keys.extend(folder.keep_key("credentials.toml", &data.credentials_path())?);
        }
        let (catalog, catalog_bytes) = place_catalog(&folder)?;
        failpoint::reached("backup.catalog_durable");
        let record = Record { version: 0, taken_at: self.clock.now(), catalog, keys, images: count };
        folder.finish(&record)?;
        failpoint::reached("backup.done");
        Ok(BackedUp { images: count, copied, catalog_bytes, damage })
    }

    /// Writes the catalogue of one moment to a file, and keeps sweeps away from all that it names.
    async fn moment(&self, staged: &Path) -> Result<(Vec<ManifestUse>, Vec<Hold>), BackupError> {
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
            held.push(tokio::task::spawn_blocking(move || store.hold(&ids)).await??);
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
    put_in_place(&staged, &folder.catalog(&hash)).map_err(failed)?;
    Ok((hash, bytes))
}
