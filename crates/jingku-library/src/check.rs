//! Verifies image integrity: rows, manifests, chunks and the catalogue itself. docs/operate/check.md.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use jingku_catalog::{ImageStatus, ManifestUse};
use jingku_chunks::{CheckPlan, CheckProgress, CheckReport, Key, ManifestId};

use crate::error::{Internal, LibraryError};
use crate::library::Library;
use crate::referenced::all_images;

pub use jingku_chunks::Depth;

/// The result of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Images, including the trash.
    pub images: u64,
    /// Manifests they need.
    pub manifests: u64,
    /// Chunks in the store, needed or not.
    pub chunks: u64,
    /// Chunks that were read in full.
    pub read_chunks: u64,
    /// Stored bytes of the chunks that were read in full.
    pub read_bytes: u64,
    /// Every corrupted image, in order of id.
    pub corrupt: Vec<CorruptImage>,
    /// Corrupted objects that images need, at most a thousand.
    pub objects: Vec<CorruptObject>,
    /// How many such objects exist.
    pub object_count: u64,
    /// Corrupted chunks that no image needs.
    pub spare_objects: u64,
    /// Problems of the catalogue's file, one line each.
    pub database: Vec<String>,
}

/// A corrupted image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorruptImage {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its account.
    pub account: i64,
    /// Whether it is in the trash.
    pub trashed: bool,
    /// The problem.
    pub why: Corruption,
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
    /// Whether no problem was found.
    pub fn is_clean(&self) -> bool {
        self.corrupt.is_empty() && self.object_count == 0 && self.database.is_empty()
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
        let checked = self.check_images(CheckPlan::new(depth), watch).await?;
        Ok(checked.map(|checked| Checked { database, ..checked }))
    }

    /// Checks the manifests and the chunks.
    pub(crate) async fn check_images(
        &self,
        plan: CheckPlan,
        watch: impl Fn(CheckProgress) -> bool + Send + Sync + 'static,
    ) -> Result<Option<Checked>, LibraryError> {
        let images = all_images(&self.catalog).await?;
        let needs = Needs::of(&images);
        let Some(report) = self.check_store(needs.manifests.clone(), plan, watch).await? else {
            return Ok(None);
        };
        let mut checked = Checked {
            images: images.len() as u64,
            manifests: needs.manifests.len() as u64,
            chunks: report.chunks,
            read_chunks: report.read_chunks,
            read_bytes: report.read_bytes,
            spare_objects: report.unreferenced_findings,
            ..Checked::default()
        };
        self.add_corrupt(&images, &needs, &report, &mut checked).await?;
        Ok(Some(checked))
    }

    /// Checks chunks without regard to images if there are no `manifests`.
    pub(crate) async fn check_store(
        &self,
        manifests: Vec<ManifestId>,
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

    /// Adds the findings of images that still exist. If an image was purged meanwhile, a sweep may have removed its objects,
    /// which is not corruption.
    async fn add_corrupt(
        &self,
        images: &[ManifestUse],
        needs: &Needs,
        report: &CheckReport,
        checked: &mut Checked,
    ) -> Result<(), LibraryError> {
        let mut corrupt = BTreeSet::new();
        for (place, image) in images.iter().enumerate() {
            let Some(why) = needs.corruption(place, image, report) else { continue };
            let now = self.catalog.manifest_use(&image.image_id).await?;
            if now.is_some_and(|now| now.manifest == image.manifest) {
                corrupt.insert(place);
                checked.corrupt.push(CorruptImage {
                    id: image.image_id.clone(),
                    name: image.name.clone(),
                    account: image.account.0,
                    trashed: image.trashed,
                    why,
                });
            }
        }
        for finding in &report.findings {
            let places = finding.affected.iter().flat_map(|manifest| &needs.images[*manifest]);
            let affected: Vec<String> = places
                .filter(|place| corrupt.contains(*place))
                .map(|place| images[*place].image_id.clone())
                .collect();
            if !affected.is_empty() {
                let reason = finding.reason.clone();
                checked.objects.push(CorruptObject { key: finding.key, reason, images: affected });
            }
        }
        let unlisted = report.finding_count - report.findings.len() as u64;
        checked.object_count = checked.objects.len() as u64 + unlisted;
        Ok(())
    }
}

/// The manifests that images need.
struct Needs {
    manifests: Vec<ManifestId>,
    /// For each manifest, the indices of its images.
    images: Vec<Vec<usize>>,
    /// For each image, the index of its manifest.
    of_image: HashMap<usize, usize>,
}

impl Needs {
    fn of(images: &[ManifestUse]) -> Self {
        let mut places: HashMap<ManifestId, usize> = HashMap::new();
        let mut needs = Self { manifests: Vec::new(), images: Vec::new(), of_image: HashMap::new() };
        for (image, row) in images.iter().enumerate() {
            let Some(id) = row.manifest.as_ref().and_then(|text| text.parse().ok()) else { continue };
            let at = *places.entry(id).or_insert(needs.manifests.len());
            if at == needs.manifests.len() {
                needs.manifests.push(id);
                needs.images.push(Vec::new());
            }
            needs.images[at].push(image);
            needs.of_image.insert(image, at);
        }
        needs
    }

    fn corruption(&self, place: usize, image: &ManifestUse, report: &CheckReport) -> Option<Corruption> {
        let Some(manifest) = self.of_image.get(&place) else {
            return match (&image.manifest, image.status) {
                (Some(text), _) => Some(Corruption::BadName(text.clone())),
                (None, ImageStatus::Making | ImageStatus::UnAvailable) => None,
                (None, ImageStatus::Available | ImageStatus::Reviewing | ImageStatus::Offline) => {
                    Some(Corruption::NoManifest)
                }
            };
        };
        if report.corrupt[*manifest] {
            return Some(Corruption::Bits);
        }
        let size = report.logical_sizes[*manifest]?;
        (u64::try_from(image.size_bytes) != Ok(size))
            .then_some(Corruption::Size { row: image.size_bytes, manifest: size })
    }
}
