//! Which chunks the images of a catalogue name, in bounded memory.
//!
//! The chunks are gone through by the first byte of their names, in as few passes as [`REFERENCES_MAX`] allows: each pass
//! reads every manifest and remembers what falls into its range. Nothing is written, so that it works on a full disk.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use jingku_catalog::{Catalog, CatalogError, ManifestUse};
use jingku_chunks::{Backend, ChunkId, Error, Extent, Key, Manifest, ManifestId, Store};

/// The most references to chunks that one pass remembers, at 36 bytes each: 72 MiB. Only where one first byte alone has
/// more, which begins at 512 million, a pass remembers those.
const REFERENCES_MAX: u64 = 2 << 20;
/// How many bytes of a manifest a reference to a chunk takes.
const REFERENCE_BYTES: u64 = 33;
/// How many images are asked for together.
const BATCH: u32 = 1000;

/// Every image of a catalogue, in the trash or not, in order of their ids.
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

/// A manifest and who needs it.
pub(crate) struct ReferencedManifest {
    pub(crate) id: ManifestId,
    /// Places in the list of images.
    pub(crate) images: Vec<usize>,
    /// Length of the object, in bytes; 0 when there is none.
    pub(crate) length: u64,
    /// It, when it can be read.
    manifest: Option<Manifest>,
    /// Why it cannot.
    pub(crate) error: Option<Error>,
}

/// The manifests that images name.
pub(crate) struct Referenced {
    pub(crate) manifests: Vec<ReferencedManifest>,
    /// Images whose row names what is no manifest, by their places.
    pub(crate) unreadable: Vec<usize>,
    references: u64,
}

/// What the manifests name in one range of names.
pub(crate) struct Pass {
    /// The first bytes of the names.
    pub(crate) prefixes: RangeInclusive<u8>,
    /// Each chunk with each manifest that names it, by its place, once and in order.
    pub(crate) references: Vec<(ChunkId, u32)>,
}

impl Referenced {
    /// Opens every manifest that images name, from the first store that has it whole.
    pub(crate) fn open(images: &[ManifestUse], stores: &[(&dyn Backend, &Store)]) -> Result<Self, Error> {
        let mut places: HashMap<ManifestId, usize> = HashMap::new();
        let mut referenced = Self { manifests: Vec::new(), unreadable: Vec::new(), references: 0 };
        for (place, image) in images.iter().enumerate() {
            let Some(text) = &image.manifest else { continue };
            let Ok(id) = text.parse() else {
                referenced.unreadable.push(place);
                continue;
            };
            let at = *places.entry(id).or_insert(referenced.manifests.len());
            if at == referenced.manifests.len() {
                referenced.manifests.push(open(id, stores)?);
            }
            referenced.manifests[at].images.push(place);
        }
        referenced.references = referenced.manifests.iter().map(|one| one.length / REFERENCE_BYTES).sum();
        Ok(referenced)
    }

    /// Goes through the chunks of all manifests that can be read, range by range.
    pub(crate) fn passes<E: From<Error>>(&self, mut act: impl FnMut(Pass) -> Result<(), E>) -> Result<(), E> {
        let passes = self.references.div_ceil(REFERENCES_MAX).clamp(1, 256);
        let bound = |pass: u64| 256 * pass / passes;
        for pass in 0..passes {
            let last = u8::try_from(bound(pass + 1) - 1).expect("a prefix is a byte");
            let prefixes = u8::try_from(bound(pass)).expect("a prefix is a byte")..=last;
            let references = self.references_in(&prefixes)?;
            act(Pass { prefixes, references })?;
        }
        Ok(())
    }

    fn references_in(&self, prefixes: &RangeInclusive<u8>) -> Result<Vec<(ChunkId, u32)>, Error> {
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

fn open(id: ManifestId, stores: &[(&dyn Backend, &Store)]) -> Result<ReferencedManifest, Error> {
    let mut referenced =
        ReferencedManifest { id, images: Vec::new(), length: 0, manifest: None, error: None };
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

/// What a chunk of a pass is named by: the references to it, taken from the front of the others.
pub(crate) fn take_references<'a>(rest: &mut &'a [(ChunkId, u32)], id: ChunkId) -> &'a [(ChunkId, u32)] {
    let count = rest.iter().take_while(|(other, _)| *other == id).count();
    let (these, others) = rest.split_at(count);
    *rest = others;
    these
}
