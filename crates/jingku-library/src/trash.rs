//! The trash: deleted images that are still kept. This is the operator's view; tenants have actions for their own images.

use jingku_catalog::{CatalogError, Channel, RestoreImage, TrashedImage};

use crate::audit::Change;
use crate::error::{LibraryError, check_image_name};
use crate::failpoint;
use crate::library::Library;
use crate::time_watch::held_back_secs;

const SECS_OF_A_DAY: i64 = 24 * 60 * 60;
/// The most images that `jingku trash list` shows.
const LISTED_MAX: u32 = 1000;
const BATCH: u32 = 256;

/// Options of [`Library::empty_trash`].
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyTrash<'a> {
    /// Only these images; all if empty.
    pub ids: &'a [String],
    /// Only images that were deleted at least this many seconds ago.
    pub older_than_secs: i64,
    /// Only reports the images.
    pub dry_run: bool,
}

/// The result of [`Library::empty_trash`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmptiedTrash {
    /// How many images were purged.
    pub images: u64,
    /// Their unpacked size. Less space is freed if other images share their chunks.
    pub bytes: i64,
}

impl Library {
    /// The images in the trash, the last deleted first, at most 1000.
    pub async fn trash(&self) -> Result<Vec<TrashedImage>, LibraryError> {
        Ok(self.catalog.trash(LISTED_MAX).await?)
    }

    /// Restores an image under its name or another. Returns the name.
    pub async fn restore_image(&self, id: &str, name: Option<&str>) -> Result<String, LibraryError> {
        check_image_name(name)?;
        failpoint::reached("trash.before_restore");
        let restore = self.catalog.restore_image(id, name, self.clock.now());
        let outcome = self.audited_image("trash restore", id, restore).await??;
        failpoint::reached("trash.after_restore");
        match outcome {
            RestoreImage::Restored(name) => Ok(name),
            RestoreImage::NotFound | RestoreImage::Live(_) => Err(LibraryError::NotInTrash(id.to_owned())),
            RestoreImage::NameTaken(name) => Err(LibraryError::TrashNameTaken { id: id.to_owned(), name }),
            RestoreImage::NeverMade => Err(LibraryError::NeverMade(id.to_owned())),
            RestoreImage::OverLimit(over) => Err(LibraryError::AccountFull(over)),
        }
    }

    /// Purges images from the trash. If a named image is not in the trash, none is purged.
    pub async fn empty_trash(&self, what: EmptyTrash<'_>) -> Result<EmptiedTrash, LibraryError> {
        let until = self.clock.now().saturating_sub(what.older_than_secs);
        if what.ids.is_empty() {
            return Ok(self.empty_until(until, what.dry_run, Channel::Command, || false).await?);
        }
        let mut named = Vec::new();
        for id in what.ids {
            let image = self.catalog.trashed_image(id).await?;
            let image = image.ok_or_else(|| LibraryError::NotInTrash(id.clone()))?;
            if image.deleted_at <= until && !named.contains(&image) {
                named.push(image);
            }
        }
        let mut emptied = EmptiedTrash::default();
        for image in &named {
            self.purge(image, until, what.dry_run, Channel::Command, &mut emptied).await?;
        }
        Ok(emptied)
    }

    /// Purges images that were deleted until then, oldest first, unless stopped.
    pub(crate) async fn empty_until(
        &self,
        until: i64,
        dry_run: bool,
        channel: Channel,
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
                self.purge(image, until, dry_run, channel, &mut emptied).await?;
            }
        }
    }

    /// Purges images that have expired at `trusted_now`, see [`Library::trusted_now`].
    pub(crate) async fn empty_expired(
        &self,
        trusted_now: Option<i64>,
        stopped: impl Fn() -> bool,
    ) -> Result<EmptiedTrash, CatalogError> {
        let kept_secs = i64::from(self.config.trash.keep_days) * SECS_OF_A_DAY;
        let until = match trusted_now {
            // Without a retention time, the clock does not matter.
            _ if kept_secs == 0 => i64::MAX,
            Some(now) => now.saturating_sub(kept_secs),
            None => return Ok(EmptiedTrash::default()),
        };
        self.empty_until(until, false, Channel::Server, stopped).await
    }

    /// Purges an image unless it has left the trash, or `dry_run`. Adds it to what was emptied.
    async fn purge(
        &self,
        image: &TrashedImage,
        until: i64,
        dry_run: bool,
        channel: Channel,
        emptied: &mut EmptiedTrash,
    ) -> Result<(), CatalogError> {
        if !dry_run {
            failpoint::reached("trash.before_purge");
            let change =
                Change { channel, account: image.account, action: "trash empty", subject: &image.id };
            let purged = self.audited(change, self.catalog.purge_image(&image.id, until)).await?;
            failpoint::reached("trash.after_purge");
            if !purged {
                return Ok(());
            }
            tracing::info!(image_id = image.id, "image purged from the trash");
        }
        emptied.images += 1;
        emptied.bytes = emptied.bytes.saturating_add(image.size_bytes);
        Ok(())
    }

    /// Reads the clock and returns the time for deletion by age: the earliest that the readings of the last day of running
    /// time allow, or `None` before a server has run for a day. In memory, the clock is trusted. Blocks, because it saves
    /// the reading.
    pub fn trusted_now(&self) -> Option<i64> {
        let now = self.clock.now();
        match &self.data {
            None => Some(now),
            Some(data) => self.time_watch.read(data, now, self.clock.monotonic()),
        }
    }

    /// The running time until the clock is trusted, in seconds; `None` unless deletion by age is suspended because the
    /// clock jumped.
    pub fn held_back_secs(&self) -> Option<i64> {
        held_back_secs(self.data.as_ref()?, self.clock.now())
    }
}
