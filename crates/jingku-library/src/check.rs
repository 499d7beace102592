//! Verifies image integrity: rows, manifests, chunks and the catalogue itself. docs/operate/check.md.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use jingku_catalog::{ImageStatus, ManifestUse};
use jingku_chunks::{CheckPlan, CheckProgress, CheckReport, Key, ManifestId};

use crate::error::{Internal, LibraryError};
use crate::library::Library;
use crate::referenced::all_manifests;

pub use jingku_chunks::Depth;

/// Images read by one statement.
const IMAGES_READ_MAX: u32 = 1000;

/// The result of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Images, including the trash.
    pub images: u64,
    /// Manifests they need.
    pub manifests: u64,
    /// What the store found, by index of manifest.
    pub report: CheckReport,
    /// Number of corrupted images.
    pub corrupt_count: u64,
    /// Corrupted images and their problems, in order of id: all after [`Library::check`].
    pub corrupt: Vec<(ManifestUse, Corruption)>,
    /// Corrupted objects that images need, at most a thousand.
    pub objects: Vec<CorruptObject>,
    /// How many such objects exist.
    pub object_count: u64,
    /// Problems of the catalogue's file, one line each.
    pub database: Vec<String>,
}

/// The problem of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Corruption {
    /// Some of its data is missing or corrupted.
    Bits,
    /// Its row says that it is complete but names no manifest.
    NoManifest,
    /// Its row names an invalid manifest.
    BadName(String),
    /// Its row and its manifest disagree on its size.
    Size {
        /// Bytes according to the row.
        row: i64,
        /// Bytes according to the manifest.
        manifest: u64,
    },
}

/// A missing or corrupted object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorruptObject {
    /// Its kind and name.
    pub key: Key,
    /// The problem.
    pub reason: String,
    /// The images that need it, by id; not all if there are very many.
    pub images: Vec<String>,
}

impl Checked {
    /// Adds the corrupted objects that images need. `needed_by` has the listed images of each manifest that images need.
    fn add_objects(&mut self, needed_by: &HashMap<usize, Option<Vec<String>>>) {
        for finding in &self.report.findings {
            let mut affected =
                finding.affected.iter().filter_map(|manifest| needed_by.get(manifest)?.as_ref()).peekable();
            if affected.peek().is_some() {
                let images = affected.flatten().cloned().collect();
                self.objects.push(CorruptObject { key: finding.key, reason: finding.reason.clone(), images });
            }
        }
        let unlisted = self.report.finding_count - self.report.findings.len() as u64;
        self.object_count = self.objects.len() as u64 + unlisted;
    }

    /// Whether no problem was found.
    pub fn is_clean(&self) -> bool {
        self.corrupt_count == 0 && self.object_count == 0 && self.database.is_empty()
    }
}

impl Library {
    /// Checks the catalogue, the manifests and the chunks, also while a server runs. `watch` is called for every chunk from
    /// several threads. If it returns `false`, the check ends and returns `None`.
    pub async fn check(
        &self,
        depth: Depth,
        watch: impl Fn(CheckProgress) -> bool + Send + Sync + 'static,
    ) -> Result<Option<Checked>, LibraryError> {
        let database = self.catalog.check(depth != Depth::Headers).await?;
        let checked = self.check_images(CheckPlan::new(depth), usize::MAX, watch).await?;
        Ok(checked.map(|checked| Checked { database, ..checked }))
    }

    /// Checks the images and what they need. Memory grows by some fifty bytes with each manifest, and with the corrupted
    /// images that it lists, at most `listed_max`.
    pub(crate) async fn check_images(
        &self,
        plan: CheckPlan,
        listed_max: usize,
        watch: impl Fn(CheckProgress) -> bool + Send + Sync + 'static,
    ) -> Result<Option<Checked>, LibraryError> {
        let manifests = Arc::new(all_manifests(&self.catalog).await?);
        let Some(report) = self.check_store(Arc::clone(&manifests), plan, watch).await? else {
            return Ok(None);
        };
        let mut checked = Checked { manifests: manifests.len() as u64, report, ..Checked::default() };
        // Of the manifests that findings affect: the images, if any needs them.
        let affected = checked.report.findings.iter().flat_map(|finding| &finding.affected);
        let mut needed_by: HashMap<usize, Option<Vec<String>>> =
            affected.map(|manifest| (*manifest, None)).collect();
        let mut after = String::new();
        // Read after the check: of an image that was purged meanwhile, a sweep may have removed objects.
        loop {
            let images = self.catalog.manifest_uses(&after, IMAGES_READ_MAX).await?;
            let Some(last) = images.last() else { break };
            last.image_id.clone_into(&mut after);
            checked.images += images.len() as u64;
            for image in images {
                let manifest = image.manifest.as_deref().and_then(|text| text.parse().ok());
                let manifest = manifest.and_then(|id| manifests.binary_search(&id).ok());
                let Some(why) = corruption(&image, manifest, &checked.report) else { continue };
                checked.corrupt_count += 1;
                let is_listed = checked.corrupt.len() < listed_max;
                if let Some(ids) = manifest.and_then(|manifest| needed_by.get_mut(&manifest)) {
                    ids.get_or_insert_default().extend(is_listed.then(|| image.image_id.clone()));
                }
                if is_listed {
                    checked.corrupt.push((image, why));
                }
            }
        }
        checked.add_objects(&needed_by);
        Ok(Some(checked))
    }

    /// Checks chunks without regard to images if there are no `manifests`.
    pub(crate) async fn check_store(
        &self,
        manifests: Arc<Vec<ManifestId>>,
        plan: CheckPlan,
        watch: impl Fn(CheckProgress) -> bool + Send + Sync + 'static,
    ) -> Result<Option<CheckReport>, LibraryError> {
        let store = self.store.clone();
        let check = move || {
            let proceed = |seen| if watch(seen) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
            store.check(&manifests, &plan, &proceed)
        };
        let found = tokio::task::spawn_blocking(check).await.map_err(Internal::Task)?;
        Ok(found.map_err(Internal::Store)?)
    }
}

/// The problem of an image whose manifest has this index, if it is one of the checked.
fn corruption(image: &ManifestUse, manifest: Option<usize>, report: &CheckReport) -> Option<Corruption> {
    match (&image.manifest, image.status) {
        (Some(text), _) if text.parse::<ManifestId>().is_err() => {
            return Some(Corruption::BadName(text.clone()));
        }
        (None, ImageStatus::Available | ImageStatus::Reviewing | ImageStatus::Offline) => {
            return Some(Corruption::NoManifest);
        }
        (Some(_), _) | (None, ImageStatus::Making | ImageStatus::UnAvailable) => {}
    }
    let (manifest, row) = (manifest?, image.size_bytes);
    if report.corrupt[manifest] {
        return Some(Corruption::Bits);
    }
    let size = report.logical_sizes[manifest]?;
    (u64::try_from(row) != Ok(size)).then_some(Corruption::Size { row, manifest: size })
}
