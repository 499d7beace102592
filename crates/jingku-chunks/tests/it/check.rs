//! Checks find all corruption, report the affected disks, and report nothing else.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use jingku_chunks::{
    Backend, CheckPlan, CheckProgress, CheckReport, Depth, Error, Existing, Fault, Faulty, Key, Kind,
    ManifestId, Memory, Operation, Store,
};

use crate::sample::{self, DISK_CHUNKS, disk, noise};

fn go_on(_: CheckProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn check(store: &Store, manifests: &[ManifestId], depth: Depth) -> CheckReport {
    store.check(manifests, &CheckPlan::new(depth), &go_on).unwrap().unwrap()
}

fn object(backend: &impl Backend, key: Key) -> Vec<u8> {
    let mut bytes = Vec::new();
    backend.read(key).unwrap().body.read_to_end(&mut bytes).unwrap();
    bytes
}

fn replace(backend: &impl Backend, key: Key, bytes: &[u8]) {
    backend.put(key, bytes, Existing::Replace).unwrap();
}

/// A disk, another that shares its first three chunks, and a separate third.
fn three(store: &Store) -> [ManifestId; 3] {
    let second = [noise(1, 3 * 4096), noise(7, 5000)].concat();
    [disk(), second, noise(9, 9000)].map(|disk| sample::write(store, &disk).unwrap().manifest)
}

#[test]
fn intact_store_is_clean_at_every_depth() {
    let backend = Memory::new();
    let store = Store::new(backend.clone());
    let ids = three(&store);
    let chunks = DISK_CHUNKS + 2 + 3;
    for depth in [Depth::Headers, Depth::Bytes, Depth::Part { nth: 2, of: 3 }] {
        let report = check(&store, &ids, depth);
        assert!(report.is_clean(), "{report:?}");
        assert_eq!((report.chunks, report.unreferenced_findings), (chunks, 0));
        let sizes = [disk().len() as u64, 3 * 4096 + 5000, 9000].map(Some);
        assert_eq!(report.logical_sizes, sizes);
        let read = match depth {
            Depth::Headers => 0,
            Depth::Bytes => chunks,
            _ => report.read_chunks,
        };
        assert_eq!(report.read_chunks, read);
    }
    let bytes: u64 =
        sample::list(&backend, Kind::Chunk).iter().map(|key| object(&backend, *key).len() as u64).sum();
    let report = check(&store, &ids, Depth::Bytes);
    assert_eq!((report.bytes, report.read_bytes), (bytes, bytes));
    assert!(check(&store, &[], Depth::Bytes).is_clean());
}

/// Every bit of small objects, one after the other.
#[test]
fn every_flipped_bit_is_found() {
    let backend = Memory::new();
    let store = Store::new(backend.clone());
    // A chunk that compresses, one that does not, and their manifest.
    let text = b"jingku keeps each byte once. ".repeat(200);
    let whole = [&text[..4096], &noise(1, 100)].concat();
    let id = sample::write(&store, &whole).unwrap().manifest;
    let (mut flips, mut harmless) = (0, 0);
    for key in sample::list(&backend, Kind::Chunk).into_iter().chain([Key::Manifest(id)]) {
        let good = object(&backend, key);
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            replace(&backend, key, &bytes);
            flips += 1;
            let report = check(&store, &[id], Depth::Bytes);
            let reported: Vec<_> =
                report.findings.iter().map(|finding| (finding.key, finding.affected.clone())).collect();
            match sample::read(&store, id) {
                Ok(read) => {
                    assert!(read == whole, "wrong bytes: {key}, bit {bit}");
                    assert!(report.is_clean(), "{key}, bit {bit}: {report:?}");
                    harmless += 1;
                }
                Err(_) => assert_eq!(reported, [(key, vec![0])], "{key}, bit {bit}"),
            }
            replace(&backend, key, &good);
        }
    }
    // A zstd frame has up to two bits without meaning: docs/format/chunk.md.
    assert!(harmless <= 2, "{harmless} of {flips} flips change nothing");
    println!("{flips} bits flipped, {harmless} of which mean nothing");
    // Marks on intact chunks are harmless, and the next writer removes them.
    assert!(check(&store, &[id], Depth::Bytes).is_clean());
    sample::write(&store, &whole).unwrap();
    assert!(sample::list(&backend, Kind::QuarantineMark).is_empty());
}

#[test]
fn corruption_is_attributed_and_repaired_by_the_next_write() {
    for (depth, shallow) in [(Depth::Headers, true), (Depth::Bytes, false)] {
        let backend = Memory::new();
        let store = Store::new(backend.clone());
        let ids = three(&store);
        let shared = Key::Chunk(jingku_chunks::ChunkId::of(&noise(1, 4096)));
        let own = Key::Chunk(jingku_chunks::ChunkId::of(&noise(9, 9000)[..4096]));
        let good = object(&backend, shared);
        let flipped = [&good[..good.len() - 1], &[good[good.len() - 1] ^ 1]].concat();
        replace(&backend, shared, if shallow { &good[..good.len() - 1] } else { &flipped });
        backend.delete(own).unwrap();
        backend.delete(Key::Manifest(ids[2])).unwrap();
        let report = check(&store, &ids, depth);
        assert_eq!(report.corrupt, [true, true, true]);
        let mut reported: Vec<_> =
            report.findings.iter().map(|finding| (finding.key, finding.affected.clone())).collect();
        reported.sort();
        // What a lost manifest references is unknown; its lost chunk affects nobody else.
        assert_eq!(reported, [(shared, vec![0, 1]), (Key::Manifest(ids[2]), vec![2])]);
        assert_eq!(sample::list(&backend, Kind::QuarantineMark).len(), 1);

        let again = three(&store);
        assert_eq!(again, ids);
        assert!(check(&store, &ids, Depth::Bytes).is_clean());
        assert!(sample::list(&backend, Kind::QuarantineMark).is_empty());
    }
}

#[test]
fn marked_chunks_are_read_at_every_depth() {
    let backend = Memory::new();
    let store = Store::new(backend.clone());
    let ids = three(&store);
    let key = sample::list(&backend, Kind::Chunk)[0];
    let mut bytes = object(&backend, key);
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    replace(&backend, key, &bytes);
    assert!(check(&store, &ids, Depth::Headers).is_clean(), "its header is good");
    assert!(!check(&store, &ids, Depth::Bytes).is_clean());
    assert!(!check(&store, &ids, Depth::Headers).is_clean(), "it is marked by now");
}

#[test]
fn parts_cover_everything_once() {
    let store = Store::new(Memory::new());
    let ids = three(&store);
    let all = check(&store, &ids, Depth::Bytes).read_chunks;
    for of in [1, 2, 7] {
        let seen = Mutex::new(Vec::new());
        for nth in 1..=of {
            let note = |one: CheckProgress| {
                if one.read_bytes > 0 {
                    seen.lock().unwrap().push(one.chunk);
                }
                ControlFlow::Continue(())
            };
            store.check(&ids, &CheckPlan::new(Depth::Part { nth, of }), &note).unwrap().unwrap();
        }
        let seen = seen.into_inner().unwrap();
        assert_eq!(seen.len() as u64, all, "{of} parts");
        assert_eq!(seen.iter().collect::<BTreeSet<_>>().len() as u64, all, "{of} parts");
    }
}

#[test]
fn check_resumes_after_a_name_and_stops_on_request() {
    let store = Store::new(Memory::new());
    let ids = three(&store);
    let plan = CheckPlan { threads: Some(1), ..CheckPlan::new(Depth::Bytes) };
    let (count, place) = (AtomicU64::new(0), Mutex::new(None));
    let stop = |seen: CheckProgress| {
        *place.lock().unwrap() = Some(seen.chunk);
        if count.fetch_add(1, Ordering::Relaxed) == 4 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    assert_eq!(store.check(&ids, &plan, &stop).unwrap(), None);
    let place = place.into_inner().unwrap().unwrap();
    let rest = store.check(&ids, &CheckPlan { depth: Depth::After(place), ..plan }, &go_on).unwrap().unwrap();
    assert_eq!(rest.read_chunks, rest.chunks - 5);
    assert!(rest.is_clean());
}

/// The findings do not depend on how much is tracked at a time.
#[test]
fn grouping_does_not_change_the_report() {
    let backend = Memory::new();
    let store = Store::new(backend.clone());
    let ids = three(&store);
    for (nth, key) in sample::list(&backend, Kind::Chunk).into_iter().enumerate() {
        match nth % 3 {
            0 => backend.delete(key).unwrap(),
            1 => replace(&backend, key, b"short"),
            _ => {}
        }
    }
    let sorted = |mut report: CheckReport| {
        report.findings.sort_by_key(|finding| finding.key);
        (report.findings.clone(), report.corrupt.clone(), report.chunks, report.finding_count)
    };
    let all = sorted(check(&store, &ids, Depth::Bytes));
    for (census_chunks_max, threads) in [(1, 1), (2, 5), (5, 16)] {
        let plan = CheckPlan { census_chunks_max, threads: Some(threads), ..CheckPlan::new(Depth::Bytes) };
        assert_eq!(sorted(store.check(&ids, &plan, &go_on).unwrap().unwrap()), all);
    }
    // Also range by range.
    let mut keys = BTreeSet::new();
    for prefix in 0..=u8::MAX {
        let plan = CheckPlan { prefixes: prefix..=prefix, ..CheckPlan::new(Depth::Headers) };
        let report = store.check(&ids, &plan, &go_on).unwrap().unwrap();
        keys.extend(report.findings.into_iter().map(|finding| finding.key));
    }
    assert_eq!(keys, all.0.iter().map(|finding| finding.key).collect());
}

#[test]
fn unreferenced_corruption_is_counted_separately() {
    let backend = Memory::new();
    let store = Store::new(backend.clone());
    let ids = three(&store);
    let own = Key::Chunk(jingku_chunks::ChunkId::of(&noise(9, 9000)[..4096]));
    replace(&backend, own, b"");
    let report = check(&store, &ids[..2], Depth::Headers);
    assert!(report.is_clean());
    assert_eq!((report.unreferenced_findings, report.finding_count), (1, 0));
}

/// Fails the n-th call for every n: it is an error, or a finding that the next check does not repeat.
#[test]
fn failed_call_never_yields_a_clean_report() {
    for operation in Operation::ALL {
        for call in 1.. {
            let backend = Arc::new(Faulty::new(Memory::new()));
            let store = Store::new(Arc::clone(&backend));
            let ids = three(&store);
            let before = backend.calls(operation);
            backend.fail(operation, call, Fault::Io);
            let plan = CheckPlan { threads: Some(1), ..CheckPlan::new(Depth::Bytes) };
            let outcome = store.check(&ids, &plan, &go_on);
            let reached = backend.calls(operation) >= before + call;
            match outcome {
                Ok(Some(report)) if report.is_clean() => {
                    // An unreadable chunk is read again before it is reported.
                    assert!(!reached || operation == Operation::Read, "{operation:?} {call}");
                }
                Ok(_) | Err(Error::Io { .. }) => assert!(reached, "{operation:?} {call}"),
                Err(error) => panic!("{operation:?} {call}: {error}"),
            }
            backend.recover();
            assert!(check(&store, &ids, Depth::Bytes).is_clean(), "{operation:?} {call}");
            if !reached {
                break;
            }
        }
    }
}
