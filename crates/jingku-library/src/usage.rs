//! What the images take up.

use jingku_catalog::ManifestUse;
use jingku_chunks::{Backend, Disk, Error, Key, Kind, Store};

use crate::data_dir::DataDir;
use crate::error::Internal;
use crate::library::Library;
use crate::operator::OperatorError;
use crate::referenced::{Pass, Referenced, all_images, take_references};

/// What all images take up, one by one and together. Bytes of the store are those of its objects, compressed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Each image that is or was to be made, in the trash or not, in order of their ids.
    pub images: Vec<ImageUsage>,
    /// What images outside the trash need.
    pub live: UsageTotal,
    /// What only images in the trash need: emptying it frees this.
    pub trash: UsageTotal,
    /// What no image names: left by those that are gone, or by one that is being made right now.
    pub garbage: UsageTotal,
    /// Chunks that images name and the store does not have.
    pub missing_chunks: u64,
}

/// What one image takes up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageUsage {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub account: i64,
    /// Whether it is in the trash.
    pub trashed: bool,
    /// How large it is when unpacked.
    pub logical_bytes: u64,
    /// What it needs of the store.
    pub stored_bytes: u64,
    /// What it alone needs of the store: what would be freed if it were gone for good.
    pub unique_bytes: u64,
    /// Its manifest is lost or damaged: what it needs is not known.
    pub damaged: bool,
}

/// What several images take up together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageTotal {
    /// How many they are.
    pub images: u64,
    /// How large they are when unpacked.
    pub logical_bytes: u64,
    /// Chunks and manifests in the store.
    pub objects: u64,
    /// What these take up.
    pub stored_bytes: u64,
}

impl UsageTotal {
    fn add_object(&mut self, bytes: u64) {
        self.objects += 1;
        self.stored_bytes += bytes;
    }
}

impl Library {
    /// Adds up what the images of a data folder take up, as they are now: what comes and goes meanwhile may be counted or
    /// not. Reads every manifest, once and then once for each two million chunks they name, and looks at every object.
    pub async fn usage(&self, data: &DataDir) -> Result<Usage, OperatorError> {
        let images = all_images(&self.catalog).await?;
        let disk = data.objects()?;
        let store = self.store.clone();
        let counted = tokio::task::spawn_blocking(move || count(&images, &disk, &store));
        Ok(counted.await.map_err(Internal::Task)?.map_err(Internal::Store)?)
    }
}

fn count(images: &[ManifestUse], disk: &Disk, store: &Store) -> Result<Usage, Error> {
    let referenced = Referenced::open(images, &[(disk, store)])?;
    let mut usage = Usage::default();
    for image in images {
        let logical_bytes = u64::try_from(image.size_bytes).unwrap_or(0);
        let total = if image.trashed { &mut usage.trash } else { &mut usage.live };
        total.images += 1;
        total.logical_bytes += logical_bytes;
        usage.images.push(ImageUsage {
            id: image.image_id.clone(),
            name: image.name.clone(),
            account: image.account.0,
            trashed: image.trashed,
            logical_bytes,
            stored_bytes: 0,
            unique_bytes: 0,
            damaged: false,
        });
    }
    for place in &referenced.unreadable {
        usage.images[*place].damaged = true;
    }
    let needs: Vec<Need> = referenced.manifests.iter().map(|one| Need::of(&one.images, images)).collect();
    count_manifests(&referenced, disk, &needs, &mut usage)?;
    referenced.passes(|pass| count_chunks(&pass, disk, &needs, &mut usage))?;
    Ok(usage)
}

/// Who needs a manifest.
struct Need<'a> {
    images: &'a [usize],
    live: bool,
}

impl<'a> Need<'a> {
    fn of(places: &'a [usize], images: &[ManifestUse]) -> Self {
        Self { images: places, live: places.iter().any(|place| !images[*place].trashed) }
    }
}

fn count_manifests(
    referenced: &Referenced,
    disk: &Disk,
    needs: &[Need<'_>],
    usage: &mut Usage,
) -> Result<(), Error> {
    for (manifest, need) in referenced.manifests.iter().zip(needs) {
        if manifest.error.is_some() {
            need.images.iter().for_each(|place| usage.images[*place].damaged = true);
        } else {
            add(usage, &[need], manifest.length);
        }
    }
    let mut known: Vec<_> = referenced.manifests.iter().map(|one| Key::Manifest(one.id)).collect();
    known.sort_unstable();
    for prefix in 0..=u8::MAX {
        for key in disk.list(Kind::Manifest, prefix)? {
            if known.binary_search(&key).is_err()
                && let Some(length) = length(disk, key)?
            {
                usage.garbage.add_object(length);
            }
        }
    }
    Ok(())
}

fn count_chunks(pass: &Pass, disk: &Disk, needs: &[Need<'_>], usage: &mut Usage) -> Result<(), Error> {
    let mut rest = pass.references.as_slice();
    for prefix in pass.prefixes.clone() {
        let mut keys = disk.list(Kind::Chunk, prefix)?;
        keys.sort_unstable();
        for key in keys {
            let Key::Chunk(id) = key else { continue };
            usage.missing_chunks += take_until(&mut rest, |other| *other < id);
            let these = take_references(&mut rest, id);
            let Some(length) = length(disk, key)? else { continue };
            if these.is_empty() {
                usage.garbage.add_object(length);
            } else {
                let these: Vec<_> = these.iter().map(|(_, place)| &needs[*place as usize]).collect();
                add(usage, &these, length);
            }
        }
    }
    usage.missing_chunks += take_until(&mut rest, |_| true);
    Ok(())
}

/// Passes over the references to chunks that the store turned out not to have, and tells how many chunks those are.
fn take_until(
    rest: &mut &[(jingku_chunks::ChunkId, u32)],
    passed: impl Fn(&jingku_chunks::ChunkId) -> bool,
) -> u64 {
    let mut chunks = 0;
    while let Some((id, _)) = rest.first().filter(|(id, _)| passed(id)) {
        take_references(rest, *id);
        chunks += 1;
    }
    chunks
}

/// Adds an object to what all these need.
fn add(usage: &mut Usage, needs: &[&Need<'_>], bytes: u64) {
    let alone = matches!(needs, [Need { images: [_], .. }]);
    for place in needs.iter().flat_map(|need| need.images) {
        let image = &mut usage.images[*place];
        image.stored_bytes += bytes;
        image.unique_bytes += if alone { bytes } else { 0 };
    }
    let live = needs.iter().any(|need| need.live);
    let total = if live { &mut usage.live } else { &mut usage.trash };
    total.add_object(bytes);
}

/// How long an object is; nothing when it is gone meanwhile.
fn length(disk: &Disk, key: Key) -> Result<Option<u64>, Error> {
    match disk.head(key) {
        Ok(head) => Ok(Some(head.length)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
