//! Copies the objects that images name from one store to another.

use std::io::{self, Read};
use std::num::NonZero;
use std::thread;

use jingku_catalog::ManifestUse;
use jingku_chunks::{Backend, ChunkId, Error, Existing, Key, Kind, ManifestId, Store};

use super::{Copied, Damage};
use crate::referenced::{Referenced, take_references};

/// The most objects that a backup copies at once, each in memory.
const THREADS_MAX: usize = 4;
/// The value of [`Stores::verify_from`] that verifies no existing object.
pub(crate) const VERIFY_NONE: u16 = 256;
/// Bytes of a manifest that are copied at once.
const PART_BYTES: usize = 64 << 10;

pub(crate) struct Stores<'a> {
    pub(crate) from: &'a dyn Backend,
    pub(crate) to: &'a dyn Backend,
    /// Reads from `to`.
    pub(crate) to_store: &'a Store,
    /// Also reads and checks chunks that `to` has already, if the first byte of their names is at least this.
    pub(crate) verify_from: u16,
    /// How many objects are copied at once, each in memory.
    pub(crate) threads: usize,
    pub(crate) watch: &'a dyn Watch,
}

/// Notices the progress of a copy.
pub(crate) trait Watch: Sync {
    /// So many chunks whose names begin with this byte are copied next.
    fn prefix(&self, _: u8, _chunks: usize) {}
    /// A chunk was copied or exists.
    fn chunk(&self, copied: Copied);
    /// All chunks whose names begin with this byte were copied.
    fn prefix_done(&self, _: u8) -> Result<(), Error> {
        Ok(())
    }
    /// All chunks are durable.
    fn chunks_durable(&self);
    /// All manifests are durable.
    fn manifests_durable(&self);
}

/// What to call at the failpoints of a copy, which have different names in a backup and in a restore.
#[derive(Clone, Copy)]
pub(super) struct Failpoints {
    pub(super) chunk: fn(),
    pub(super) chunks_durable: fn(),
    pub(super) manifests_durable: fn(),
}

impl Watch for Failpoints {
    fn chunk(&self, _: Copied) {
        (self.chunk)();
    }

    fn chunks_durable(&self) {
        (self.chunks_durable)();
    }

    fn manifests_durable(&self) {
        (self.manifests_durable)();
    }
}

#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) copied: Copied,
    pub(crate) damage: Damage,
}

/// How many objects a backup copies at once.
pub(super) fn backup_threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX)
}

/// Copies everything that `images` name: chunks before manifests, each made durable and checked. Notes objects that cannot
/// be copied and continues with the rest.
pub(crate) fn copy(
    stores: &Stores<'_>,
    needed: &Referenced,
    images: &[ManifestUse],
) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    let ids = |place: usize| {
        needed.manifests[place].images.iter().map(|image| images[*image].image_id.clone()).collect::<Vec<_>>()
    };
    outcome.damage.images.extend(needed.invalid.iter().map(|place| images[*place].image_id.clone()));
    needed.passes(|prefixes, mut rest| {
        for prefix in prefixes {
            let here = rest.partition_point(|(id, _)| id.0[0] <= prefix);
            let (mut references, others) = rest.split_at(here);
            rest = others;
            let mut wanted: Vec<ChunkId> = references.iter().map(|(id, _)| *id).collect();
            wanted.dedup();
            if wanted.is_empty() {
                continue;
            }
            stores.watch.prefix(prefix, wanted.len());
            let mut existing = stores.to.list(Kind::Chunk, prefix)?;
            existing.sort_unstable();
            let (copied, findings) = copy_chunks(stores, &wanted, &existing)?;
            stores.watch.prefix_done(prefix)?;
            outcome.copied.add(copied);
            for (id, reason) in findings {
                let before = references.partition_point(|(other, _)| *other < id);
                references = &references[before..];
                let affected = take_references(&mut references, id);
                outcome.damage.add(reason, affected.iter().flat_map(|(_, place)| ids(*place as usize)));
            }
        }
        Ok(())
    })?;
    stores.to.sync()?;
    stores.watch.chunks_durable();
    for (place, manifest) in needed.manifests.iter().enumerate() {
        match copy_manifest(stores, manifest.id)? {
            Ok(copied) => outcome.copied.add(copied),
            Err(reason) => outcome.damage.add(reason, ids(place)),
        }
    }
    stores.to.sync()?;
    stores.watch.manifests_durable();
    Ok(outcome)
}

/// A copied object, or why it is missing or corrupted.
type CopyResult = Result<Result<Copied, String>, Error>;

/// Copies chunks on several threads. Both lists are in order, and so are the findings.
fn copy_chunks(
    stores: &Stores<'_>,
    wanted: &[ChunkId],
    existing: &[Key],
) -> Result<(Copied, Vec<(ChunkId, String)>), Error> {
    let part = wanted.len().div_ceil(stores.threads).max(1);
    let copy_part = |ids: &[ChunkId]| {
        let (mut copied, mut findings) = (Copied::default(), Vec::new());
        for id in ids {
            let one = match copy_chunk(stores, *id, existing.binary_search(&Key::Chunk(*id)).is_ok())? {
                Ok(one) => one,
                Err(reason) => {
                    findings.push((*id, reason));
                    Copied::default()
                }
            };
            copied.add(one);
            stores.watch.chunk(one);
        }
        Ok::<_, Error>((copied, findings))
    };
    thread::scope(|scope| {
        let running: Vec<_> = wanted.chunks(part).map(|ids| scope.spawn(move || copy_part(ids))).collect();
        let (mut copied, mut findings) = (Copied::default(), Vec::new());
        for thread in running {
            let (one, more) = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            copied.add(one);
            findings.extend(more);
        }
        Ok((copied, findings))
    })
}

fn copy_chunk(stores: &Stores<'_>, id: ChunkId, exists: bool) -> CopyResult {
    let key = Key::Chunk(id);
    let source = stores.from.head(key).map(|head| head.length);
    if exists {
        let length = stores.to.head(key)?.length;
        // If the lengths differ, either object may be the intact one. If the source has none, only this one can be.
        let check =
            u16::from(id.0[0]) >= stores.verify_from || !matches!(source, Ok(other) if other == length);
        if !check || !is_corrupt(stores.to_store.read_chunk(id))? {
            return Ok(Ok(Copied::existing(length)));
        }
    }
    let existing = if exists { Existing::Replace } else { Existing::Keep };
    let copied = source.and_then(|length| {
        let mut object = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        // A stored chunk is at most slightly larger than its plain bytes.
        let mut body = stores.from.read(key)?.body.take(2 * jingku_chunks::CHUNK_SIZE_MAX);
        body.read_to_end(&mut object).map_err(cannot_read(key))?;
        stores.to.put(key, &object, existing)?;
        stores.to_store.read_chunk(id)?;
        Ok(object.len() as u64)
    });
    report(stores, key, exists, copied)
}

fn is_corrupt<T>(read: Result<T, Error>) -> Result<bool, Error> {
    match read {
        Ok(_) => Ok(false),
        Err(Error::NotFound(_) | Error::Damaged { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

fn copy_manifest(stores: &Stores<'_>, id: ManifestId) -> CopyResult {
    let key = Key::Manifest(id);
    let exists = match stores.to.head(key) {
        Ok(head) if !is_corrupt(stores.to_store.open_manifest(id))? => {
            return Ok(Ok(Copied::existing(head.length)));
        }
        Ok(_) => true,
        Err(Error::NotFound(_)) => false,
        Err(error) => return Err(error),
    };
    let existing = if exists { Existing::Replace } else { Existing::Keep };
    let copied = stores.from.read(key).and_then(|object| {
        let (mut body, mut stage) = (object.body, stores.to.stage()?);
        let (mut part, mut bytes) = (vec![0; PART_BYTES], 0);
        loop {
            let count = body.read(&mut part).map_err(cannot_read(key))?;
            if count == 0 {
                stage.commit(key, existing)?;
                stores.to_store.open_manifest(id)?;
                return Ok(bytes);
            }
            stage.write(&part[..count])?;
            bytes += count as u64;
        }
    });
    report(stores, key, exists, copied)
}

fn cannot_read(key: Key) -> impl Fn(io::Error) -> Error {
    move |source| Error::Io { doing: format!("read {key}"), source }
}

/// Reports a copy whose bytes were read back. Removes a corrupted copy unless it replaced another object.
fn report(stores: &Stores<'_>, key: Key, replaced: bool, copied: Result<u64, Error>) -> CopyResult {
    match copied {
        Ok(bytes) => {
            Ok(Ok(Copied { objects: 1, bytes, repaired_objects: replaced.into(), ..Copied::default() }))
        }
        Err(error @ (Error::NotFound(_) | Error::Damaged { .. })) => {
            if !replaced {
                stores.to.delete(key)?;
            }
            Ok(Err(error.to_string()))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jingku_catalog::{AccountId, ImageStatus};
    use jingku_chunks::{Cut, Extent, Fault, Faulty, Memory, Operation};

    use super::*;

    fn write(store: &Store, disk: &[u8]) -> ManifestUse {
        let cut = Cut { chunk_size: 4096, zstd_level: 1 };
        let mut writer = store.writer_with(disk.len() as u64, cut).unwrap();
        disk.chunks(4096).for_each(|chunk| writer.push(chunk.to_vec()).unwrap());
        let written = writer.finish_chunks().unwrap().write_manifest().unwrap();
        ManifestUse {
            image_id: written.manifest.to_string(),
            account: AccountId(1),
            name: "image".to_owned(),
            status: ImageStatus::Available,
            size_bytes: i64::try_from(disk.len()).unwrap(),
            manifest: Some(written.manifest.to_string()),
            trashed: false,
        }
    }

    /// The existing manifests, after reading every chunk that they name.
    fn complete_manifests(backend: &dyn Backend, store: &Store) -> Vec<ManifestId> {
        let keys = (0..=255).flat_map(|prefix| backend.list(Kind::Manifest, prefix).unwrap());
        let ids = keys.map(|key| key.name().parse().unwrap()).collect::<Vec<ManifestId>>();
        for id in &ids {
            for extent in store.open_manifest(*id).unwrap().extents().unwrap() {
                if let Extent::Chunk { id, .. } = extent.unwrap() {
                    store.read_chunk(id).unwrap();
                }
            }
        }
        ids
    }

    /// Fails every call of every kind once and cuts the power: unsynced data is lost, partly lost, or truncated. A backup that
    /// succeeded is complete; the next run completes any other.
    #[test]
    fn an_acknowledged_backup_survives_a_power_cut() {
        let from = Memory::new();
        let from_store = Store::new(from.clone());
        let disk: Vec<u8> = (0..9 * 4096_u32).map(|at| (at / 4096 * 7 + at % 251).to_le_bytes()[0]).collect();
        let images = [write(&from_store, &disk), write(&from_store, &disk[4096..5 * 4096 + 9])];
        let mut cuts = 0;
        for operation in Operation::ALL {
            for call in 1.. {
                let to = Arc::new(Faulty::new(Memory::new()));
                let to_store = Store::new(Arc::clone(&to));
                let stores = Stores {
                    from: &from,
                    to: &to,
                    to_store: &to_store,
                    verify_from: if call % 2 == 0 { 0 } else { VERIFY_NONE },
                    threads: backup_threads(),
                    watch: &Failpoints { chunk: || (), chunks_durable: || (), manifests_durable: || () },
                };
                let needed = Referenced::open(&images, &[(&from, &from_store)]).unwrap();
                to.fail(operation, call, Fault::Io);
                let outcome = copy(&stores, &needed, &images);
                let reached = to.calls(operation) >= call;
                to.recover();
                to.cut_power(call).unwrap();
                cuts += 1;
                let left = complete_manifests(&to, &to_store).len();
                let ended = outcome.is_ok_and(|outcome| outcome.damage.is_empty());
                assert!(!ended || left == images.len(), "{operation:?} {call}: {left} left");
                assert!(ended || reached, "{operation:?} {call}: failed by itself");
                let again = copy(&stores, &needed, &images).unwrap();
                assert!(again.damage.is_empty(), "{operation:?} {call}");
                to.lose_unsynced().unwrap();
                assert_eq!(complete_manifests(&to, &to_store).len(), images.len(), "{operation:?} {call}");
                if !reached {
                    break;
                }
            }
        }
        assert!(cuts > 30, "{cuts}");
    }
}
