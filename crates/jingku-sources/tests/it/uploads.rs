//! Untrusted files: valid disks are read, hostile ones are refused, in bounded time and memory.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use jingku_sources::{DiskError, Packing, Unpacked, open_untrusted, packing, unpack};
use proptest::prelude::*;

use crate::qemu::{Bench, patch, read_by_ranges, read_straight};

const SIZE_MAX: u64 = 1000 << 30;
const MASK: u64 = 0x00ff_ffff_ffff_fe00;
const COPIED: u64 = 1 << 63;
const COMPRESSED: u64 = 1 << 62;

fn refused(path: &Path) -> String {
    let started = Instant::now();
    let error = open_untrusted(path, SIZE_MAX, None).unwrap_err().to_string();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    error
}

fn field(image: &[u8], at: u64) -> u64 {
    u64::from_be_bytes(image[at as usize..at as usize + 8].try_into().unwrap())
}

#[test]
fn qemu_images_read_as_in_qemu() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.raw("source.raw", (3 << 20) + 512);
    let small = bench.small_image();
    for (name, options) in [
        ("plain.qcow2", &[][..]),
        ("packed.qcow2", &["-c"]),
        ("old.qcow2", &["-o", "compat=0.10"]),
        ("fine.qcow2", &["-c", "-o", "cluster_size=512"]),
        ("coarse.qcow2", &["-c", "-o", "cluster_size=2M"]),
        ("metadata.qcow2", &["-o", "preallocation=metadata"]),
    ] {
        bench.img(&[&["convert", "-f", "raw", "-O", "qcow2"], options, &["source.raw", name]].concat());
    }
    bench.img(&["create", "-f", "qcow2", "snapshots.qcow2", "1M"]);
    bench.io("snapshots.qcow2", "qcow2", &["write -P 1 0 512k"]);
    bench.img(&["snapshot", "-c", "before", "snapshots.qcow2"]);
    bench.io("snapshots.qcow2", "qcow2", &["write -P 2 100k 100k"]);
    fs::write(bench.path("small.qcow2"), small).unwrap();
    for name in ["plain", "packed", "old", "fine", "coarse", "metadata", "snapshots", "small"]
        .map(|name| format!("{name}.qcow2"))
    {
        let mut reader = open_untrusted(&bench.path(&name), SIZE_MAX, None)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = bench.bytes_to_qemu(&name).unwrap();
        assert!(read_straight(&mut reader) == expected, "{name}");
        assert!(read_by_ranges(&mut reader) == expected, "{name}");
    }
}

#[test]
fn misplaced_tables_are_refused() {
    let Some(bench) = Bench::with_qemu() else { return };
    let small = bench.small_image();
    let path = bench.path("crafted.qcow2");
    let l1 = field(&small, 40);
    let l2 = field(&small, l1) & MASK;
    let data = field(&small, l2) & MASK;
    let packed = field(&small, l2 + 16 * 8);
    assert_ne!(packed & COMPRESSED, 0);
    let packed_at = packed & ((1 << 58) - 1) & !0xfff;
    let outside = (small.len() as u64).next_multiple_of(4096) + (1 << 20);
    for (what, at, entry, why) in [
        ("first table as second", l1, COPIED | l1, "same place"),
        ("reference counts as second table", l1, COPIED | field(&small, 48), "same place"),
        ("second table as data", l2, COPIED | l2, "same place"),
        ("first table as data", l2, COPIED | l1, "same place"),
        ("data twice", l2 + 8, COPIED | data, "same place"),
        ("zeros in the place of data", l2 + 30 * 8, data | 1, "same place"),
        ("data in compressed data", l2 + 8, COPIED | packed_at, "same place"),
        ("compressed data in a table", l2 + 8, COMPRESSED | l2, "same place"),
        ("second table outside", l1, COPIED | outside, "past the end"),
        ("data outside", l2, COPIED | outside, "past the end"),
        ("data far outside", l2, COPIED | MASK & !0xfff, "past the end"),
        ("data unaligned", l2, COPIED | (data + 512), "not aligned"),
        ("compressed data outside", l2, COMPRESSED | outside, "past the end"),
    ] {
        fs::write(&path, &small).unwrap();
        patch(&path, at, &entry.to_be_bytes());
        let refused = refused(&path);
        assert!(refused.contains(why), "{what}: {refused}");
    }
}

/// A file of a few clusters that claims a terabyte of data.
#[test]
fn small_file_cannot_pose_as_a_large_disk() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.img(&["create", "-f", "qcow2", "claim.qcow2", "900G"]);
    bench.io("claim.qcow2", "qcow2", &["write -c -P 1 0 64k"]);
    let path = bench.path("claim.qcow2");
    let bytes = fs::read(&path).unwrap();
    assert_eq!(open_untrusted(&path, SIZE_MAX, None).unwrap().len(), 900 << 30);
    assert!(
        open_untrusted(&path, 899 << 30, None)
            .unwrap_err()
            .to_string()
            .contains("its disk has 900 GB; an image may have 899")
    );
    let l1 = field(&bytes, 40);
    let (first, l2) = (field(&bytes, l1), field(&bytes, l1) & MASK);
    patch(&path, l1, &first.to_be_bytes().repeat(1000));
    assert!(refused(&path).contains("same place"));
    // A table full of one compressed cluster: more than a file of its length can contain.
    fs::write(&path, &bytes).unwrap();
    patch(&path, l2, &field(&bytes, l2).to_be_bytes().repeat(8192));
    assert!(refused(&path).contains("more compressed data than fits"));
}

#[test]
fn table_limits_are_reported_cheaply() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.img(&["create", "-f", "qcow2", "-o", "cluster_size=512", "fine.qcow2", "100G"]);
    let path = bench.path("fine.qcow2");
    let started = Instant::now();
    open_untrusted(&path, SIZE_MAX, None).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_len(100 << 30).unwrap();
    assert!(refused(&path).contains("cluster_size=65536"));
    bench.img(&["create", "-f", "qcow2", "-o", "cluster_size=2M", "large.qcow2", "1000G"]);
    assert_eq!(open_untrusted(&bench.path("large.qcow2"), SIZE_MAX, None).unwrap().len(), 1000 << 30);
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn flipped_bytes_do_no_harm() {
    let Some(bench) = Bench::with_qemu() else { return };
    let small = bench.small_image();
    let path = bench.path("flipped.qcow2");
    let l1 = field(&small, 40) as usize;
    let l2 = (field(&small, l1 as u64) & MASK) as usize;
    let place = prop_oneof![8..112_usize, l1..l1 + 8, l2..l2 + 64 * 8, l2..l2 + 4096, 0..small.len()];
    let flips = prop::collection::vec((place, any::<u8>()), 1..6);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 600,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let read = |path: &Path| {
        let reader = open_untrusted(path, 8 << 20, None)?;
        let (mut at, mut buf) = (0, vec![0; 64 << 10]);
        while let Some(range) = reader.next_data(at)? {
            let len = (range.end - range.start).min(buf.len() as u64);
            reader.read_exact_at(range.start, &mut buf[..len as usize])?;
            at = range.start + len;
        }
        Ok::<_, DiskError>(())
    };
    runner
        .run(&flips, |flips| {
            let mut bytes = small.clone();
            for (at, mask) in flips {
                bytes[at] ^= mask;
            }
            fs::write(&path, &bytes).unwrap();
            let started = Instant::now();
            let _ = read(&path);
            prop_assert!(started.elapsed() < Duration::from_secs(10));
            Ok(())
        })
        .unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn decompression_bomb_stops_at_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let (path, into) = (folder.path().join("bomb"), folder.path().join("unpacked"));
    let zeros = vec![0; 100 << 20];
    for (bomb, kind) in
        [(gzip(&zeros), Packing::Gzip), (zstd::encode_all(&*zeros, 19).unwrap(), Packing::Zstd)]
    {
        fs::write(&path, &bomb).unwrap();
        assert_eq!(packing(&path).unwrap(), Some(kind));
        let proceed = |read: Unpacked| {
            assert!(read.packed_bytes <= bomb.len() as u64 && read.data_bytes == 0, "{read:?}");
            Ok::<_, DiskError>(())
        };
        let error = unpack(&path, kind, &into, 64 << 20, proceed).unwrap_err();
        assert!(error.to_string().contains("more than 0 GB when unpacked"), "{error}");
        unpack(&path, kind, &into, 100 << 20, proceed).unwrap();
        let unpacked = into.metadata().unwrap();
        assert_eq!(unpacked.len(), 100 << 20);
        assert!(std::os::unix::fs::MetadataExt::blocks(&unpacked) * 512 < 1 << 20, "zeros take room");
        // It stops on request.
        let stop = |_| Err(DiskError::Changed(path.clone()));
        assert!(matches!(unpack(&path, kind, &into, 100 << 20, stop), Err(DiskError::Changed { .. })));
    }
}

/// Every place where a qcow2 may be truncated: refused, or the same disk if nothing needed is missing.
#[test]
fn a_cut_qcow2_is_never_taken_for_a_whole_one() {
    let Some(bench) = Bench::with_qemu() else { return };
    // Not whole clusters, so that the last one may be short.
    bench.raw("source.raw", (1 << 20) + 512);
    for (name, options) in [
        ("plain.qcow2", &[][..]),
        ("packed.qcow2", &["-c"]),
        ("old.qcow2", &["-o", "compat=0.10"]),
        ("fine.qcow2", &["-o", "cluster_size=512"]),
    ] {
        bench.img(&[&["convert", "-f", "raw", "-O", "qcow2"], options, &["source.raw", name]].concat());
    }
    fs::write(bench.path("small.qcow2"), bench.small_image()).unwrap();
    // QEMU ends this one in the middle of a sector.
    bench.img(&["create", "-f", "qcow2", "ragged.qcow2", "1M"]);
    bench.io("ragged.qcow2", "qcow2", &["write -c -P 7 0 64k"]);
    let mut refused_cuts = 0;
    for name in ["plain", "packed", "old", "fine", "small", "ragged"].map(|name| format!("{name}.qcow2")) {
        let path = bench.path(&name);
        let whole = fs::read(&path).unwrap();
        let expected = read_straight(&mut open_untrusted(&path, SIZE_MAX, None).unwrap());
        let near_the_end = (1..40).chain((40..1500).step_by(13)).map(|cut| whole.len().saturating_sub(cut));
        for len in near_the_end.chain((0..whole.len()).step_by(30_011)).filter(|len| *len > 0) {
            fs::write(&path, &whole[..len]).unwrap();
            match open_untrusted(&path, SIZE_MAX, None) {
                Err(_) => refused_cuts += 1,
                Ok(mut reader) => {
                    assert!(read_straight(&mut reader) == expected, "{name} cut to {len} of {}", whole.len());
                }
            }
        }
        fs::write(&path, whole).unwrap();
    }
    assert!(refused_cuts > 400, "{refused_cuts}");
}
