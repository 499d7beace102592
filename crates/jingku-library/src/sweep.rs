//! Removing from the store what no image needs, beside everything else: docs/format/sweep.md.

use std::time::{Duration, Instant};

use jingku_catalog::{Catalog, CatalogError, Generation};
use jingku_chunks::{ManifestId, SweepPlan, SweepReport};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::data_dir::{DataDir, with_causes};
use crate::failpoint;
use crate::library::Library;
use crate::sentence::clause;

/// How many manifests are asked for together.
const BATCH: u32 = 4096;

/// Why a sweep did not come to its end. What it removed until then nobody needed.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// What images need is not known for sure.
    #[error(
        "The catalogue is damaged, so nobody knows which images there are, and nothing was removed: {}. Call `jingku check`, \
         and put a backup back.",
        .0.join("; ")
    )]
    DamagedCatalog(Vec<String>),
    /// A row names what is no manifest.
    #[error(
        "An image names {0:?}, which is no manifest. Nobody knows which chunks it needs, and nothing more was removed. Call \
         `jingku check`, which names the image."
    )]
    NoManifest(String),
    /// An image's manifest is lost or damaged.
    #[error(
        "An image's manifest cannot be read: {0}. Nobody knows which chunks the image needs, and nothing more was removed. Call \
         `jingku check`, which names the image; make it again from its instance, or forget it."
    )]
    BadManifest(jingku_chunks::Error),
    /// The store failed.
    #[error("The chunk store failed: {}.", clause(.0))]
    Store(jingku_chunks::Error),
    /// The catalogue failed.
    #[error("The catalogue failed: {}.", with_causes(.0))]
    Catalog(#[from] CatalogError),
    /// A task panicked.
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

/// The last sweep that came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSweep {
    /// When it ended, in seconds since 1970.
    pub ended_at: i64,
    /// Files removed: chunks and manifests.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Library {
    /// Removes every manifest and chunk that no image needs, in the trash or not, and that nobody is at work with; with
    /// `dry_run` only tells what would go. `go_on` is asked after every step, told how long that took, and may take its time; when
    /// it says no, the sweep ends early.
    pub async fn sweep(
        &self,
        dry_run: bool,
        mut go_on: impl FnMut(SweepReport, Duration) -> bool + Send + 'static,
    ) -> Result<SweepReport, SweepError> {
        // An index that lost an entry would hide an image.
        let problems = self.catalog.check(true).await?;
        if !problems.is_empty() {
            return Err(SweepError::DamagedCatalog(problems));
        }
        let mut live = LiveManifests::of(&self.catalog);
        let mut sweep = self.store.sweep(SweepPlan { dry_run, ..SweepPlan::default() });
        let sweeping = tokio::task::spawn_blocking(move || {
            loop {
                failpoint::reached("sweep.before_step");
                let started = Instant::now();
                let more = sweep.step(&mut || live.ask())?;
                failpoint::reached("sweep.after_step");
                let swept = sweep.swept();
                if !more {
                    return Ok((swept, true));
                }
                if !go_on(swept, started.elapsed()) {
                    return Ok::<_, SweepError>((swept, false));
                }
            }
        });
        let (swept, ended) = sweeping.await??;
        if let Some(data) = self.data.as_ref().filter(|_| ended && !dry_run) {
            let files = swept.chunks + swept.manifests;
            let last = LastSweep { ended_at: self.clock.now(), files, bytes: swept.bytes };
            data.keep_state(LAST_SWEEP, &last);
            failpoint::reached("sweep.done");
        }
        Ok(swept)
    }
}

impl DataDir {
    /// The last sweep of the data folder, if there was one.
    pub fn last_sweep(&self) -> Option<LastSweep> {
        self.state(LAST_SWEEP)
    }
}

/// The file of the data folder.
const LAST_SWEEP: &str = "sweep";

/// What the catalogue says is live, asked again only when it may have changed.
struct LiveManifests {
    catalog: Catalog,
    runtime: Handle,
    known: Option<(Generation, Vec<ManifestId>)>,
}

impl LiveManifests {
    fn of(catalog: &Catalog) -> Self {
        Self { catalog: catalog.clone(), runtime: Handle::current(), known: None }
    }

    fn ask(&mut self) -> Result<Vec<ManifestId>, SweepError> {
        // Before the read: what is committed meanwhile moves it.
        let generation = self.catalog.generation();
        if let Some((at, known)) = &self.known
            && Some(*at) == generation
        {
            return Ok(known.clone());
        }
        let live = self.runtime.block_on(manifests(&self.catalog))?;
        self.known = generation.map(|generation| (generation, live.clone()));
        Ok(live)
    }
}

/// Every manifest that an image needs, in the trash or not: 32 bytes each.
async fn manifests(catalog: &Catalog) -> Result<Vec<ManifestId>, SweepError> {
    let (mut live, mut after) = (Vec::new(), String::new());
    loop {
        let page = catalog.manifests(&after, BATCH).await?;
        let Some(last) = page.last() else { return Ok(live) };
        after.clone_from(last);
        for text in page {
            live.push(text.parse().map_err(|_| SweepError::NoManifest(text))?);
        }
    }
}
