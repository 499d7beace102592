//! From a data folder to a backup.

use std::path::Path;

use jingku_catalog::Catalog;

use super::copy::{Outcome, Pair, Way, copy};
use super::folder::{Folder, Record, hash_file, put_in_place, remove_catalog};
use super::{BackupError, Copied, Damage};
use crate::context::Context;
use crate::data_dir::DataDir;
use crate::failpoint;
use crate::named::{Named, all_images};

/// How often it is begun anew because images went for good meanwhile.
const TRIES_MAX: u32 = 3;

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
        let to = std::sync::Arc::new(to);
        let staged = folder.staged_catalog();
        let mut tries = 1;
        let (outcome, images) = loop {
            remove_catalog(&staged)?;
            self.catalog.back_up(&staged).await?;
            let images = all_images(&Catalog::open_sqlite(&staged).await?).await?;
            let count = images.len() as u64;
            let (from, from_store) = (data.objects()?, self.store.clone());
            let (to, to_store, verify) = (to.clone(), to_store.clone(), how.verify);
            let copying = tokio::task::spawn_blocking(move || {
                let stores: [(&dyn jingku_chunks::Backend, _); 2] = [(&from, &from_store), (&*to, &to_store)];
                let named = Named::open(&images, &stores)?;
                let pair = Pair { from: &from, to: &to, to_store: &to_store, verify, way: Way::ToBackup };
                copy(&pair, &named, &images)
            });
            // Images that went for good meanwhile, and were swept, are no damage: they are not in the next catalogue.
            match copying.await? {
                Err(jingku_chunks::Error::NotFound(_)) if tries < TRIES_MAX => {}
                outcome => {
                    let outcome = outcome?;
                    if tries == TRIES_MAX || !self.some_are_gone(&outcome.damage).await? {
                        break (outcome, count);
                    }
                }
            }
            tries += 1;
        };
        let Outcome { copied, damage } = outcome;
        let mut keys = Vec::new();
        if how.with_master_key {
            keys.extend(folder.keep_key("master.key", &master_key)?);
            keys.extend(folder.keep_key("credentials.toml", &data.credentials_path())?);
        }
        let (catalog, catalog_bytes) = place_catalog(&folder)?;
        failpoint::reached("backup.catalog_durable");
        let record = Record { version: 0, taken_at: self.clock.now(), catalog, keys, images };
        folder.finish(&record)?;
        failpoint::reached("backup.done");
        Ok(BackedUp { images, copied, catalog_bytes, damage })
    }

    async fn some_are_gone(&self, damage: &Damage) -> Result<bool, BackupError> {
        if damage.is_empty() {
            return Ok(false);
        }
        let now = all_images(&self.catalog).await?;
        Ok(damage.images.iter().any(|id| now.binary_search_by(|image| image.image_id.cmp(id)).is_err()))
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
