//! Whether the images are what they should be: rows, manifests, chunks, and the catalogue itself. docs/operate/check.md.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use jingku_catalog::{ImageStatus, ManifestUse};
use jingku_chunks::{CheckPlan, CheckProgress, CheckReport, Key, ManifestId};

use crate::error::Internal;
use crate::library::Library;
use crate::operator::OperatorError;
use crate::referenced::all_images;

pub use jingku_chunks::Depth;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Images, in the trash or not.
    pub images: u64,
    /// Manifests they need.
    pub manifests: u64,
    /// Chunks in the store, needed or not.
    pub chunks: u64,
    /// Of these, chunks that were read in full.
    pub read_chunks: u64,
    /// Bytes of those, as they are stored.
    pub read_bytes: u64,
    /// Every corrupt image, in order of their ids.
    pub corrupt: Vec<CorruptImage>,
    /// What is wrong with objects that images need, at most a thousand.
    pub objects: Vec<CorruptObject>,
    /// How many such objects there are.
    pub object_count: u64,
    /// Damaged chunks that no image needs.
    pub spare_objects: u64,
    /// What is wrong with the catalogue's file, a line each.
    pub database: Vec<String>,
}

/// An image that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorruptImage {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub account: i64,
    /// Whether it is in the trash.
    pub trashed: bool,
    /// What is wrong with it.
    pub why: Corruption,
}

/// What is wrong with an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Corruption {
    /// Some of its bytes are lost or damaged.
    Bits,
    /// Its row says that it is whole, and names no manifest.
    NoManifest,
    /// Its row names what is no manifest.
    BadName(String),
    /// Its row and its manifest do not agree how large it is.
    Size {
        /// Bytes, by the row.
        row: i64,
        /// Bytes, by the manifest.
        manifest: u64,
    },
}

/// A lost or damaged object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorruptObject {
    /// Its kind and name.
    pub key: Key,
    /// What is wrong with it.
    pub reason: String,
    /// The images that need it, by id; not all when there are very many.
    pub images: Vec<String>,
}

impl Checked {
    /// Whether nothing is wrong with any image, nor with the catalogue.
    pub fn is_clean(&self) -> bool {
        self.corrupt.is_empty() && self.object_count == 0 && self.database.is_empty()
    }
}

impl Library {
    /// Looks at the catalogue, the manifests and the chunks; a server may run meanwhile. `watch` is told of every chunk, from
    /// several threads, and stops the check when it says no: then nothing comes back.
    pub async fn check(
        &self,
        depth: Depth,
        watch: impl Fn(CheckProgress) -> bool + Send + Sync + 'static,
    ) -> Result<Option<Checked>, OperatorError> {
        let database = self.catalog.check(depth != Depth::Headers).await?;
        let checked = self.look(CheckPlan::new(depth), watch).await?;
        Ok(checked.map(|checked| Checked { database, ..checked }))
    }

    /// Looks at the manifests and the chunks.
    pub(crate) async fn look(
        &self,
        plan: CheckPlan,
        watch: impl Fn(CheckProgress) -> bool + Send + Sync + 'static,
    ) -> Result<Option<Checked>, OperatorError> {
        let images = all_images(&self.catalog).await?;
        let needs = Needs::of(&images);
        let Some(report) = self.find(needs.manifests.clone(), plan, watch).await? else { return Ok(None) };
        let mut checked = Checked {
            images: images.len() as u64,
            manifests: needs.manifests.len() as u64,
            chunks: report.chunks,
            read_chunks: report.read_chunks,
            read_bytes: report.read_bytes,
            spare_objects: report.unreferenced_findings,
            ..Checked::default()
        };
        self.sort_out(&images, &needs, &report, &mut checked).await?;
        Ok(Some(checked))
    }

    /// Looks at chunks, whoever needs them.
    pub(crate) async fn survey(
        &self,
        plan: CheckPlan,
        watch: impl Fn(CheckProgress) -> bool + Send + Sync + 'static,
    ) -> Result<Option<CheckReport>, OperatorError> {
        self.find(Vec::new(), plan, watch).await
    }

    async fn find(
        &self,
        manifests: Vec<ManifestId>,
        plan: CheckPlan,
        watch: impl Fn(CheckProgress) -> bool + Send + Sync + 'static,
    ) -> Result<Option<CheckReport>, OperatorError> {
        let store = self.store.clone();
        let look = move || {
            let go_on = |seen| if watch(seen) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
            store.check(&manifests, &plan, &go_on)
        };
        let found = tokio::task::spawn_blocking(look).await.map_err(Internal::Task)?;
        Ok(found.map_err(Internal::Store)?)
    }

    /// Adds what is wrong with images that are still there. What an image needs that has gone for good meanwhile may
    /// have been swept, which is no damage; that of one which is still there was never to be swept.
    async fn sort_out(
        &self,
        images: &[ManifestUse],
        needs: &Needs,
        report: &CheckReport,
        checked: &mut Checked,
    ) -> Result<(), OperatorError> {
        let mut lost = BTreeSet::new();
        for (place, image) in images.iter().enumerate() {
            let Some(why) = needs.corruption(place, image, report) else { continue };
            let now = self.catalog.manifest_use(&image.image_id).await?;
            if now.is_some_and(|now| now.manifest == image.manifest) {
                lost.insert(place);
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
            let hit: Vec<String> = places
                .filter(|place| lost.contains(*place))
                .map(|place| images[*place].image_id.clone())
                .collect();
            if !hit.is_empty() {
                let reason = finding.reason.clone();
                checked.objects.push(CorruptObject { key: finding.key, reason, images: hit });
            }
        }
        let untold = report.finding_count - report.findings.len() as u64;
        checked.object_count = checked.objects.len() as u64 + untold;
        Ok(())
    }
}

/// Which manifests images need.
struct Needs {
    manifests: Vec<ManifestId>,
    /// For each manifest, the places of its images.
    images: Vec<Vec<usize>>,
    /// For each image, the place of its manifest.
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
