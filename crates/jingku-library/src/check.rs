//! Verifies image integrity: rows, manifests, chunks and the catalogue itself. docs/operate/check.md.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use jingku_catalog::{ImageStatus, ManifestUse};
use jingku_chunks::{CheckPlan, CheckProgress, CheckReport, Key, ManifestId};

use crate::error::{Internal, LibraryError};
use crate::library::Library;
use crate::referenced::{all_images, group_by_manifest};

pub use jingku_chunks::Depth;

/// The result of a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Images, including the trash.
    pub images: u64,
    /// Manifests they need.
    pub manifests: u64,
    /// What the store found, by index of manifest.
    pub report: CheckReport,
    /// Every corrupted image and its problem, in order of id.
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

    pub(crate) async fn check_images(
        &self,
        plan: CheckPlan,
        watch: impl Fn(CheckProgress) -> bool + Send + Sync + 'static,
    ) -> Result<Option<Checked>, LibraryError> {
        let images = all_images(&self.catalog).await?;
        let (manifests, _) = group_by_manifest(&images);
        let ids = manifests.iter().map(|(id, _)| *id).collect();
        let Some(report) = self.check_store(ids, plan, watch).await? else { return Ok(None) };
        // If an image was purged meanwhile, a sweep may have removed its objects, which is not corruption.
        let mut corrupt = BTreeMap::new();
        for (place, why) in corruptions(&images, &manifests, &report) {
            let now = self.catalog.manifest_use(&images[place].image_id).await?;
            if now.is_some_and(|now| now.manifest == images[place].manifest) {
                corrupt.insert(place, (images[place].clone(), why));
            }
        }
        let mut objects = Vec::new();
        for finding in &report.findings {
            let places = finding.affected.iter().flat_map(|manifest| &manifests[*manifest].1);
            let affected = places.filter_map(|place| Some(corrupt.get(place)?.0.image_id.clone()));
            let affected: Vec<String> = affected.collect();
            if !affected.is_empty() {
                let reason = finding.reason.clone();
                objects.push(CorruptObject { key: finding.key, reason, images: affected });
            }
        }
        let unlisted = report.finding_count - report.findings.len() as u64;
        Ok(Some(Checked {
            images: images.len() as u64,
            manifests: manifests.len() as u64,
            corrupt: corrupt.into_values().collect(),
            object_count: objects.len() as u64 + unlisted,
            objects,
            database: Vec::new(),
            report,
        }))
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
}

/// The problems of images by index, in order.
fn corruptions(
    images: &[ManifestUse],
    manifests: &[(ManifestId, Vec<usize>)],
    report: &CheckReport,
) -> BTreeMap<usize, Corruption> {
    let mut found = BTreeMap::new();
    for (place, image) in images.iter().enumerate() {
        match (&image.manifest, image.status) {
            (Some(text), _) if text.parse::<ManifestId>().is_err() => {
                found.insert(place, Corruption::BadName(text.clone()));
            }
            (None, ImageStatus::Available | ImageStatus::Reviewing | ImageStatus::Offline) => {
                found.insert(place, Corruption::NoManifest);
            }
            (Some(_), _) | (None, ImageStatus::Making | ImageStatus::UnAvailable) => {}
        }
    }
    for (manifest, (_, places)) in manifests.iter().enumerate() {
        for place in places {
            let row = images[*place].size_bytes;
            if report.corrupt[manifest] {
                found.insert(*place, Corruption::Bits);
            } else if let Some(size) = report.logical_sizes[manifest]
                && u64::try_from(row) != Ok(size)
            {
                found.insert(*place, Corruption::Size { row, manifest: size });
            }
        }
    }
    found
}
