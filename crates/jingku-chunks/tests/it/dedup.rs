//! Equal bytes are stored once. Counts backend calls instead of measuring time.

use std::sync::Arc;

use jingku_chunks::{Faulty, Kind, Memory, Operation, Store};

use crate::sample::{self, DISK_CHUNKS, disk, noise};

#[test]
fn first_write_stores_each_distinct_chunk_once() {
    let backend = Arc::new(Faulty::new(Memory::new()));
    let written = sample::write(&Store::new(Arc::clone(&backend)), &disk()).unwrap();
    assert_eq!((written.new_chunks, written.reused_chunks), (DISK_CHUNKS, 1));
    assert_eq!(sample::list(&backend, Kind::Chunk).len() as u64, DISK_CHUNKS);
    assert_eq!(sample::list(&backend, Kind::Manifest).len(), 1);
    // A chunk of zeros is not even looked up.
    assert_eq!(backend.calls(Operation::Head), DISK_CHUNKS + 1);
    // One for the chunks, one for the manifest.
    assert_eq!(backend.calls(Operation::Sync), 2);
}

#[test]
fn same_disk_again_stores_nothing() {
    let backend = Arc::new(Faulty::new(Memory::new()));
    let store = Store::new(Arc::clone(&backend));
    let first = sample::write(&store, &disk()).unwrap();
    let puts = backend.calls(Operation::Put);
    let second = sample::write(&store, &disk()).unwrap();
    assert_eq!(second.manifest, first.manifest);
    assert_eq!((second.new_chunks, second.new_bytes, second.new_manifest), (0, 0, false));
    assert_eq!(second.reused_chunks, DISK_CHUNKS + 1);
    assert_eq!(backend.calls(Operation::Put), puts);
    assert_eq!(backend.calls(Operation::Commit), 1);
}

#[test]
fn changed_byte_stores_one_chunk() {
    let backend = Arc::new(Faulty::new(Memory::new()));
    let store = Store::new(Arc::clone(&backend));
    let mut disk = noise(1, 50 * 4096);
    let first = sample::write(&store, &disk).unwrap();
    let puts = backend.calls(Operation::Put);
    disk[20_000] ^= 1;
    let second = sample::write(&store, &disk).unwrap();
    assert_ne!(second.manifest, first.manifest);
    assert_eq!((second.new_chunks, second.new_bytes), (1, 16 + 4096));
    assert_eq!(backend.calls(Operation::Put), puts + 1);
}
