//! Specific to folders: creating, opening, and what killed processes leave.

use std::fs;
use std::path::{Path, PathBuf};

use jingku_chunks::{Backend, Disk, Error, Existing, Key, Kind, Store, SweepPlan};

use crate::sample::{self, disk};

fn files_below(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn read_only_store_is_not_changed() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("store");
    assert!(matches!(Disk::open_read_only(&path), Err(Error::UnknownFormat { .. })));
    let written = sample::write(&Store::new(Disk::create(&path).unwrap()), &disk()).unwrap();
    // A copy may lack this empty folder.
    fs::remove_dir_all(path.join("tmp")).unwrap();
    let before = files_below(&path);

    let (backend, store) =
        (Disk::open_read_only(&path).unwrap(), Store::new(Disk::open_read_only(&path).unwrap()));
    let guard = store.guard(&[written.manifest]).unwrap();
    assert!(sample::read(&store, written.manifest).unwrap() == disk());
    let plan = SweepPlan { dry_run: true, ..SweepPlan::default() };
    let swept = store.sweep(plan).run(&mut || Ok::<_, Error>(Vec::new())).unwrap();
    assert!(swept.chunks > 0 && swept.manifests == 1, "{swept:?}");
    backend.sync().unwrap();
    drop(guard);

    let chunk = (0..=255).find_map(|prefix| backend.list(Kind::Chunk, prefix).unwrap().pop()).unwrap();
    let refused = |outcome: Result<(), Error>| {
        let refused = matches!(&outcome, Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::ReadOnlyFilesystem);
        assert!(refused, "{outcome:?}");
    };
    refused(backend.delete(chunk));
    refused(backend.put(chunk, b"other", Existing::Replace).map(drop));
    refused(backend.put(Key::Manifest(written.manifest), b"other", Existing::Keep).map(drop));
    refused(backend.stage().map(drop));
    assert!(files_below(&path) == before && !path.join("tmp").exists());
}

#[test]
fn create_refuses_existing_and_open_missing_stores() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("store");
    assert!(matches!(Disk::open(&path), Err(Error::UnknownFormat { .. })));
    Disk::create(&path).unwrap();
    assert!(matches!(Disk::create(&path), Err(Error::AlreadyExists(_))));
    Disk::open(&path).unwrap();

    let other = scratch.path().join("letters");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("dear"), "reader").unwrap();
    assert!(matches!(Disk::create(&other), Err(Error::AlreadyExists(_))));
    assert!(matches!(Disk::open(&other), Err(Error::UnknownFormat { .. })));
    assert_eq!(files_below(&other).len(), 1);
}

#[test]
fn interrupted_create_can_be_repeated() {
    let scratch = tempfile::tempdir().unwrap();
    fs::create_dir(scratch.path().join("chunks")).unwrap();
    fs::create_dir(scratch.path().join("tmp")).unwrap();
    assert!(matches!(Disk::open(scratch.path()), Err(Error::UnknownFormat { .. })));
    Disk::create(scratch.path()).unwrap();
}

#[test]
fn folder_of_another_version_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    Disk::create(scratch.path()).unwrap();
    for format in ["jingku-chunks 2\n", "jingku-chunks 1\nmore", ""] {
        fs::write(scratch.path().join("format"), format).unwrap();
        assert!(matches!(Disk::open(scratch.path()), Err(Error::UnknownFormat { .. })), "{format:?}");
    }
}

#[test]
fn open_removes_only_dead_sessions() {
    let scratch = tempfile::tempdir().unwrap();
    let living = Disk::create(scratch.path()).unwrap();
    let mut stage = living.stage().unwrap();
    stage.write(b"being written").unwrap();
    let dead = scratch.path().join("tmp").join("4294967295-0");
    fs::create_dir(&dead).unwrap();
    fs::write(dead.join("0"), "half a chunk").unwrap();

    let later = Disk::open(scratch.path()).unwrap();
    assert!(!dead.exists());
    assert_eq!(files_below(&scratch.path().join("tmp")).len(), 1);
    let key = Key::Manifest("ab".repeat(32).parse().unwrap());
    stage.commit(key, jingku_chunks::Existing::Keep).unwrap();
    assert_eq!(later.head(key).unwrap().length, 13);
}

#[test]
fn dropped_writer_leaves_only_chunks() {
    let scratch = tempfile::tempdir().unwrap();
    let store = Store::new(Disk::create(scratch.path()).unwrap());
    let mut writer = store.writer_with(disk().len() as u64, sample::CUT).unwrap();
    sample::push(&mut writer, &disk()).unwrap();
    drop(writer.finish_chunks().unwrap());
    let mut writer = store.writer_with(disk().len() as u64, sample::CUT).unwrap();
    writer.push(disk()[..4096].to_vec()).unwrap();
    drop(writer);
    assert!(files_below(&scratch.path().join("tmp")).is_empty());
    assert!(files_below(&scratch.path().join("manifests")).is_empty());
    drop(store);
    assert_eq!(fs::read_dir(scratch.path().join("tmp")).unwrap().count(), 0);
}

#[test]
fn empty_file_is_not_a_chunk() {
    let scratch = tempfile::tempdir().unwrap();
    let store = Store::new(Disk::create(scratch.path()).unwrap());
    let first = sample::write(&store, &disk()).unwrap();
    let chunks = files_below(&scratch.path().join("chunks"));
    for chunk in &chunks {
        fs::write(chunk, "").unwrap();
    }
    let second = sample::write(&store, &disk()).unwrap();
    // Two threads may repair the repeated chunk at once.
    assert!(second.new_chunks >= chunks.len() as u64);
    assert_eq!(sample::read(&store, first.manifest).unwrap(), disk());
}

#[test]
fn other_files_are_not_listed() {
    let scratch = tempfile::tempdir().unwrap();
    let backend = Disk::create(scratch.path()).unwrap();
    fs::create_dir(scratch.path().join("chunks/00")).unwrap();
    fs::write(scratch.path().join("chunks/00/.nfs0001"), "").unwrap();
    assert_eq!(backend.list(Kind::Chunk, 0).unwrap(), []);
}
