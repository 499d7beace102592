//! Copies the objects that images name from one store to another.

use std::io::Read;
use std::num::NonZero;
use std::thread;

use jingku_catalog::ManifestUse;
use jingku_chunks::{Backend, ChunkId, Error, Existing, Key, Kind, Store};

use super::{Copied, Damage};
use crate::failpoint;
use crate::referenced::{Referenced, take_references};

/// The most objects that a backup copies at once, each in memory.
const THREADS_MAX: usize = 4;
/// Bytes of a manifest copied together.
const PART_BYTES: usize = 64 << 10;

/// Two stores.
pub(super) struct Pair<'a> {
    pub(super) from: &'a dyn Backend,
    pub(super) to: &'a dyn Backend,
    /// The same as `to`.
    pub(super) to_store: &'a Store,
    /// Looks also into what is there already.
    pub(super) verify: bool,
    pub(super) direction: Direction,
}

/// Where objects are on their way to.
#[derive(Clone, Copy)]
pub(super) enum Direction {
    ToBackup,
    FromBackup,
}

impl Direction {
    fn chunk(self) {
        match self {
            Self::ToBackup => failpoint::reached("backup.chunk"),
            Self::FromBackup => failpoint::reached("restore.chunk"),
        }
    }

    fn chunks_durable(self) {
        match self {
            Self::ToBackup => failpoint::reached("backup.chunks_durable"),
            Self::FromBackup => failpoint::reached("restore.chunks_durable"),
        }
    }

    fn manifests_durable(self) {
        match self {
            Self::ToBackup => failpoint::reached("backup.manifests_durable"),
            Self::FromBackup => failpoint::reached("restore.manifests_durable"),
        }
    }
}

/// What copying came to.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) copied: Copied,
    pub(super) damage: Damage,
}

/// Something that is wrong with one object.
struct Wrong {
    key: Key,
    why: String,
}

impl Outcome {
    fn note(&mut self, wrong: &Wrong, hit: impl Iterator<Item = String>) {
        self.damage.object_count += 1;
        if self.damage.objects.len() < Damage::OBJECTS_MAX {
            self.damage.objects.push(wrong.why.clone());
        }
        self.damage.images.extend(hit);
        self.damage.images.sort_unstable();
        self.damage.images.dedup();
    }
}

/// Copies what `images` name, chunks before manifests, each made durable and checked. What cannot be had is noted, and the
/// rest copied all the same.
pub(super) fn copy(pair: &Pair<'_>, needed: &Referenced, images: &[ManifestUse]) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    let ids = |place: usize| {
        needed.manifests[place].images.iter().map(|image| images[*image].image_id.clone()).collect::<Vec<_>>()
    };
    outcome.damage.images.extend(needed.unreadable.iter().map(|place| images[*place].image_id.clone()));
    needed.passes(|pass| {
        let mut rest = pass.references.as_slice();
        for prefix in pass.prefixes.clone() {
            let mut wanted: Vec<ChunkId> = Vec::new();
            let here = rest.partition_point(|(id, _)| id.0[0] <= prefix);
            let (references, others) = rest.split_at(here);
            rest = others;
            wanted.extend(references.iter().map(|(id, _)| *id));
            wanted.dedup();
            let mut there = pair.to.list(Kind::Chunk, prefix)?;
            there.sort_unstable();
            let (copied, wrong) = copy_chunks(pair, &wanted, &there)?;
            outcome.copied.add(copied);
            let mut references = references;
            for wrong in &wrong {
                let Key::Chunk(id) = wrong.key else { continue };
                let before = references.partition_point(|(other, _)| *other < id);
                references = &references[before..];
                let hit = take_references(&mut references, id);
                outcome.note(wrong, hit.iter().flat_map(|(_, place)| ids(*place as usize)));
            }
        }
        Ok::<_, Error>(())
    })?;
    pair.to.sync()?;
    pair.direction.chunks_durable();
    for (place, manifest) in needed.manifests.iter().enumerate() {
        match copy_manifest(pair, Key::Manifest(manifest.id))? {
            Ok(copied) => outcome.copied.add(copied),
            Err(wrong) => outcome.note(&wrong, ids(place).into_iter()),
        }
    }
    pair.to.sync()?;
    pair.direction.manifests_durable();
    Ok(outcome)
}

type Chunks = (Copied, Vec<Wrong>);

/// Copies chunks on several threads; both lists are in order. What is wrong comes back in order too.
fn copy_chunks(pair: &Pair<'_>, wanted: &[ChunkId], there: &[Key]) -> Result<Chunks, Error> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS_MAX);
    let part = wanted.len().div_ceil(threads).max(1);
    let copy_part = |ids: &[ChunkId]| {
        let (mut copied, mut wrong) = Chunks::default();
        for id in ids {
            let key = Key::Chunk(*id);
            match copy_chunk(pair, *id, there.binary_search(&key).is_ok())? {
                Ok(one) => copied.add(one),
                Err(one) => wrong.push(one),
            }
            pair.direction.chunk();
        }
        Ok::<Chunks, Error>((copied, wrong))
    };
    thread::scope(|scope| {
        let running: Vec<_> = wanted.chunks(part).map(|ids| scope.spawn(move || copy_part(ids))).collect();
        let (mut copied, mut wrong) = Chunks::default();
        for thread in running {
            let (one, more) = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            copied.add(one);
            wrong.extend(more);
        }
        Ok((copied, wrong))
    })
}

fn copy_chunk(pair: &Pair<'_>, id: ChunkId, there: bool) -> Result<Result<Copied, Wrong>, Error> {
    let key = Key::Chunk(id);
    let source = pair.from.head(key).map(|head| head.length);
    let mut mended = 0;
    if there {
        let length = pair.to.head(key)?.length;
        // Of two that differ either may be the good one, and where there is no other this one must be.
        let look = pair.verify || !matches!(source, Ok(other) if other == length);
        if !look || !is_wrong(pair.to_store.read_chunk(id))? {
            return Ok(Ok(Copied { there_objects: 1, there_bytes: length, ..Copied::default() }));
        }
        mended = 1;
    }
    let existing = if there { Existing::Replace } else { Existing::Keep };
    let copied = source.and_then(|length| {
        let mut object = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
        let body = pair.from.read(key)?.body;
        // A chunk is at most a little longer than what is allowed of plain bytes.
        let most = 2 * jingku_chunks::CHUNK_SIZE_MAX;
        let read = body.take(most).read_to_end(&mut object);
        read.map_err(|source| Error::Io { doing: format!("read {key}"), source })?;
        pair.to.put(key, &object, existing)?;
        Ok(object.len() as u64)
    });
    let checked = copied.and_then(|length| pair.to_store.read_chunk(id).map(|_| length));
    match checked {
        Ok(bytes) => Ok(Ok(Copied { objects: 1, bytes, mended_objects: mended, ..Copied::default() })),
        Err(error @ (Error::NotFound(_) | Error::Damaged { .. })) => {
            if !there {
                pair.to.delete(key)?;
            }
            Ok(Err(Wrong { key, why: error.to_string() }))
        }
        Err(error) => Err(error),
    }
}

fn is_wrong<T>(read: Result<T, Error>) -> Result<bool, Error> {
    match read {
        Ok(_) => Ok(false),
        Err(Error::NotFound(_) | Error::Damaged { .. }) => Ok(true),
        Err(error) => Err(error),
    }
}

fn copy_manifest(pair: &Pair<'_>, key: Key) -> Result<Result<Copied, Wrong>, Error> {
    let Key::Manifest(id) = key else { return Ok(Ok(Copied::default())) };
    let there = match pair.to.head(key) {
        Ok(head) => Some(head.length),
        Err(Error::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    if let Some(length) = there
        && !is_wrong(pair.to_store.open_manifest(id))?
    {
        return Ok(Ok(Copied { there_objects: 1, there_bytes: length, ..Copied::default() }));
    }
    let existing = if there.is_some() { Existing::Replace } else { Existing::Keep };
    let copied = pair.from.read(key).and_then(|object| {
        let (mut body, mut stage) = (object.body, pair.to.stage()?);
        let (mut part, mut bytes) = (vec![0; PART_BYTES], 0);
        loop {
            let read = body.read(&mut part);
            let read = read.map_err(|source| Error::Io { doing: format!("read {key}"), source })?;
            if read == 0 {
                stage.commit(key, existing)?;
                return Ok(bytes);
            }
            stage.write(&part[..read])?;
            bytes += read as u64;
        }
    });
    let checked = copied.and_then(|bytes| pair.to_store.open_manifest(id).map(|_| bytes));
    match checked {
        Ok(bytes) => {
            let mended_objects = u64::from(there.is_some());
            Ok(Ok(Copied { objects: 1, bytes, mended_objects, ..Copied::default() }))
        }
        Err(error @ (Error::NotFound(_) | Error::Damaged { .. })) => {
            if there.is_none() {
                pair.to.delete(key)?;
            }
            Ok(Err(Wrong { key, why: error.to_string() }))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jingku_catalog::{AccountId, ImageStatus};
    use jingku_chunks::{Cut, Extent, Fault, Faulty, ManifestId, Memory, Operation};

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

    /// The manifests that are there, with every chunk that they name.
    fn whole_manifests(backend: &dyn Backend, store: &Store) -> Vec<ManifestId> {
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

    /// At every call of every kind it fails once, and the power is cut: what was not synced is lost, or some of it, or part
    /// of a file. A backup that came to its end has everything; any other is brought to its end by the next.
    #[test]
    fn a_power_cut_takes_nothing_from_a_backup_that_was_acknowledged() {
        let from = Memory::new();
        let from_store = Store::new(from.clone());
        let disk: Vec<u8> = (0..9 * 4096_u32).map(|at| (at / 4096 * 7 + at % 251).to_le_bytes()[0]).collect();
        let images = [write(&from_store, &disk), write(&from_store, &disk[4096..5 * 4096 + 9])];
        let mut cuts = 0;
        for operation in Operation::ALL {
            for call in 1.. {
                let to = Arc::new(Faulty::new(Memory::new()));
                let to_store = Store::new(Arc::clone(&to));
                let pair = Pair {
                    from: &from,
                    to: &to,
                    to_store: &to_store,
                    verify: call % 2 == 0,
                    direction: Direction::ToBackup,
                };
                let needed = Referenced::open(&images, &[(&from, &from_store)]).unwrap();
                to.fail(operation, call, Fault::Io);
                let outcome = copy(&pair, &needed, &images);
                let reached = to.calls(operation) >= call;
                to.recover();
                to.cut_power(call).unwrap();
                cuts += 1;
                let left = whole_manifests(&to, &to_store).len();
                let ended = outcome.is_ok_and(|outcome| outcome.damage.is_empty());
                assert!(!ended || left == images.len(), "{operation:?} {call}: {left} left");
                assert!(ended || reached, "{operation:?} {call}: failed by itself");
                let again = copy(&pair, &needed, &images).unwrap();
                assert!(again.damage.is_empty(), "{operation:?} {call}");
                to.lose_unsynced().unwrap();
                assert_eq!(whole_manifests(&to, &to_store).len(), images.len(), "{operation:?} {call}");
                if !reached {
                    break;
                }
            }
        }
        assert!(cuts > 30, "{cuts}");
    }
}
