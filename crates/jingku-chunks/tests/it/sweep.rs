//! Sweeps remove garbage and nothing else, whatever writers do meanwhile.

mod model;
mod processes;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use jingku_chunks::{
    Backend, Error, Existing, Extent, Fault, Faulty, Key, Kind, ManifestId, Memory, Operation, Store, Sweep,
    SweepPlan,
};

use crate::sample::{self, DISK_CHUNKS, disk, noise};

/// Small steps, so that small stores have many.
const PLAN: SweepPlan = SweepPlan { dry_run: false, census_chunks_max: 2, batch_objects: 1 };

fn sweep(
    store: &Store,
    plan: SweepPlan,
    live: &[ManifestId],
) -> jingku_chunks::Result<jingku_chunks::SweepReport> {
    store.sweep(plan).run(&mut || Ok::<_, Error>(live.to_vec()))
}

fn chunks_of(store: &Store, id: ManifestId) -> BTreeSet<Key> {
    let extents = store.open_manifest(id).unwrap().extents().unwrap();
    let chunk = |extent| match extent {
        Extent::Chunk { id, .. } => Some(Key::Chunk(id)),
        Extent::Zero { .. } => None,
    };
    extents.map(Result::unwrap).filter_map(chunk).collect()
}

/// Asserts that the store holds exactly the live images.
fn assert_exactly(backend: &impl Backend, store: &Store, live: &BTreeSet<ManifestId>) {
    let needed: BTreeSet<Key> = live.iter().flat_map(|id| chunks_of(store, *id)).collect();
    assert_eq!(sample::list(backend, Kind::Chunk).into_iter().collect::<BTreeSet<_>>(), needed);
    let manifests: BTreeSet<Key> = live.iter().copied().map(Key::Manifest).collect();
    assert_eq!(sample::list(backend, Kind::Manifest).into_iter().collect::<BTreeSet<_>>(), manifests);
}

#[test]
fn sweep_removes_exactly_the_garbage() {
    for plan in [PLAN, SweepPlan::default()] {
        let backend = Memory::new();
        let store = Store::new(backend.clone());
        let kept = sample::write(&store, &disk()).unwrap().manifest;
        // Shares four chunks with the first.
        let other =
            sample::write(&store, &[noise(1, 3 * 4096), noise(2, 4096), noise(9, 9000)].concat()).unwrap();
        let lengths: u64 =
            sample::list(&backend, Kind::Chunk).iter().map(|k| backend.head(*k).unwrap().length).sum();

        let dry = sweep(&store, SweepPlan { dry_run: true, ..plan }, &[kept]).unwrap();
        assert_eq!((dry.manifests, dry.chunks, dry.chunks_seen), (0, 0, DISK_CHUNKS + 3), "it is held yet");
        let gone = other.manifest;
        drop(other);
        let dry = sweep(&store, SweepPlan { dry_run: true, ..plan }, &[kept]).unwrap();
        assert_eq!((dry.manifests, dry.chunks), (1, 3));
        assert_eq!(
            sample::list(&backend, Kind::Chunk).len() as u64,
            DISK_CHUNKS + 3,
            "a dry run deletes nothing"
        );

        let swept = sweep(&store, plan, &[kept]).unwrap();
        assert_eq!(swept, dry);
        assert_eq!(swept.prefixes_done, 256);
        assert_exactly(&backend, &store, &[kept].into());
        let left: u64 =
            sample::list(&backend, Kind::Chunk).iter().map(|k| backend.head(*k).unwrap().length).sum();
        assert_eq!(lengths - left + 20 + 7 * 33 + 32, swept.bytes, "its chunks and its manifest");
        assert!(matches!(store.open_manifest(gone), Err(Error::NotFound(_))));
        assert_eq!(sample::read(&store, kept).unwrap(), disk());
        assert_eq!(sweep(&store, plan, &[kept]).unwrap().bytes, 0);
    }
}

/// The critical moment: the writer finds the chunks just after the sweep has chosen them.
#[test]
fn chunks_found_by_a_writer_survive_the_sweep() {
    // After every number of steps of the sweep.
    for steps in 0..60 {
        let backend = Memory::new();
        let store = Store::new(backend.clone());
        drop(sample::write(&store, &disk()).unwrap());
        let rows = RefCell::new(Vec::new());
        let mut live = || Ok::<_, Error>(rows.borrow().clone());
        let mut sweep = store.sweep(PLAN);
        for _ in 0..steps {
            sweep.step(&mut live).unwrap();
        }
        let mut writer = store.writer_with(disk().len() as u64, sample::CUT).unwrap();
        sample::push(&mut writer, &disk()).unwrap();
        let sealed = writer.finish_chunks().unwrap();
        sweep.step(&mut live).unwrap();
        let written = sealed.write_manifest().unwrap();
        sweep.step(&mut live).unwrap();
        rows.borrow_mut().push(written.manifest);
        let id = written.manifest;
        drop(written);
        while sweep.step(&mut live).unwrap() {}
        assert_eq!(sample::read(&store, id).unwrap(), disk(), "after {steps} steps");
    }
}

#[test]
fn writer_may_span_a_sweep() {
    let backend = Memory::new();
    let store = Store::new(backend.clone());
    let mut writer = store.writer_with(disk().len() as u64, sample::CUT).unwrap();
    sample::push(&mut writer, &disk()[..8 * 4096]).unwrap();
    sweep(&store, PLAN, &[]).unwrap();
    sample::push(&mut writer, &disk()[8 * 4096..]).unwrap();
    let sealed = writer.finish_chunks().unwrap();
    sweep(&store, PLAN, &[]).unwrap();
    let written = sealed.write_manifest().unwrap();
    sweep(&store, PLAN, &[]).unwrap();
    assert_eq!(sample::read(&store, written.manifest).unwrap(), disk());
    drop(written);
    sweep(&store, PLAN, &[]).unwrap();
    assert_exactly(&backend, &store, &BTreeSet::new());
}

#[test]
fn guarded_objects_stay_until_released() {
    let backend = Memory::new();
    let store = Store::new(backend.clone());
    let id = sample::write(&store, &disk()).unwrap().manifest;
    let guard = store.guard(&[id]).unwrap();
    sweep(&store, PLAN, &[]).unwrap();
    assert_eq!(sample::read(&store, id).unwrap(), disk());
    drop(guard);
    sweep(&store, PLAN, &[]).unwrap();
    assert_exactly(&backend, &store, &BTreeSet::new());
}

/// What it references is unknown, so nothing may be deleted.
#[test]
fn unreadable_live_manifest_stops_the_sweep() {
    let backend = Memory::new();
    let store = Store::new(backend.clone());
    let id = sample::write(&store, &disk()).unwrap().manifest;
    drop(sample::write(&store, &noise(5, 9000)).unwrap());
    let key = Key::Manifest(id);
    let mut manifest = Vec::new();
    backend.read(key).unwrap().body.read_to_end(&mut manifest).unwrap();
    let chunks = sample::list(&backend, Kind::Chunk);

    backend.put(key, &manifest[..manifest.len() - 1], Existing::Replace).unwrap();
    assert!(matches!(sweep(&store, PLAN, &[id]), Err(Error::Damaged { key: named, .. }) if named == key));
    backend.delete(key).unwrap();
    assert!(matches!(sweep(&store, PLAN, &[id]), Err(Error::NotFound(named)) if named == key));
    assert_eq!(sample::list(&backend, Kind::Chunk), chunks);
    backend.put(key, &manifest, Existing::Keep).unwrap();
    sweep(&store, PLAN, &[id]).unwrap();
    assert_exactly(&backend, &store, &[id].into());
}

/// A row with a flipped bit: it names a missing manifest, and nobody names the existing one.
#[test]
fn missing_live_manifest_stops_the_sweep() {
    let backend = Memory::new();
    let store = Store::new(backend.clone());
    let id = sample::write(&store, &disk()).unwrap().manifest;
    let mut other = id;
    other.0[31] ^= 1;
    assert!(
        matches!(sweep(&store, PLAN, &[other]), Err(Error::NotFound(named)) if named == Key::Manifest(other))
    );
    assert_eq!(sample::read(&store, id).unwrap(), disk());
}

#[test]
fn sweep_step_without_live_list_deletes_nothing() {
    let backend = Memory::new();
    let store = Store::new(backend.clone());
    drop(sample::write(&store, &disk()).unwrap());
    let mut sweep: Sweep = store.sweep(PLAN);
    let mut fails = || Err::<Vec<ManifestId>, Error>(Error::NoSpace { doing: "ask".into() });
    for _ in 0..20 {
        let _ = sweep.step(&mut fails);
    }
    assert_eq!(sample::list(&backend, Kind::Chunk).len() as u64, DISK_CHUNKS);
    // Claims can grow again: nothing is paused.
    drop(sample::write(&store, &noise(7, 5000)).unwrap());
    while sweep.step(&mut || Ok::<_, Error>(Vec::new())).unwrap() {}
    assert_exactly(&backend, &store, &BTreeSet::new());
}

/// Fails the n-th call of every operation of a sweep, cuts the power, and sweeps again.
#[test]
fn failed_sweep_deletes_nothing_needed() {
    for operation in Operation::ALL {
        for call in 1.. {
            let backend = Arc::new(Faulty::new(Memory::new()));
            let store = Store::new(Arc::clone(&backend));
            let kept = sample::write(&store, &disk()).unwrap().manifest;
            drop(sample::write(&store, &[noise(1, 2 * 4096), noise(9, 9000)].concat()).unwrap());
            let fault = [Fault::Io, Fault::NoSpace][usize::try_from(call % 2).unwrap()];
            let before = backend.calls(operation);
            backend.fail(operation, call, fault);
            let outcome = sweep(&store, SweepPlan { census_chunks_max: 6, ..PLAN }, &[kept]);
            let reached = backend.calls(operation) >= before + call;
            assert_eq!(outcome.is_err(), reached, "{operation:?} {call}: {outcome:?}");
            backend.recover();
            sample::assert_manifests_whole(&backend);
            backend.cut_power(call).unwrap();
            sample::assert_manifests_whole(&backend);
            assert_eq!(sample::read(&store, kept).unwrap(), disk());
            sweep(&store, PLAN, &[kept]).unwrap();
            assert_exactly(&backend, &store, &[kept].into());
            if !reached {
                break;
            }
        }
    }
}

#[test]
fn sweep_removes_marks_of_missing_chunks() {
    let backend = Memory::new();
    let store = Store::new(backend.clone());
    let id = sample::write(&store, &disk()).unwrap().manifest;
    drop(sample::write(&store, &noise(9, 4096)).unwrap());
    for key in sample::list(&backend, Kind::Chunk) {
        let Key::Chunk(chunk) = key else { panic!() };
        backend.put(Key::QuarantineMark(chunk), &[], Existing::Keep).unwrap();
    }
    sweep(&store, PLAN, &[id]).unwrap();
    assert_eq!(sample::list(&backend, Kind::QuarantineMark).len() as u64, DISK_CHUNKS);
    sweep(&store, PLAN, &[]).unwrap();
    assert!(sample::list(&backend, Kind::QuarantineMark).is_empty());
}
