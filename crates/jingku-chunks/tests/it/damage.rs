//! The damage matrix: what is damaged, how, and what must follow.
//!
//! Whatever happens to a stored object, nobody reads wrong bytes, the error names the object, and storing the same disk
//! again repairs it: at once if its header shows the damage, otherwise because the reader marked it
//! (`docs/format/chunk.md`, "Already there").

use jingku_chunks::{Backend, Disk, Error, Existing, Key, Kind, ManifestId, Memory, Store};

use crate::sample::{self, disk};

#[derive(Debug, Clone, Copy)]
enum Damage {
    Delete,
    /// Keep this many bytes.
    Truncate(usize),
    Append,
    FlipBit(usize),
}

impl Damage {
    fn matrix(length: usize) -> impl Iterator<Item = Self> {
        let cuts = [0, 1, 15, 16, 17, 20, length / 2, length - 33, length - 1];
        let cuts = cuts.into_iter().filter(move |cut| *cut < length);
        // Every bit of headers, first entries and trailer; elsewhere one bit per byte.
        let bits =
            (0..length * 8).filter(move |bit| *bit < 64 * 8 || *bit >= (length - 33) * 8 || bit % 8 == 3);
        let bits = bits.step_by(if length > 1000 { 7 } else { 1 });
        [Self::Delete, Self::Append]
            .into_iter()
            .chain(cuts.map(Self::Truncate))
            .chain(bits.map(Self::FlipBit))
    }

    fn apply(self, backend: &impl Backend, key: Key, object: &[u8]) {
        let mut bytes = object.to_vec();
        match self {
            Self::Delete => return backend.delete(key).unwrap(),
            Self::Truncate(length) => bytes.truncate(length),
            Self::Append => bytes.push(0),
            Self::FlipBit(bit) => bytes[bit / 8] ^= 1 << (bit % 8),
        }
        backend.put(key, &bytes, Existing::Replace).unwrap();
    }
}

fn object(backend: &impl Backend, key: Key) -> Vec<u8> {
    let mut bytes = Vec::new();
    backend.read(key).unwrap().body.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Runs every `step`th case of the matrix.
fn all_damage_is_detected(backend: &(impl Backend + Clone), step: usize) {
    let store = Store::new(backend.clone());
    let disk = disk();
    let id = sample::write(&store, &disk).unwrap().manifest;
    let keys = [sample::list(backend, Kind::Chunk), sample::list(backend, Kind::Manifest)].concat();
    for key in keys {
        let good = object(backend, key);
        for damage in Damage::matrix(good.len()).step_by(step) {
            damage.apply(backend, key, &good);

            let was_corrupt = match sample::read(&store, id) {
                Err(Error::NotFound(named)) => named == key && matches!(damage, Damage::Delete),
                Err(Error::Damaged { key: named, .. }) => named == key,
                // Bytes 4 and 5 of a zstd frame have up to two bits without meaning; the disk is unchanged.
                Ok(read) if matches!(damage, Damage::FlipBit(bit) if bit / 8 < 22) => {
                    assert!(read == disk);
                    false
                }
                Ok(_) => panic!("{key} after {damage:?} goes unseen"),
                Err(error) => panic!("{key} after {damage:?}: {error}"),
            };

            let again = sample::write(&store, &disk).unwrap();
            assert_eq!(again.manifest, id);
            if was_corrupt {
                // Two threads may repair the repeated chunk at once.
                assert_eq!(again.new_chunks > 0, key.kind() == Kind::Chunk, "{key} after {damage:?}");
                assert_eq!(again.new_manifest, key.kind() == Kind::Manifest, "{key} after {damage:?}");
            }
            assert!(sample::read(&store, id).unwrap() == disk, "{key} after {damage:?} is not healed");
            assert!(
                sample::list(backend, Kind::QuarantineMark).is_empty(),
                "{key} after {damage:?} is still marked"
            );
            backend.put(key, &good, Existing::Replace).unwrap();
        }
    }
    assert_eq!(sample::read(&store, id).unwrap(), disk);
}

#[test]
fn all_damage_is_detected_in_memory() {
    all_damage_is_detected(&Memory::new(), 5);
}

#[test]
fn all_damage_is_detected_on_disk() {
    let scratch = tempfile::tempdir().unwrap();
    all_damage_is_detected(&std::sync::Arc::new(Disk::create(scratch.path()).unwrap()), 97);
}

#[test]
fn swapped_objects_are_corrupted() {
    let backend = Memory::new();
    let store = Store::new(backend.clone());
    let small = sample::write(&store, &disk()[..8192]).unwrap().manifest;
    let large = sample::write(&store, &disk()).unwrap().manifest;
    let other = object(&backend, Key::Manifest(large));
    backend.put(Key::Manifest(small), &other, Existing::Replace).unwrap();
    assert!(
        matches!(store.open_manifest(small), Err(Error::Damaged { key: Key::Manifest(id), .. }) if id == small)
    );

    let chunks = sample::list(&backend, Kind::Chunk);
    let Key::Chunk(first) = chunks[0] else { panic!() };
    backend.put(chunks[0], &object(&backend, chunks[1]), Existing::Replace).unwrap();
    assert!(
        matches!(store.read_chunk(first), Err(Error::Damaged { key: Key::Chunk(id), .. }) if id == first)
    );
}

#[test]
fn manifest_corrupted_after_open_is_an_error() {
    let backend = Memory::new();
    let store = Store::new(backend.clone());
    let id = sample::write(&store, &disk()).unwrap().manifest;
    let manifest = store.open_manifest(id).unwrap();
    let key = Key::Manifest(id);
    let mut bytes = object(&backend, key);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    backend.put(key, &bytes, Existing::Replace).unwrap();
    for pieces in [store.read(&manifest), store.read_range(&manifest, 5000..5001)] {
        let pieces: Vec<_> = pieces.unwrap().collect();
        assert!(matches!(&pieces[..], [Err(Error::Damaged { key: named, .. })] if *named == key));
    }
}

#[test]
fn unknown_manifest_is_not_found() {
    let id = ManifestId([1; 32]);
    let opened = Store::new(Memory::new()).open_manifest(id);
    assert!(matches!(opened, Err(Error::NotFound(key)) if key == Key::Manifest(id)));
}

/// A mark is a reason to verify, not a verdict.
#[test]
fn marked_intact_chunk_is_kept() {
    let backend = Memory::new();
    let store = Store::new(backend.clone());
    let first = sample::write(&store, &disk()).unwrap();
    for key in sample::list(&backend, Kind::Chunk) {
        let Key::Chunk(id) = key else { panic!() };
        backend.put(Key::QuarantineMark(id), &[], Existing::Keep).unwrap();
    }
    let again = sample::write(&store, &disk()).unwrap();
    assert_eq!((again.manifest, again.new_chunks), (first.manifest, 0));
    assert!(sample::list(&backend, Kind::QuarantineMark).is_empty());
}
