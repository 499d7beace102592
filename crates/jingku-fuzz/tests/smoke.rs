//! Every target on its corpus and on changes to it.
//!
//! `JINGKU_FUZZ_CASES` sets the number of changed inputs per target (1000), `JINGKU_FUZZ_SEED` the first seed (1).
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use jingku_fuzz::{Mutations, TARGETS, corpus};

/// The longest time for an input, on a busy machine.
const CASE_MAX: Duration = Duration::from_secs(10);
/// The most memory of the process: the largest chunk a few times, tables of qcow2 images, and the corpus.
const MEMORY_BYTES_MAX: u64 = 512 << 20;

fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// Tests an input, and saves it to a file if it fails.
fn attempt(name: &str, run: fn(&[u8]), what: &str, input: &[u8]) {
    let started = Instant::now();
    let ended = catch_unwind(|| run(input));
    if ended.is_err() || started.elapsed() > CASE_MAX {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{what}"));
        fs::write(&file, input).unwrap();
        panic!("{name}, {what}, {:?}: saved as {}", started.elapsed(), file.display());
    }
}

fn smoke(name: &str) {
    let (seed, cases) = (number("JINGKU_FUZZ_SEED", 1), number("JINGKU_FUZZ_CASES", 1000));
    let target = TARGETS.iter().find(|target| target.name == name).unwrap();
    let named = corpus::read(name).unwrap();
    assert!(named.len() >= 5, "{name} has no corpus");
    for (what, input) in &named {
        attempt(name, target.run, what, input);
    }
    let inputs: Vec<Vec<u8>> = named.into_iter().map(|(_, input)| input).collect();
    let started = Instant::now();
    for case in 0..cases {
        // A seed for each, so that each can be repeated alone.
        let seed = seed.wrapping_add(case);
        let input = Mutations::new(seed).next(&inputs);
        attempt(name, target.run, &format!("seed-{seed}"), &input);
    }
    println!(
        "{name}: {} inputs, {cases} changes from seed {seed} in {:.1?}",
        inputs.len(),
        started.elapsed()
    );
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak * 1024 < MEMORY_BYTES_MAX, "{name} used {peak} kB");
}

#[test]
fn archive() {
    smoke("archive");
}

#[test]
fn chunk() {
    smoke("chunk");
}

#[test]
fn disk() {
    smoke("disk");
}

#[test]
fn manifest() {
    smoke("manifest");
}

#[test]
fn qcow2() {
    smoke("qcow2");
}

#[test]
fn request() {
    smoke("request");
}

#[test]
fn tree() {
    smoke("tree");
}

#[test]
fn every_target_has_a_smoke_test_a_program_and_a_corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(fuzz.join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    let targets: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(targets, names("fuzz_targets"));
    assert_eq!(targets, names("corpus"));
    let smoke = include_str!("smoke.rs");
    assert!(targets.iter().all(|name| smoke.contains(&format!("smoke(\"{name}\")"))));
    let manifest = fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    assert!(targets.iter().all(|name| manifest.contains(&format!("name = \"{name}\""))));
}

#[test]
fn hostile_manifests_are_refused_and_others_opened() {
    use jingku_chunks::{Backend, Existing, Key, ManifestId, Memory, Store};
    for (name, object) in corpus::read("manifest").unwrap() {
        let id = ManifestId(object.last_chunk().copied().unwrap_or_default());
        let backend = Memory::new();
        backend.put(Key::Manifest(id), &object, Existing::Replace).unwrap();
        let opened = Store::new(backend).open_manifest(id);
        assert_eq!(opened.is_err(), name.starts_with("hostile"), "{name}");
    }
}

/// So that changes to them get past the first checks.
#[test]
fn valid_images_are_read() {
    use jingku_sources::{Disk, DiskFormat};
    for (name, image) in corpus::read("qcow2").unwrap() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(&name);
        fs::write(&path, image).unwrap();
        let read = Disk::inspect(&path, Some(DiskFormat::Qcow2)).and_then(|disk| {
            let reader = disk.open(folder.path())?;
            let (mut at, mut sum) = (0, 0);
            while let Some(range) = reader.next_data(at)? {
                let mut piece = vec![0; usize::try_from(range.end - range.start).unwrap()];
                reader.read_exact_at(range.start, &mut piece)?;
                sum += piece.iter().filter(|byte| **byte != 0).count();
                at = range.end;
            }
            Ok(sum)
        });
        let expected = match name.as_str() {
            "compressed-and-zeros" => (8 + 4 + 4 + 4) << 10,
            "clusters-of-512" => 1024 + 384,
            "version-2" => 4096,
            "nothing-of-a-tib" => 0,
            _ => continue,
        };
        assert_eq!(read.unwrap(), expected, "{name}");
    }
}
