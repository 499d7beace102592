//! Objects written by earlier versions stay readable.
//!
//! `tests/fixtures/v<N>` is a complete store of format version N. Never change its files: a different format is a new
//! version with its own folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use jingku_chunks::{Disk, Key, Kind, Store};

use crate::sample::{self, disk};

const MANIFEST_V1: &str = "66d7829b33b335b830f48ca425779e76eb9f5d6f611ea954b9dea990edbc0100";
/// A stream; everything else in the folder is version 1.
const MANIFEST_V2: &str = "15c07b7f2057cb7c91f553705f60907496a889f7a67116639bdc28200f2f2d39";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Opening writes below `tmp`, so open a copy.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn version_1_reads_as_it_was_written() {
    let scratch = tempfile::tempdir().unwrap();
    copy(&fixtures().join("v1"), scratch.path());
    let backend = Disk::open(scratch.path()).unwrap();
    let keys = sample::list(&backend, Kind::Manifest);
    assert_eq!(keys, [Key::Manifest(MANIFEST_V1.parse().unwrap())]);
    let store = Store::new(backend);
    assert_eq!(sample::read(&store, MANIFEST_V1.parse().unwrap()).unwrap(), disk());
}

/// Names never change: today's writes find the old objects.
#[test]
fn version_1_is_written_today() {
    let scratch = tempfile::tempdir().unwrap();
    copy(&fixtures().join("v1"), scratch.path());
    let written = sample::write(&Store::new(Disk::open(scratch.path()).unwrap()), &disk()).unwrap();
    assert_eq!(written.manifest.to_string(), MANIFEST_V1);
    assert_eq!((written.new_chunks, written.new_manifest), (0, false));
}

/// It was cut into larger chunks than streams are today.
#[test]
fn version_2_reads_as_it_was_written() {
    let scratch = tempfile::tempdir().unwrap();
    copy(&fixtures().join("v2"), scratch.path());
    let store = Store::new(Disk::open(scratch.path()).unwrap());
    assert!(sample::read(&store, MANIFEST_V2.parse().unwrap()).unwrap() == stream());
}

/// Chunks of data, and zeros, some of them whole chunks.
fn stream() -> Vec<u8> {
    let mut stream = sample::noise(4, 150_000);
    stream.extend(b"cut by what it says. ".repeat(40_000));
    stream.resize(stream.len() + (3 << 20), 0);
    stream.extend(sample::noise(5, 150_000));
    stream
}

#[test]
fn documented_versions_and_fixtures_match() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/format/README.md");
    let document = fs::read_to_string(document).unwrap();
    let documented: BTreeSet<String> = document
        .lines()
        .filter(|line| ["| folder |", "| chunk |", "| manifest |"].iter().any(|row| line.starts_with(row)))
        .map(|line| format!("v{}", line.split('|').nth(3).unwrap().trim()))
        .collect();
    let kept: BTreeSet<String> =
        fs::read_dir(fixtures()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(documented, kept);
}

/// Writes the fixture of a new version. Run by hand, once per version.
#[test]
#[ignore = "writes into the source tree; only for a new format version"]
fn write_fixture() {
    let path = fixtures().join("v2");
    let store = Store::new(Disk::create(&path).unwrap());
    let manifest = store.write_stream(&stream()[..]).unwrap().write_manifest().unwrap().manifest;
    drop(store);
    fs::remove_dir(path.join("tmp")).unwrap();
    println!("{manifest}");
}
