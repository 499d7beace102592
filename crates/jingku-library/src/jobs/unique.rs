//! Counts the bytes of the distinct chunks of an account's images, for its limit of them. Blocks.
//!
//! Memory is bounded: chunks are processed in ranges of the first bytes of their names, as many as fit at a time. The last
//! count of an account is remembered, so that a new image only costs reading its own chunks and comparing the others.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};

use jingku_catalog::{AccountId, StoredManifest, UniqueBytes};
use jingku_chunks::{ChunkId, Error, Extent, ManifestId, Store};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use crate::lock::lock;

/// The most chunks that a count of distinct bytes has in memory, at 36 bytes each: 27 MiB for each running job. Others are
/// counted in further passes over the manifests.
const COUNTED_CHUNKS_MAX: usize = 3 << 18;
/// The most accounts whose counts of distinct bytes are remembered, at about 100 bytes for each of their manifests.
const COUNTS_KEPT_MAX: usize = 16;

/// The last counts of accounts.
#[derive(Default)]
pub(crate) struct Counts(Mutex<HashMap<AccountId, Arc<AsyncMutex<Count>>>>);

impl Counts {
    /// Waits until no other job of the account counts.
    pub(super) async fn turn(&self, account: AccountId) -> CountTurn {
        let count = {
            let mut counts = lock(&self.0);
            if counts.len() >= COUNTS_KEPT_MAX && !counts.contains_key(&account) {
                // Those in use are not dropped. There are at most as many as workers.
                counts.retain(|_, count| Arc::strong_count(count) > 1);
            }
            Arc::clone(counts.entry(account).or_default())
        };
        CountTurn(count.lock_owned().await)
    }
}

/// The right to count an account, and its last count.
pub(super) struct CountTurn(OwnedMutexGuard<Count>);

impl CountTurn {
    /// The last count.
    pub(super) fn known(&self) -> Count {
        self.0.clone()
    }

    /// Remembers a count, with the new image if it was made.
    pub(super) fn remember(&mut self, counted: Counted, made: Option<StoredManifest>) {
        let Counted { mut manifests, used, more, is_outdated, has_damage } = counted;
        let mut bytes = used;
        if let Some(new) = made {
            bytes += more;
            let place = manifests.partition_point(|one| one.name < new.name);
            manifests.insert(place, new);
        }
        *self.0 = Count { manifests, bytes, is_bound: is_outdated || has_damage };
    }

    /// Makes the next count start from nothing.
    pub(super) fn forget(&mut self) {
        *self.0 = Count::default();
    }
}

/// The bytes of the distinct chunks of some manifests.
#[derive(Clone, Default)]
pub(super) struct Count {
    /// In order of their names.
    manifests: Vec<StoredManifest>,
    bytes: u64,
    /// Whether there may be fewer bytes.
    is_bound: bool,
}

/// The bytes of the distinct chunks of an account, and of a new manifest.
pub(super) struct Counted {
    manifests: Vec<StoredManifest>,
    used: u64,
    more: u64,
    /// Whether chunks of manifests that are gone count too. A count that starts from nothing has fewer bytes then.
    pub(super) is_outdated: bool,
    has_damage: bool,
}

impl Counted {
    /// The count, as the catalogue compares it.
    pub(super) fn unique_bytes(&self) -> UniqueBytes<'_> {
        let signed = |bytes| i64::try_from(bytes).unwrap_or(i64::MAX);
        UniqueBytes { manifests: &self.manifests, used: signed(self.used), more: signed(self.more) }
    }
}

impl Count {
    /// Counts the manifests of an account, and what a new one adds. `None` if `proceed` returns false.
    ///
    /// A missing or corrupted manifest counts as if it shared no chunk, so that the limit is not exceeded if it is repaired.
    pub(super) fn extend(
        &self,
        store: &Store,
        manifests: Vec<StoredManifest>,
        new: ManifestId,
        proceed: &dyn Fn() -> bool,
    ) -> Result<Option<Counted>, Error> {
        let reader = Reader { store, chunks_max: COUNTED_CHUNKS_MAX, proceed };
        let is_known = |one: &&StoredManifest| {
            self.manifests.binary_search_by(|other| other.name.cmp(&one.name)).is_ok()
        };
        let (known, added): (Vec<_>, Vec<_>) = manifests.iter().partition(is_known);
        let is_outdated = self.is_bound || known.len() < self.manifests.len();
        let (mut used, mut has_damage, mut readable) = (self.bytes, false, Vec::new());
        for manifest in added {
            if !proceed() {
                return Ok(None);
            }
            if let Some(id) = reader.verify(&manifest.name)? {
                readable.push(id);
            } else {
                has_damage = true;
                used = used.saturating_add(u64::try_from(manifest.data_bytes).unwrap_or(0));
            }
        }
        let Some(bytes) = reader.distinct_bytes(&readable, &ids(known))? else { return Ok(None) };
        let Some(more) = reader.distinct_bytes(&[new], &ids(&manifests))? else { return Ok(None) };
        Ok(Some(Counted { used: used.saturating_add(bytes), more, is_outdated, has_damage, manifests }))
    }
}

fn ids<'a>(manifests: impl IntoIterator<Item = &'a StoredManifest>) -> Vec<ManifestId> {
    manifests.into_iter().filter_map(|one| one.name.parse().ok()).collect()
}

struct Reader<'a> {
    store: &'a Store,
    chunks_max: usize,
    proceed: &'a dyn Fn() -> bool,
}

impl Reader<'_> {
    /// Returns the id of a manifest that can be read.
    fn verify(&self, name: &str) -> Result<Option<ManifestId>, Error> {
        let Ok(id) = name.parse() else { return Ok(None) };
        match self.store.open_manifest(id) {
            Ok(_) => Ok(Some(id)),
            Err(Error::NotFound(_) | Error::Damaged { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the bytes of the distinct chunks of manifests that the `others` do not have; `None` if it was stopped.
    fn distinct_bytes(&self, of: &[ManifestId], others: &[ManifestId]) -> Result<Option<u64>, Error> {
        let (mut bytes, mut next) = (0_u64, Some(0).filter(|_| !of.is_empty()));
        while let Some(first) = next {
            let mut chunks = Chunks::new(first..=u8::MAX, self.chunks_max);
            for manifest in of {
                if !(self.proceed)() {
                    return Ok(None);
                }
                self.read(*manifest, |id, len| chunks.add(id, len))?;
            }
            chunks.compact();
            for manifest in others {
                if !(self.proceed)() {
                    return Ok(None);
                }
                match self.read(*manifest, |id, _| chunks.remove(id)) {
                    // It counts as if it shared nothing.
                    Err(Error::NotFound(_) | Error::Damaged { .. }) => {}
                    read => read?,
                }
            }
            bytes = chunks.lens.iter().fold(bytes, |sum, (_, len)| sum.saturating_add((*len).into()));
            next = chunks.range.end().checked_add(1);
        }
        Ok(Some(bytes))
    }

    fn read(&self, manifest: ManifestId, mut act: impl FnMut(ChunkId, u64)) -> Result<(), Error> {
        for extent in self.store.extents(manifest)? {
            if let Extent::Chunk { id, len } = extent? {
                act(id, len);
            }
        }
        Ok(())
    }
}

/// Distinct chunks whose names start with bytes of a range, which becomes smaller when there are too many.
struct Chunks {
    range: RangeInclusive<u8>,
    /// Chunks with their unpacked lengths.
    lens: Vec<(ChunkId, u32)>,
    /// The next number of chunks at which duplicates are removed.
    full: usize,
}

impl Chunks {
    fn new(range: RangeInclusive<u8>, chunks_max: usize) -> Self {
        Self { range, lens: Vec::with_capacity(chunks_max), full: chunks_max }
    }

    fn has_in_range(&self, id: ChunkId) -> bool {
        self.range.contains(&id.0[0])
    }

    fn add(&mut self, id: ChunkId, len: u64) {
        if !self.has_in_range(id) {
            return;
        }
        self.lens.push((id, u32::try_from(len).unwrap_or(u32::MAX)));
        if self.lens.len() < self.full {
            return;
        }
        self.compact();
        while self.lens.len() > self.full / 2 && self.range.start() < self.range.end() {
            let (start, end) = (*self.range.start(), *self.range.end());
            self.range = start..=start + (end - start) / 2;
            let kept = self.lens.partition_point(|(id, _)| id.0[0] <= *self.range.end());
            self.lens.truncate(kept);
        }
        // The names that start with one byte cannot be divided: 200 million chunks are needed for that to be too many.
        self.full = self.full.max(2 * self.lens.len());
    }

    fn compact(&mut self) {
        self.lens.sort_unstable();
        self.lens.dedup_by_key(|(id, _)| *id);
    }

    /// Makes a chunk count nothing.
    fn remove(&mut self, id: ChunkId) {
        if self.has_in_range(id)
            && let Ok(place) = self.lens.binary_search_by_key(&id, |(id, _)| *id)
        {
            self.lens[place].1 = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jingku_chunks::{Cut, Key, Memory};

    use super::*;

    const CHUNK: u64 = 4096;

    /// A store, and for each image the numbers of the chunks it has.
    struct Images {
        store: Store,
        images: Vec<(StoredManifest, Vec<u16>)>,
    }

    impl Images {
        fn new() -> Self {
            Self { store: Store::new(Memory::new()), images: Vec::new() }
        }

        /// Stores a disk of these chunks, and one of zeros.
        fn store(&self, chunks: &[u16]) -> (StoredManifest, ManifestId) {
            let data_bytes = CHUNK * chunks.len() as u64;
            let cut = Cut { chunk_size: CHUNK, ..Cut::default() };
            let mut writer = self.store.writer_with(data_bytes + CHUNK, cut).unwrap();
            for number in chunks {
                writer.push((number + 1).to_le_bytes().repeat(2048)).unwrap();
            }
            writer.zeros(CHUNK).unwrap();
            let id = writer.finish_chunks().unwrap().write_manifest().unwrap().manifest;
            (StoredManifest { name: id.to_string(), data_bytes: i64::try_from(data_bytes).unwrap() }, id)
        }

        fn add(&mut self, chunks: &[u16]) -> ManifestId {
            let (manifest, id) = self.store(chunks);
            self.images.push((manifest, chunks.to_vec()));
            self.images.sort_by(|one, other| one.0.name.cmp(&other.0.name));
            id
        }

        fn manifests(&self) -> Vec<StoredManifest> {
            self.images.iter().map(|(manifest, _)| manifest.clone()).collect()
        }

        fn distinct(&self) -> BTreeSet<u16> {
            self.images.iter().flat_map(|(_, chunks)| chunks).copied().collect()
        }

        fn extend(&self, known: &Count, new: ManifestId) -> Counted {
            known.extend(&self.store, self.manifests(), new, &|| true).unwrap().unwrap()
        }
    }

    fn chunks(count: usize) -> u64 {
        CHUNK * count as u64
    }

    #[test]
    fn each_chunk_counts_once_however_many_passes_there_are() {
        let mut images = Images::new();
        for start in [0, 10, 10, 50] {
            images.add(&(start..start + 30).collect::<Vec<_>>());
        }
        let distinct = images.distinct();
        let (_, new) = images.store(&(70..100).chain(95..100).collect::<Vec<_>>());
        let ids = ids(&images.manifests());
        for chunks_max in [4, 16, 1000] {
            let reader = Reader { store: &images.store, chunks_max, proceed: &|| true };
            assert_eq!(reader.distinct_bytes(&ids, &[]).unwrap(), Some(chunks(distinct.len())));
            assert_eq!(reader.distinct_bytes(&[new], &ids).unwrap(), Some(chunks(20)));
            assert_eq!(reader.distinct_bytes(&ids, &ids).unwrap(), Some(0));
            assert_eq!(reader.distinct_bytes(&[], &ids).unwrap(), Some(0));
        }
    }

    #[tokio::test]
    async fn a_count_continues_from_the_last_one() {
        let (mut images, counts) = (Images::new(), Counts::default());
        images.add(&[1, 2, 3]);
        let mut turn = counts.turn(AccountId(1)).await;
        for chunks_of_new in [&[3, 4][..], &[4, 5, 6], &[1, 6]] {
            let (manifest, new) = images.store(chunks_of_new);
            let counted = images.extend(&turn.known(), new);
            let before = images.distinct().len();
            images.add(chunks_of_new);
            let more = images.distinct().len() - before;
            assert_eq!((counted.used, counted.more), (chunks(before), chunks(more)));
            assert!(!counted.is_outdated);
            turn.remember(counted, Some(manifest));
        }
        drop(turn);
        // An image is gone, and another server has added one: what was counted is still a bound.
        let mut turn = counts.turn(AccountId(1)).await;
        let gone = images.images.iter().position(|(_, chunks)| chunks.contains(&5)).unwrap();
        images.images.remove(gone);
        images.add(&[7]);
        let (_, new) = images.store(&[5, 7]);
        let counted = images.extend(&turn.known(), new);
        assert_eq!((counted.used, counted.more, counted.is_outdated), (chunks(7), chunks(1), true));
        turn.remember(counted, None);
        assert!(images.extend(&turn.known(), new).is_outdated);
        turn.forget();
        let counted = images.extend(&turn.known(), new);
        assert_eq!((counted.used, counted.more, counted.is_outdated), (chunks(6), chunks(1), false));
        let stopped = turn.known().extend(&images.store, images.manifests(), new, &|| false).unwrap();
        assert!(stopped.is_none());
    }

    #[test]
    fn what_cannot_be_read_counts_in_full() {
        let mut images = Images::new();
        let (lost, _) = (images.add(&[1, 2, 3]), images.add(&[3, 4]));
        let (_, new) = images.store(&[1, 4, 5]);
        images.store.backend().delete(Key::Manifest(lost)).unwrap();
        images.images.push((StoredManifest { name: "~".to_owned(), data_bytes: 7 }, Vec::new()));
        let counted = images.extend(&Count::default(), new);
        assert_eq!((counted.used, counted.more), (chunks(3 + 2) + 7, chunks(2)));
        assert!(counted.has_damage && !counted.is_outdated);
    }

    #[tokio::test]
    async fn the_counts_of_few_accounts_are_remembered() {
        let counts = Counts::default();
        let used = counts.turn(AccountId(0)).await;
        for account in 1..100 {
            drop(counts.turn(AccountId(account)).await);
        }
        assert!(lock(&counts.0).len() <= COUNTS_KEPT_MAX && lock(&counts.0).contains_key(&AccountId(0)));
        drop(used);
    }
}
