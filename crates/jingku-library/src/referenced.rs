//! The chunks that the images of a catalogue name, in bounded memory.
//!
//! The chunks are processed in order of the first byte of their names, in as few passes as [`REFERENCES_MAX`] allows. Each
//! pass reads every manifest and keeps the references in its range. Nothing is written, so this works on a full disk.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use jingku_catalog::{Catalog, CatalogError, ManifestUse};
use jingku_chunks::{Backend, ChunkId, Error, Extent, Key, Manifest, ManifestId, Store};

/// The most references that one pass keeps, at 36 bytes each: 72 MiB. A pass exceeds it only if one first byte has more,
/// which starts at 512 million references.
const REFERENCES_MAX: u64 = 2 << 20;
/// Bytes of a reference in a manifest.
const REFERENCE_BYTES: u64 = 33;
const BATCH: u32 = 1000;

/// Every image of a catalogue, including the trash, in order of id.
pub(crate) async fn all_images(catalog: &Catalog) -> Result<Vec<ManifestUse>, CatalogError> {
    let mut images: Vec<ManifestUse> = Vec::new();
    loop {
        let after = images.last().map_or(String::new(), |image| image.image_id.clone());
        let more = catalog.manifest_uses(&after, BATCH).await?;
        if more.is_empty() {
            return Ok(images);
        }
        images.extend(more);
    }
}

/// The manifests that the images of a catalogue name, including the trash, sorted. Names that are invalid are left out.
pub(crate) async fn all_manifests(catalog: &Catalog) -> Result<Vec<ManifestId>, CatalogError> {
    let (mut manifests, mut after) = (Vec::new(), String::new());
    loop {
        let more = catalog.manifests(&after, BATCH).await?;
        let Some(last) = more.last() else { break };
        last.clone_into(&mut after);
        manifests.extend(more.iter().filter_map(|text| text.parse::<ManifestId>().ok()));
    }
    // Two texts may be the same name.
    manifests.sort_unstable();
    manifests.dedup();
    Ok(manifests)
}

/// The manifests that images name, each with the indices of its images, and the indices of images whose row names an invalid
/// manifest.
fn group_by_manifest(images: &[ManifestUse]) -> (Vec<(ManifestId, Vec<usize>)>, Vec<usize>) {
    let (mut manifests, mut invalid): (Vec<(ManifestId, Vec<usize>)>, _) = (Vec::new(), Vec::new());
    let mut places: HashMap<ManifestId, usize> = HashMap::new();
    for (image, row) in images.iter().enumerate() {
        let Some(text) = &row.manifest else { continue };
        let Ok(id) = text.parse() else {
            invalid.push(image);
            continue;
        };
        let place = *places.entry(id).or_insert(manifests.len());
        if place == manifests.len() {
            manifests.push((id, Vec::new()));
        }
        manifests[place].1.push(image);
    }
    (manifests, invalid)
}

/// A manifest and the images that need it.
pub(crate) struct ReferencedManifest {
    pub(crate) id: ManifestId,
    /// Indices in the list of images.
    pub(crate) images: Vec<usize>,
    /// Length of the object, in bytes; 0 if there is none.
    pub(crate) length: u64,
    /// The manifest, if it can be read.
    manifest: Option<Manifest>,
    pub(crate) error: Option<Error>,
}

pub(crate) struct Referenced {
    pub(crate) manifests: Vec<ReferencedManifest>,
    /// Indices of images whose row names an invalid manifest.
    pub(crate) invalid: Vec<usize>,
    references: u64,
}

/// A chunk and the index of a manifest that names it.
pub(crate) type Reference = (ChunkId, u32);

impl Referenced {
    /// Opens every manifest that images name, from the first store that has it intact.
    pub(crate) fn open(images: &[ManifestUse], stores: &[(&dyn Backend, &Store)]) -> Result<Self, Error> {
        Ok(Self::open_while(images, stores, |_| true)?.expect("nothing stops it"))
    }

    /// The same, with a rest after each manifest, which learns the time that it took. `None` if the rest returns `false`.
    pub(crate) fn open_while(
        images: &[ManifestUse],
        stores: &[(&dyn Backend, &Store)],
        mut rest: impl FnMut(Duration) -> bool,
    ) -> Result<Option<Self>, Error> {
        let (groups, invalid) = group_by_manifest(images);
        let mut manifests = Vec::with_capacity(groups.len());
        for (id, images) in groups {
            let begun = Instant::now();
            manifests.push(open(id, images, stores)?);
            if !rest(begun.elapsed()) {
                return Ok(None);
            }
        }
        let references = manifests.iter().map(|one| one.length / REFERENCE_BYTES).sum();
        Ok(Some(Self { manifests, invalid, references }))
    }

    /// Processes the chunks of all readable manifests, range by range of the first bytes of their names. References are in
    /// order, without duplicates.
    pub(crate) fn passes(
        &self,
        mut act: impl FnMut(RangeInclusive<u8>, &[Reference]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        for prefixes in self.ranges(REFERENCES_MAX) {
            let references = self.references_in(&prefixes)?;
            act(prefixes, &references)?;
        }
        Ok(())
    }

    /// The ranges of first bytes, in order, of which each has about this many references at most.
    pub(crate) fn ranges(&self, references_max: u64) -> impl Iterator<Item = RangeInclusive<u8>> + use<> {
        let passes = self.references.div_ceil(references_max).clamp(1, 256);
        let bound = move |pass: u64| 256 * pass / passes;
        (0..passes).map(move |pass| {
            let last = u8::try_from(bound(pass + 1) - 1).expect("a prefix is a byte");
            u8::try_from(bound(pass)).expect("a prefix is a byte")..=last
        })
    }

    /// The chunks in a range that a manifest names, with their unpacked lengths.
    pub(crate) fn chunks_of(
        &self,
        manifest: usize,
        prefixes: &RangeInclusive<u8>,
    ) -> Result<Vec<(ChunkId, u64)>, Error> {
        let mut chunks = Vec::new();
        let Some(manifest) = &self.manifests[manifest].manifest else { return Ok(chunks) };
        for extent in manifest.extents()? {
            if let Extent::Chunk { id, len } = extent?
                && prefixes.contains(&id.0[0])
            {
                chunks.push((id, len));
            }
        }
        Ok(chunks)
    }

    fn references_in(&self, prefixes: &RangeInclusive<u8>) -> Result<Vec<Reference>, Error> {
        let mut references = Vec::new();
        for (place, referenced) in self.manifests.iter().enumerate() {
            let place = u32::try_from(place).expect("fewer manifests than that fit in memory");
            let Some(manifest) = &referenced.manifest else { continue };
            for extent in manifest.extents()? {
                if let Extent::Chunk { id, .. } = extent?
                    && prefixes.contains(&id.0[0])
                {
                    references.push((id, place));
                }
            }
        }
        references.sort_unstable();
        references.dedup();
        Ok(references)
    }
}

fn open(
    id: ManifestId,
    images: Vec<usize>,
    stores: &[(&dyn Backend, &Store)],
) -> Result<ReferencedManifest, Error> {
    let mut referenced = ReferencedManifest { id, images, length: 0, manifest: None, error: None };
    for (backend, store) in stores {
        match store.open_manifest(id) {
            Ok(manifest) => {
                referenced.length = backend.head(Key::Manifest(id))?.length;
                referenced.manifest = Some(manifest);
                return Ok(referenced);
            }
            Err(error @ (Error::NotFound(_) | Error::Damaged { .. })) => {
                referenced.error.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(referenced)
}

/// Splits the references to a chunk off the front of the others.
pub(crate) fn take_references<'a>(rest: &mut &'a [Reference], id: ChunkId) -> &'a [Reference] {
    let count = rest.iter().take_while(|(other, _)| *other == id).count();
    let (these, others) = rest.split_at(count);
    *rest = others;
    these
}
