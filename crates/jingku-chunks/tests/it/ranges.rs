//! Parts of a disk: the right bytes, at the cost of that part.

use std::ops::Range;

use jingku_chunks::{
    ChunkId, Error, Existing, Faulty, Key, Kind, Manifest, ManifestId, Memory, Operation, Piece, Store,
};
use proptest::prelude::*;

use crate::sample::{self, noise};

/// Several segments of a manifest: data and zeros alternate; the last chunk is short.
fn long_disk() -> Vec<u8> {
    let mut disk = Vec::new();
    for number in 0..1500 {
        disk.extend(noise(number, 4096));
        disk.resize(disk.len() + 4096, 0);
    }
    disk.extend(noise(7, 77));
    disk
}

fn read(store: &Store, manifest: &Manifest, part: Range<u64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for piece in store.read_range(manifest, part).unwrap() {
        match piece.unwrap() {
            Piece::Zero(length) => bytes.resize(bytes.len() + usize::try_from(length).unwrap(), 0),
            Piece::Data(data) => bytes.extend(data),
        }
    }
    bytes
}

fn expected(disk: &[u8], part: &Range<u64>) -> Vec<u8> {
    let within = |at: u64| usize::try_from(at).unwrap().min(disk.len());
    let (start, end) = (within(part.start), within(part.end));
    disk[start.min(end)..end].to_vec()
}

fn write(store: &Store, disk: &[u8]) -> ManifestId {
    sample::write(store, disk).unwrap().manifest
}

#[test]
fn range_equals_the_same_part_of_the_disk() {
    let store = Store::new(Memory::new());
    let disk = long_disk();
    let end = disk.len() as u64;
    let stream = store.write_stream(&disk[..]).unwrap().write_manifest().unwrap().manifest;
    for id in [write(&store, &disk), stream] {
        let manifest = store.open_manifest(id).unwrap();
        let edges = [0, 1, 4095, 4096, 4097, 8192, 1024 * 4096, 1024 * 4096 + 1, end - 78, end - 1, end];
        for start in edges {
            for length in [0, 1, 2, 4096, 10_000, end] {
                let part = start..start + length;
                assert!(read(&store, &manifest, part.clone()) == expected(&disk, &part), "{part:?}");
            }
        }
        assert_eq!(read(&store, &manifest, end + 5..end + 9), b"");
        assert_eq!(read(&store, &manifest, Range { start: 9, end: 5 }), b"");
    }
}

#[test]
fn range_of_an_empty_disk_is_empty() {
    let store = Store::new(Memory::new());
    let manifest = store.open_manifest(write(&store, b"")).unwrap();
    assert_eq!(read(&store, &manifest, 0..1), b"");
}

#[test]
fn a_part_costs_what_it_is_long_wherever_it_is() {
    let backend = Faulty::new(Memory::new());
    let backend = std::sync::Arc::new(backend);
    let store = Store::new(std::sync::Arc::clone(&backend));
    let disk = long_disk();
    let end = disk.len() as u64;
    let manifest = store.open_manifest(write(&store, &disk)).unwrap();
    for start in [0, 4096 * 1023, end / 2, end - 4096 * 3] {
        let before = backend.calls(Operation::Read);
        read(&store, &manifest, start..start + 4096 * 2);
        // At most two chunks of data, possibly a third in part; one segment of the manifest, or two at a boundary.
        let reads = backend.calls(Operation::Read) - before;
        assert!((2..=4).contains(&reads), "{reads} reads at {start}");
    }
}

#[test]
fn a_chunk_of_another_length_is_an_error() {
    let backend = Memory::new();
    let store = Store::new(backend.clone());
    let disk = noise(1, 3 * 4096);
    let id = write(&store, &disk);

    // A hostile manifest: its hash is right, the length of a chunk is wrong.
    let short = ChunkId::of(&disk[2 * 4096..]);
    let mut bytes = Vec::new();
    bytes.extend(b"JKMF\x02\0\0\0");
    bytes.push(1);
    bytes.extend(5000_u32.to_le_bytes());
    bytes.extend(short.0);
    bytes.push(2);
    bytes.extend(5000_u64.to_le_bytes());
    let name = ManifestId(*blake3::hash(&bytes).as_bytes());
    bytes.extend(name.0);
    jingku_chunks::Backend::put(&backend, Key::Manifest(name), &bytes, Existing::Keep).unwrap();

    let manifest = store.open_manifest(name).unwrap();
    for part in [0..5000, 0..1, 4096..5000, 4999..5000] {
        let pieces: Vec<_> = store.read_range(&manifest, part.clone()).unwrap().collect();
        let damaged =
            |error: &Error| matches!(error, Error::Damaged { key: Key::Chunk(id), .. } if *id == short);
        assert!(matches!(&pieces[..], [Err(error)] if damaged(error)), "{part:?}: {pieces:?}");
    }
    assert_eq!(sample::list(&backend, Kind::Manifest).len(), 2);
    assert_eq!(sample::read(&store, id).unwrap(), disk);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_range_equals_the_same_part_of_the_disk(start in 0..60_000_u64, length in 0..60_000_u64) {
        let store = Store::new(Memory::new());
        let disk = sample::disk();
        let manifest = store.open_manifest(write(&store, &disk)).unwrap();
        let part = start..start + length;
        prop_assert!(read(&store, &manifest, part.clone()) == expected(&disk, &part));
    }
}
