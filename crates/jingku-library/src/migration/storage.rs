//! Moves the data of images between the folder of the data directory and buckets.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jingku_catalog::ManifestUse;
use jingku_chunks::{ManifestId, Store};

use super::MigrationError;
use super::place::{Place, StoreTarget};
use super::progress::{self, Meter, MeterState, Report, StoreProgress, save_verified, verify_from};
use crate::backup::copy::{Outcome, Stores, VERIFY_NONE, copy};
use crate::backup::{Copied, Damage};
use crate::config::Config;
use crate::data_dir::DataDir;
use crate::environment::Environment;
use crate::failpoint;
use crate::library::Library;
use crate::objects::BucketStorage;
use crate::random::unique_id;
use crate::referenced::Referenced;
use crate::serve_lock::ServeLock;
use crate::start_error::StartError;

/// The most chunks that a move copies at once, each of at most 1 MiB and twice in memory.
const MOVE_THREADS_MAX: usize = 32;
/// Rows read with one statement.
const BATCH: u32 = 1000;
/// The pause before another attempt to lock out servers.
const POLL: Duration = Duration::from_millis(200);
/// How often new images are copied while a server runs.
const AGAIN: Duration = Duration::from_mins(1);

/// Options of [`migrate_storage`].
pub struct MoveStore<'a> {
    /// The data directory.
    pub data: &'a DataDir,
    /// Where to move the data of its images.
    pub to: &'a StoreTarget,
    /// Also moves a library with corrupted images, which stay corrupted.
    pub skip_damaged: bool,
    /// The environment.
    pub environment: &'a Environment,
    /// Called with the progress, from any thread.
    pub report: Arc<dyn Fn(StoreProgress) + Send + Sync>,
}

/// The result of [`migrate_storage`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedStore {
    /// The old store. It keeps its objects.
    pub from: String,
    /// The new store.
    pub to: String,
    /// What was copied in this run.
    pub copied: Copied,
    /// What was not copied.
    pub damage: Damage,
}

/// Copies the data of all images while a server may run. Then waits until no server runs, copies the rest, and makes the
/// target the store of the data directory. The next run of an interrupted move continues it.
pub async fn migrate_storage(how: &MoveStore<'_>) -> Result<MovedStore, MigrationError> {
    let data = how.data;
    if !data.is_writable() {
        return Err(MigrationError::ReadOnly(data.clone()));
    }
    let _lock = data.lock_move()?;
    data.check_whole()?;
    let source = Place::open(data, BucketStorage::recorded(data)?).await?;
    let bucket = how.to.bucket();
    let is_same = match (&source, &bucket) {
        (Place::Folder(_), None) => true,
        (Place::Bucket(source, _), Some(target)) => source.name() == target.name(),
        _ => false,
    };
    if is_same {
        return Err(MigrationError::SamePlace(source.name()));
    }
    if let Some(place) = source.elsewhere().await? {
        let lock = data.lock()?;
        let target = Place::open(data, bucket).await?;
        if target.name() != place {
            return Err(StartError::StoreElsewhere { store: source.name(), place }.into());
        }
        switch(data, &source, &target, &lock).await?;
        return Ok(MovedStore {
            from: source.name(),
            to: place,
            copied: Copied::default(),
            damage: Damage::default(),
        });
    }
    let library = Library::open_library(data, &Config::default(), how.environment).await?;
    let owner = library.catalog.bucket_owner(&unique_id(&*how.environment.random)).await?;
    let (target, to) = Place::open_or_create(data, bucket, owner).await?;
    // Nothing may start on it before it is complete.
    target.set_elsewhere(Some(source.name())).await?;
    if source.elsewhere().await?.is_some() {
        // The same bucket by another address.
        target.set_elsewhere(None).await?;
        return Err(MigrationError::SamePlace(source.name()));
    }
    failpoint::reached("migrate.store_announced");
    let mut transfer = Transfer {
        library,
        to,
        target: target.name(),
        how,
        done: HashSet::new(),
        copied: Copied::default(),
        damage: Damage::default(),
    };
    transfer.copy_all().await?;
    let lock = transfer.lock_out_servers().await?;
    // Another command may have moved them meanwhile.
    if let Some(place) = source.elsewhere().await? {
        return Err(StartError::StoreElsewhere { store: source.name(), place }.into());
    }
    (how.report)(StoreProgress::Finishing);
    transfer.copy_new().await?;
    let Transfer { library, copied, damage, .. } = transfer;
    drop(library);
    switch(data, &source, &target, &lock).await?;
    Ok(MovedStore { from: source.name(), to: target.name(), copied, damage })
}

/// Makes the target the store of the data directory. Each step can be repeated, and every server is refused until all are
/// done.
async fn switch(data: &DataDir, source: &Place, target: &Place, _: &ServeLock) -> Result<(), MigrationError> {
    source.set_elsewhere(Some(target.name())).await?;
    failpoint::reached("migrate.store_marked");
    target.set_elsewhere(None).await?;
    failpoint::reached("migrate.store_unmarked");
    target.record(data)?;
    failpoint::reached("migrate.store_switched");
    Ok(data.remove(progress::NAME)?)
}

/// A move whose target is not complete.
struct Transfer<'a> {
    library: Library,
    to: Store,
    target: String,
    how: &'a MoveStore<'a>,
    /// Manifests that are in the target with their chunks, or are damaged.
    done: HashSet<ManifestId>,
    copied: Copied,
    damage: Damage,
}

impl Transfer<'_> {
    /// Copies what images need now.
    async fn copy_all(&mut self) -> Result<(), MigrationError> {
        let verify_from = verify_from(self.how.data, &self.target);
        let images = self.new_images(true).await?;
        self.copy(images, verify_from, &self.how.report.clone()).await?;
        save_verified(self.how.data, &self.target);
        Ok(())
    }

    /// Copies what images need that have been made since.
    async fn copy_new(&mut self) -> Result<(), MigrationError> {
        let images = self.new_images(false).await?;
        if images.is_empty() {
            return Ok(());
        }
        // What this writes is not verified until it ends.
        self.how.data.remove(progress::NAME)?;
        let silent: Report = Arc::new(|_| ());
        self.copy(images, VERIFY_NONE, &silent).await?;
        save_verified(self.how.data, &self.target);
        Ok(())
    }

    /// Waits until no server runs, and keeps others from starting.
    async fn lock_out_servers(&mut self) -> Result<ServeLock, MigrationError> {
        let mut copied_at = None;
        loop {
            match self.how.data.lock() {
                Err(StartError::InUse(_)) => {}
                locked => return Ok(locked?),
            }
            if copied_at.is_none() {
                (self.how.report)(StoreProgress::Waiting);
            }
            if copied_at.is_none_or(|at: Instant| at.elapsed() >= AGAIN) {
                self.copy_new().await?;
                copied_at = Some(Instant::now());
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Images whose manifest is not in the target, with those whose manifest has an invalid name if asked for.
    async fn new_images(&self, with_invalid: bool) -> Result<Vec<ManifestUse>, MigrationError> {
        let (mut images, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.library.catalog.manifest_uses(&after, BATCH).await?;
            let Some(last) = page.last() else { return Ok(images) };
            after.clone_from(&last.image_id);
            let is_new = |image: &ManifestUse| match image.manifest.as_ref().map(|name| name.parse()) {
                None => false,
                Some(Err(_)) => with_invalid,
                Some(Ok(id)) => !self.done.contains(&id),
            };
            images.extend(page.into_iter().filter(is_new));
        }
    }

    async fn copy(
        &mut self,
        mut images: Vec<ManifestUse>,
        verify_from: u16,
        report: &Report,
    ) -> Result<(), MigrationError> {
        let ids: Vec<ManifestId> = manifests(&images).collect();
        let (store, guarded) = (self.library.store.clone(), ids.clone());
        let guard = tokio::task::spawn_blocking(move || store.guard(&guarded)).await??;
        // Those that were removed before they were guarded may have been swept.
        let live: HashSet<ManifestId> = manifests(&self.new_images(false).await?).collect();
        images.retain(|image| manifests([image]).all(|id| live.contains(&id)));
        let meter = Meter {
            data: self.how.data.clone(),
            to: self.to.clone(),
            target: self.target.clone(),
            verify_from,
            report: Arc::clone(report),
            state: Mutex::new(MeterState::start()),
        };
        let (from_store, to_store) = (self.library.store.clone(), self.to.clone());
        let copying = tokio::task::spawn_blocking(move || {
            let (from, to) = (from_store.backend().as_ref(), to_store.backend().as_ref());
            let referenced = Referenced::open(&images, &[(from, &from_store)])?;
            let threads = MOVE_THREADS_MAX;
            let stores = Stores { from, to, to_store: &to_store, verify_from, threads, watch: &meter };
            copy(&stores, &referenced, &images)
        });
        let Outcome { copied, damage } = copying.await??;
        drop(guard);
        self.done.extend(ids);
        self.copied.add(copied);
        self.damage.merge(damage);
        if self.damage.is_empty() || self.how.skip_damaged {
            Ok(())
        } else {
            Err(MigrationError::Damaged(self.damage.clone()))
        }
    }
}

fn manifests<'a>(images: impl IntoIterator<Item = &'a ManifestUse>) -> impl Iterator<Item = ManifestId> {
    images.into_iter().filter_map(|image| image.manifest.as_ref()?.parse().ok())
}
