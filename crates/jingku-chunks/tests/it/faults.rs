//! Backends that fail at every call, fill up, and lose what was not synced.

use std::sync::Arc;

use jingku_chunks::{Error, Fault, Faulty, Kind, Memory, Operation, Store};

use crate::sample::{self, DISK_CHUNKS, assert_manifests_whole, disk};

type Backend = Arc<Faulty<Memory>>;

fn backend() -> (Backend, Store) {
    let backend = Arc::new(Faulty::new(Memory::new()));
    (Arc::clone(&backend), Store::new(backend))
}

/// Fails the n-th call of every operation of a write, cuts the power, and retries.
#[test]
fn failed_write_leaves_no_incomplete_manifest() {
    for (operation, fault) in Operation::ALL.into_iter().flat_map(|o| [(o, Fault::Io), (o, Fault::NoSpace)]) {
        for call in 1.. {
            let (backend, store) = backend();
            backend.fail(operation, call, fault);
            let outcome = sample::write(&store, &disk());
            let reached = backend.calls(operation) >= call;
            assert_eq!(outcome.is_err(), reached, "{operation:?} {call} {fault:?}: {outcome:?}");
            let acknowledged = outcome.ok().map(|written| written.manifest);
            backend.recover();
            assert_manifests_whole(&backend);

            backend.cut_power(call).unwrap();
            if let Some(id) = acknowledged {
                assert_eq!(sample::read(&store, id).unwrap(), disk());
            }
            let again = sample::write(&store, &disk()).unwrap();
            assert_eq!(sample::read(&store, again.manifest).unwrap(), disk());
            assert_manifests_whole(&backend);
            if !reached {
                break;
            }
        }
    }
}

/// After every number of chunks, or with all of them and no manifest; what remains is random, some of it truncated.
#[test]
fn power_cut_never_affects_later_writes() {
    for seed in 0..300 {
        let (backend, store) = backend();
        let acknowledged = sample::write(&store, &disk()[..5 * 4096]).unwrap().manifest;
        let mut writer = store.writer_with(disk().len() as u64, sample::CUT).unwrap();
        let pushed = usize::try_from(seed % 16).unwrap();
        for chunk in disk().chunks(4096).take(pushed) {
            writer.push(chunk.to_vec()).unwrap();
        }
        if pushed * 4096 > disk().len() {
            backend.fail(Operation::Sync, 2, Fault::Io);
            assert!(writer.finish_chunks().unwrap().write_manifest().is_err());
            backend.recover();
        } else {
            drop(writer);
        }
        backend.cut_power(seed).unwrap();
        assert_eq!(sample::read(&store, acknowledged).unwrap(), disk()[..5 * 4096]);
        let again = sample::write(&store, &disk()).unwrap();
        assert_eq!(sample::read(&store, again.manifest).unwrap(), disk(), "seed {seed}");
        assert_manifests_whole(&backend);
    }
}

#[test]
fn failed_read_returns_no_wrong_bytes() {
    let (backend, store) = backend();
    let id = sample::write(&store, &disk()).unwrap().manifest;
    // The manifest is read when opened and when iterated.
    for call in 1..=2 + DISK_CHUNKS + 1 {
        backend.fail(Operation::Read, call, Fault::Io);
        assert!(matches!(sample::read(&store, id), Err(Error::Io { .. })), "call {call}");
        backend.recover();
    }
    assert_eq!(sample::read(&store, id).unwrap(), disk());
}

#[test]
fn full_disk_is_reported_and_can_be_retried() {
    for operation in [Operation::Stage, Operation::Put, Operation::Write, Operation::Commit, Operation::Sync]
    {
        for call in 1..=2 {
            let (backend, store) = backend();
            backend.fail_from(operation, call, Fault::NoSpace);
            let outcome = sample::write(&store, &disk());
            if backend.calls(operation) >= call {
                assert!(matches!(outcome, Err(Error::NoSpace { .. })), "{operation:?} {call}: {outcome:?}");
            }
            backend.recover();
            let again = sample::write(&store, &disk()).unwrap();
            assert_eq!(sample::read(&store, again.manifest).unwrap(), disk());
        }
    }
}

#[test]
fn writer_continued_after_an_error_yields_no_manifest() {
    let (backend, store) = backend();
    backend.fail(Operation::Put, 1, Fault::Io);
    let disk = sample::noise(1, 200 * 4096);
    let mut writer = store.writer_with(disk.len() as u64, sample::CUT).unwrap();
    let mut failed = 0;
    for chunk in disk.chunks(4096) {
        while writer.push(chunk.to_vec()).is_err() {
            failed += 1;
        }
    }
    assert_eq!(failed, 1, "the error surfaces at a push");
    assert!(matches!(writer.finish_chunks(), Err(Error::Length { .. })));
}

#[test]
fn power_cut_keeps_acknowledged_writes() {
    let (backend, store) = backend();
    let id = sample::write(&store, &disk()).unwrap().manifest;
    backend.lose_unsynced().unwrap();
    assert_eq!(sample::read(&store, id).unwrap(), disk());
}

#[test]
fn chunks_are_durable_before_the_manifest() {
    let (backend, store) = backend();
    let mut writer = store.writer_with(disk().len() as u64, sample::CUT).unwrap();
    sample::push(&mut writer, &disk()).unwrap();
    let sealed = writer.finish_chunks().unwrap();
    assert!(sample::list(&backend, Kind::Manifest).is_empty());
    backend.lose_unsynced().unwrap();
    let written = sealed.write_manifest().unwrap();
    assert_eq!(sample::read(&store, written.manifest).unwrap(), disk());
}

#[test]
fn power_cut_before_sync_loses_all_chunks() {
    let (backend, store) = backend();
    let mut writer = store.writer_with(disk().len() as u64, sample::CUT).unwrap();
    sample::push(&mut writer, &disk()).unwrap();
    backend.fail(Operation::Sync, 1, Fault::Io);
    assert!(writer.finish_chunks().is_err());
    assert_eq!(sample::list(&backend, Kind::Chunk).len() as u64, DISK_CHUNKS);
    backend.lose_unsynced().unwrap();
    assert!(sample::list(&backend, Kind::Chunk).is_empty(), "otherwise this fault proves nothing");
}

/// The second writer finds every chunk of the first, none of which is durable yet.
#[test]
fn chunks_of_an_unfinished_writer_become_durable() {
    let (backend, store) = backend();
    let mut first = store.writer_with(disk().len() as u64 + 4096, sample::CUT).unwrap();
    sample::push(&mut first, &disk()[..disk().len() / 4096 * 4096]).unwrap();
    let second = sample::write(&store, &disk()).unwrap();
    drop(first);
    backend.lose_unsynced().unwrap();
    assert_eq!(sample::read(&store, second.manifest).unwrap(), disk());
}
