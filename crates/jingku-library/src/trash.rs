//! What was deleted, for as long as it is kept. The API does not know of it; the operator brings back or forgets.

use jingku_catalog::{CatalogError, PurgeImage, RestoreImage, TrashedImage};
use jingku_protocol::actions::is_image_name;

use crate::failpoint;
use crate::library::Library;
use crate::operator::OperatorError;
use crate::time_watch::HeldBack;

const SECS_OF_A_DAY: i64 = 24 * 60 * 60;
/// The most images that `jingku trash list` shows.
const LISTED_MAX: u32 = 1000;
/// How many are looked at together.
const BATCH: u32 = 256;

/// What [`Library::empty_trash`] is to forget.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyTrash<'a> {
    /// These images; all when there is none.
    pub ids: &'a [String],
    /// Only what was deleted so many seconds ago or earlier.
    pub older_than_secs: i64,
    /// Only tells what would go.
    pub dry_run: bool,
}

/// What [`Library::empty_trash`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmptiedTrash {
    /// How many images are gone.
    pub images: u64,
    /// How large they were when unpacked, together. What that frees is less where other images share their chunks.
    pub bytes: i64,
}

impl EmptiedTrash {
    fn add(&mut self, image: &TrashedImage) {
        self.images += 1;
        self.bytes = self.bytes.saturating_add(image.size_bytes);
    }
}

impl Library {
    /// What the trash holds, the last deleted first, at most 1000.
    pub async fn trash(&self) -> Result<Vec<TrashedImage>, OperatorError> {
        Ok(self.catalog.trash(LISTED_MAX).await?)
    }

    /// Brings an image back, under its name or another. Returns the name.
    pub async fn restore_image(&self, id: &str, name: Option<&str>) -> Result<String, OperatorError> {
        if let Some(name) = name.filter(|name| !is_image_name(name)) {
            return Err(OperatorError::BadImageName(name.to_owned()));
        }
        failpoint::reached("trash.before_restore");
        let outcome = self.catalog.restore_image(id, name, self.clock.now()).await?;
        failpoint::reached("trash.after_restore");
        match outcome {
            RestoreImage::Restored(name) => Ok(name),
            RestoreImage::NotFound => Err(OperatorError::NotInTrash(id.to_owned())),
            RestoreImage::NameTaken(name) => Err(OperatorError::TrashNameTaken { id: id.to_owned(), name }),
            RestoreImage::NeverMade => Err(OperatorError::NeverMade(id.to_owned())),
            RestoreImage::OverLimit(over) => Err(OperatorError::OverLimit(over)),
        }
    }

    /// Forgets images of the trash for good. Named ones must all be there, or none goes.
    pub async fn empty_trash(&self, what: EmptyTrash<'_>) -> Result<EmptiedTrash, OperatorError> {
        let until = self.clock.now().saturating_sub(what.older_than_secs);
        if what.ids.is_empty() {
            return Ok(self.empty_until(until, what.dry_run, || false).await?);
        }
        let mut named = Vec::new();
        for id in what.ids {
            let image = self.catalog.trashed_image(id).await?;
            let image = image.ok_or_else(|| OperatorError::NotInTrash(id.clone()))?;
            if image.deleted_at <= until && !named.contains(&image) {
                named.push(image);
            }
        }
        let mut emptied = EmptiedTrash::default();
        for image in &named {
            if what.dry_run || self.purge(image, until).await? {
                emptied.add(image);
            }
        }
        Ok(emptied)
    }

    /// Forgets what was deleted `until` then, the oldest first, until it is told to stop.
    pub(crate) async fn empty_until(
        &self,
        until: i64,
        dry_run: bool,
        stopped: impl Fn() -> bool,
    ) -> Result<EmptiedTrash, CatalogError> {
        let mut emptied = EmptiedTrash::default();
        let mut after = (i64::MIN, String::new());
        loop {
            let images = self.catalog.trash_until(until, (after.0, &after.1), BATCH).await?;
            let Some(last) = images.last() else { return Ok(emptied) };
            after = (last.deleted_at, last.id.clone());
            for image in &images {
                if stopped() {
                    return Ok(emptied);
                }
                if dry_run || self.purge(image, until).await? {
                    emptied.add(image);
                }
            }
        }
    }

    /// Forgets what has been kept for long enough at `trusted_now`, see [`Library::trusted_now`].
    pub(crate) async fn empty_expired(
        &self,
        trusted_now: Option<i64>,
        stopped: impl Fn() -> bool,
    ) -> Result<EmptiedTrash, CatalogError> {
        let kept_secs = i64::from(self.config.trash.keep_days) * SECS_OF_A_DAY;
        let until = match trusted_now {
            // Nothing is kept, so no clock is asked.
            _ if kept_secs == 0 => i64::MAX,
            Some(now) => now.saturating_sub(kept_secs),
            None => return Ok(EmptiedTrash::default()),
        };
        self.empty_until(until, false, stopped).await
    }

    /// Returns whether it was still there: somebody may have brought it back meanwhile.
    async fn purge(&self, image: &TrashedImage, until: i64) -> Result<bool, CatalogError> {
        failpoint::reached("trash.before_purge");
        let outcome = self.catalog.purge_image(&image.id, until).await?;
        failpoint::reached("trash.after_purge");
        if outcome == PurgeImage::Purged {
            tracing::info!(image_id = image.id, "image gone from the trash");
        }
        Ok(outcome == PurgeImage::Purged)
    }

    /// Reads the clock, and returns the time that deleting by age may count with: the earliest that the readings of the
    /// last day of running allow, or `None` before a server has run for a day. In memory nothing is kept for long, and
    /// the clock is believed. Writes a file, so it blocks.
    pub fn trusted_now(&self) -> Option<i64> {
        let now = self.clock.now();
        match &self.data {
            None => Some(now),
            Some(data) => self.time_watch.read(data, now, self.clock.monotonic()),
        }
    }

    /// Tells whether deleting by age waits because the clock has jumped.
    pub fn held_back(&self) -> Option<HeldBack> {
        HeldBack::of(self.data.as_ref()?, self.clock.now())
    }
}
