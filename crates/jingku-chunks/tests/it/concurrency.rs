//! Threads on one store, and several openings of one folder.

use std::sync::{Arc, Barrier};
use std::thread;

use jingku_chunks::{Backend, Disk, Kind, Memory, Store, Written};

use crate::sample::{self, DISK_CHUNKS, assert_manifests_whole, disk};

fn write_at_once(stores: Vec<Store>) -> Vec<Written> {
    let start = Barrier::new(stores.len());
    thread::scope(|scope| {
        let write = |store: Store| {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                sample::write(&store, &disk()).unwrap()
            })
        };
        let writers: Vec<_> = stores.into_iter().map(write).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    })
}

fn assert_stored_once(backend: &(impl Backend + Clone), written: &[Written]) {
    assert!(written.iter().all(|w| w.manifest == written[0].manifest));
    assert_eq!(written.iter().map(|w| w.new_chunks).sum::<u64>(), DISK_CHUNKS);
    assert_eq!(written.iter().filter(|w| w.new_manifest).count(), 1);
    assert_eq!(sample::list(backend, Kind::Chunk).len() as u64, DISK_CHUNKS);
    assert_eq!(sample::list(backend, Kind::Manifest).len(), 1);
    assert_manifests_whole(backend);
    assert_eq!(sample::read(&Store::new(backend.clone()), written[0].manifest).unwrap(), disk());
}

#[test]
fn concurrent_writers_store_a_disk_once() {
    for _ in 0..10 {
        let memory = Memory::new();
        let store = Store::new(memory.clone());
        assert_stored_once(&memory, &write_at_once(vec![store; 4]));
    }
}

/// Two openings of one folder are as independent as two processes.
#[test]
fn writers_in_two_openings_store_a_disk_once() {
    for _ in 0..5 {
        let scratch = tempfile::tempdir().unwrap();
        let first = Arc::new(Disk::create(scratch.path()).unwrap());
        let second = Disk::open(scratch.path()).unwrap();
        let written = write_at_once(vec![Store::new(Arc::clone(&first)), Store::new(second)]);
        assert_stored_once(&first, &written);
    }
}

#[test]
fn concurrent_readers_and_writers() {
    let store = Store::new(Memory::new());
    let id = sample::write(&store, &disk()).unwrap().manifest;
    thread::scope(|scope| {
        for seed in 0..3 {
            let store = &store;
            scope.spawn(move || sample::write(store, &sample::noise(seed, 400_000)).unwrap());
            scope.spawn(move || assert_eq!(sample::read(store, id).unwrap(), disk()));
        }
    });
}

#[test]
fn dropped_writer_or_reader_leaves_no_thread() {
    let backend = Arc::new(Memory::new());
    let store = Store::new(Arc::clone(&backend));
    let id = sample::write(&store, &disk()).unwrap().manifest;
    // Each worker thread holds the store's backend, which holds ours.
    let mut writer = store.writer_with(400 * 4096, sample::CUT).unwrap();
    sample::push(&mut writer, &sample::noise(1, 300 * 4096)).unwrap();
    drop(writer);
    let manifest = store.open_manifest(id).unwrap();
    let mut pieces = store.read(&manifest).unwrap();
    assert!(pieces.next().is_some());
    drop((pieces, manifest, store));
    assert_eq!(Arc::strong_count(&backend), 1);
}
