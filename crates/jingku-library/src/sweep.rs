//! Removes data that no image needs while everything else runs: docs/format/sweep.md.

use std::time::{Duration, Instant};

use jingku_catalog::{Catalog, CatalogError};
use jingku_chunks::{ManifestId, SweepPlan, SweepReport};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::data_dir::DataDir;
use crate::failpoint;
use crate::library::Library;
use crate::sentence::{clause, with_causes};

const BATCH: u32 = 4096;
/// How long ago an upload to a bucket must have begun before a sweep ends it, in seconds. Uploads take minutes.
const UPLOAD_AGE_SECS_MIN: i64 = 24 * 60 * 60;
/// The name of the task, and of its state.
pub(crate) const SWEEP: &str = "sweep";

/// Why a sweep failed. What it removed before was unused.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The set of images is uncertain.
    #[error(
        "The catalogue is corrupted, so its images are unknown and nothing was removed: {}. Run `jingku check` and restore a \
         backup.",
        .0.join("; ")
    )]
    DamagedCatalog(Vec<String>),
    /// A row names an invalid manifest.
    #[error(
        "An image names the invalid manifest {0:?}, so its chunks are unknown and nothing more was removed. Run `jingku check` \
         to identify the image."
    )]
    NoManifest(String),
    /// The manifest of an image is missing or corrupted.
    #[error(
        "An image's manifest cannot be read: {0}. Its chunks are unknown and nothing more was removed. Run `jingku check` to \
         identify the image, then make it again from its instance or purge it."
    )]
    BadManifest(jingku_chunks::Error),
    /// The store failed.
    #[error("The chunk store failed: {}.", clause(.0))]
    Store(jingku_chunks::Error),
    /// The catalogue failed.
    #[error("The catalogue failed: {}.", with_causes(.0))]
    Catalog(#[from] CatalogError),
    /// A task panicked or was cancelled.
    #[error("A task ended abnormally: {}.", clause(.0))]
    Task(#[from] tokio::task::JoinError),
}

impl From<jingku_chunks::Error> for SweepError {
    fn from(error: jingku_chunks::Error) -> Self {
        use jingku_chunks::{Error, Key};
        match error {
            Error::NotFound(Key::Manifest(_)) | Error::Damaged { key: Key::Manifest(_), .. } => {
                Self::BadManifest(error)
            }
            error => Self::Store(error),
        }
    }
}

/// The last completed sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSweep {
    /// Its end, in Unix seconds.
    pub ended_at: i64,
    /// Removed files: chunks and manifests.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Library {
    /// Removes every manifest and chunk that no image, including the trash, and no running job needs. With `dry_run`, only
    /// reports them. Calls `proceed` after every step with the progress and the duration of the step. It may block. If it
    /// returns `false`, the sweep ends early.
    pub async fn sweep(
        &self,
        dry_run: bool,
        mut proceed: impl FnMut(SweepReport, Duration) -> bool + Send + 'static,
    ) -> Result<SweepReport, SweepError> {
        // A corrupted index could hide an image.
        let problems = self.catalog.check(true).await?;
        if !problems.is_empty() {
            return Err(SweepError::DamagedCatalog(problems));
        }
        let mut live = live_manifests(self.catalog.clone());
        let mut sweep = self.store.sweep(SweepPlan { dry_run, ..SweepPlan::default() });
        let sweeping = tokio::task::spawn_blocking(move || {
            loop {
                failpoint::reached("sweep.before_step");
                let started = Instant::now();
                let more = sweep.step(&mut live)?;
                failpoint::reached("sweep.after_step");
                let swept = sweep.swept();
                if !more {
                    return Ok((swept, true));
                }
                if !proceed(swept, started.elapsed()) {
                    return Ok::<_, SweepError>((swept, false));
                }
            }
        });
        let (swept, ended) = sweeping.await??;
        if ended && !dry_run {
            self.abort_uploads().await?;
        }
        if ended && !dry_run && self.data.is_some() {
            let files = swept.chunks + swept.manifests;
            let last = LastSweep { ended_at: self.clock.now(), files, bytes: swept.bytes };
            self.keep_task_state(SWEEP, None, &last).await?;
            failpoint::reached("sweep.done");
        }
        Ok(swept)
    }

    /// Ends uploads to a bucket whose writer was killed.
    async fn abort_uploads(&self) -> Result<(), SweepError> {
        let (store, before) = (self.store.clone(), self.clock.now() - UPLOAD_AGE_SECS_MIN);
        match tokio::task::spawn_blocking(move || store.backend().abort_uploads(before)).await? {
            Ok(0) => {}
            Ok(uploads) => tracing::info!(uploads, "ended unfinished uploads to the bucket"),
            // Not every service or key pair can list them.
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "cannot end unfinished uploads to the bucket");
            }
        }
        Ok(())
    }

    /// The last completed sweep of any server.
    pub async fn last_sweep(&self) -> Result<Option<LastSweep>, CatalogError> {
        self.task_state(SWEEP).await
    }
}

impl DataDir {
    /// The last completed sweep of a data directory whose catalogue is a file.
    pub fn last_sweep(&self) -> Option<LastSweep> {
        self.state(SWEEP)
    }
}

/// Returns the live manifests of the catalogue with each call, and reads them again only after a change. Blocks.
fn live_manifests(catalog: Catalog) -> impl FnMut() -> Result<Vec<ManifestId>, SweepError> {
    let (runtime, mut known) = (Handle::current(), None);
    move || {
        // Before the read, because a commit during the read changes it.
        let generation = catalog.generation();
        if let Some((at, live)) = &known
            && Some(*at) == generation
        {
            return Ok(Vec::clone(live));
        }
        let live = runtime.block_on(manifests(&catalog))?;
        known = generation.map(|generation| (generation, live.clone()));
        Ok(live)
    }
}

/// Every manifest that an image needs, including the trash: 32 bytes each.
async fn manifests(catalog: &Catalog) -> Result<Vec<ManifestId>, SweepError> {
    let (mut live, mut after) = (Vec::new(), String::new());
    loop {
        let page = catalog.manifests(&after, BATCH).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(last);
        for text in page {
            live.push(text.parse().map_err(|_| SweepError::NoManifest(text))?);
        }
    }
    // The new place of a catalogue that was moved may have more.
    match catalog.moved_to().await? {
        Some(place) => Err(CatalogError::Moved(place).into()),
        None => Ok(live),
    }
}
