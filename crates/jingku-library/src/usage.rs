//! Disk usage of the images.

use std::ops::RangeInclusive;

use jingku_catalog::ManifestUse;
use jingku_chunks::{Backend, ChunkId, Error, Key, Kind, Store};

use crate::error::{Internal, LibraryError};
use crate::library::Library;
use crate::referenced::{Reference, Referenced, ReferencedManifest, all_images, take_references};

/// Disk usage of all images. Stored bytes are those of compressed objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Each image, including the trash, in order of id.
    pub images: Vec<ImageUsage>,
    /// Usage of images outside the trash.
    pub live: UsageTotal,
    /// Usage of images in the trash only: emptying it frees this.
    pub trash: UsageTotal,
    /// Objects that no image names: left by purged images, or part of a running job.
    pub garbage: UsageTotal,
    /// Chunks that images name but the store does not have.
    pub missing_chunks: u64,
}

/// Disk usage of one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageUsage {
    /// The image.
    pub image: ManifestUse,
    /// Its unpacked size.
    pub logical_bytes: u64,
    /// Stored bytes that it needs.
    pub stored_bytes: u64,
    /// Stored bytes that only it needs: purging it frees these.
    pub unique_bytes: u64,
    /// Its manifest is missing or corrupted, so its usage is unknown.
    pub damaged: bool,
}

/// Disk usage of several images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageTotal {
    /// The number of images.
    pub images: u64,
    /// Their unpacked size.
    pub logical_bytes: u64,
    /// Chunks and manifests in the store.
    pub objects: u64,
    /// Their stored bytes.
    pub stored_bytes: u64,
}

impl UsageTotal {
    fn add_object(&mut self, bytes: u64) {
        self.objects += 1;
        self.stored_bytes += bytes;
    }
}

impl Library {
    /// Computes the disk usage of the images. Concurrent changes may be counted or not. Reads every manifest once, and again
    /// for every two million references, and the metadata of every object.
    pub async fn usage(&self) -> Result<Usage, LibraryError> {
        let images = all_images(&self.catalog).await?;
        let store = self.store.clone();
        let counted = tokio::task::spawn_blocking(move || count(&images, &store));
        Ok(counted.await.map_err(Internal::Task)?.map_err(Internal::Store)?)
    }
}

fn count(images: &[ManifestUse], store: &Store) -> Result<Usage, Error> {
    let backend = store.backend().as_ref();
    let referenced = Referenced::open(images, &[(backend, store)])?;
    let mut usage = Usage::default();
    for (place, image) in images.iter().enumerate() {
        let logical_bytes = u64::try_from(image.size_bytes).unwrap_or(0);
        let total = if image.trashed { &mut usage.trash } else { &mut usage.live };
        total.images += 1;
        total.logical_bytes += logical_bytes;
        usage.images.push(ImageUsage {
            image: image.clone(),
            logical_bytes,
            stored_bytes: 0,
            unique_bytes: 0,
            damaged: referenced.invalid.binary_search(&place).is_ok(),
        });
    }
    count_manifests(&referenced, backend, &mut usage)?;
    referenced.passes(|prefixes, rest| count_chunks(prefixes, rest, backend, &referenced, &mut usage))?;
    Ok(usage)
}

fn count_manifests(referenced: &Referenced, backend: &dyn Backend, usage: &mut Usage) -> Result<(), Error> {
    for manifest in &referenced.manifests {
        if manifest.error.is_some() {
            manifest.images.iter().for_each(|image| usage.images[*image].damaged = true);
        } else {
            add(usage, &[manifest], manifest.length);
        }
    }
    let mut known: Vec<_> = referenced.manifests.iter().map(|one| Key::Manifest(one.id)).collect();
    known.sort_unstable();
    for prefix in 0..=u8::MAX {
        let mut found = backend.list(Kind::Manifest, prefix)?;
        found.retain(|key| known.binary_search(key).is_err());
        for (_, length) in backend.lengths(&found)? {
            usage.garbage.add_object(length);
        }
    }
    Ok(())
}

fn count_chunks(
    prefixes: RangeInclusive<u8>,
    mut rest: &[Reference],
    backend: &dyn Backend,
    referenced: &Referenced,
    usage: &mut Usage,
) -> Result<(), Error> {
    for prefix in prefixes {
        // Chunks that are removed meanwhile are skipped.
        let mut found = backend.lengths(&backend.list(Kind::Chunk, prefix)?)?;
        found.sort_unstable();
        for (key, length) in found {
            let Key::Chunk(id) = key else { continue };
            usage.missing_chunks += take_until(&mut rest, |other| *other < id);
            let these = take_references(&mut rest, id);
            if these.is_empty() {
                usage.garbage.add_object(length);
            } else {
                let these = these.iter().map(|(_, place)| &referenced.manifests[*place as usize]);
                add(usage, &these.collect::<Vec<_>>(), length);
            }
        }
    }
    usage.missing_chunks += take_until(&mut rest, |_| true);
    Ok(())
}

/// Skips references to chunks that are missing in the store. Returns the number of these chunks.
fn take_until(rest: &mut &[Reference], passed: impl Fn(&ChunkId) -> bool) -> u64 {
    let mut chunks = 0;
    while let Some((id, _)) = rest.first().filter(|(id, _)| passed(id)) {
        take_references(rest, *id);
        chunks += 1;
    }
    chunks
}

/// Adds an object to the usage of all images that need it.
fn add(usage: &mut Usage, needed_by: &[&ReferencedManifest], bytes: u64) {
    let alone = matches!(needed_by, [manifest] if manifest.images.len() == 1);
    let mut live = false;
    for place in needed_by.iter().flat_map(|manifest| &manifest.images) {
        let image = &mut usage.images[*place];
        image.stored_bytes += bytes;
        image.unique_bytes += if alone { bytes } else { 0 };
        live |= !image.image.trashed;
    }
    let total = if live { &mut usage.live } else { &mut usage.trash };
    total.add_object(bytes);
}
