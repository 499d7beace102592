//! Hostile images are refused or read correctly, without panic, endless loops or much memory.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use jingku_sources::DiskFormat::Qcow2;
use jingku_sources::{Disk, DiskError};
use proptest::prelude::*;

use crate::qemu::{Bench, patch, read_by_ranges};

/// More than a small image can contain: large claims do not slow the test.
const READ_BYTES_MAX: u64 = 32 << 20;

/// Inspects, opens and reads an image to the end. Only termination matters.
fn walk(path: &Path) -> Result<u64, DiskError> {
    let disk = Disk::inspect(path, Some(Qcow2))?;
    let reader = disk.open(path.parent().unwrap())?;
    let (mut at, mut sum) = (0, 0);
    let mut buf = vec![0; 64 << 10];
    while let Some(range) = reader.next_data(at)? {
        if sum > READ_BYTES_MAX {
            break;
        }
        let len = (range.end - range.start).min(buf.len() as u64);
        reader.read_exact_at(range.start, &mut buf[..len as usize])?;
        sum += len;
        at = range.start + len;
    }
    Ok(sum)
}

/// Offsets of the L1 table and of the only L2 table.
fn tables(image: &[u8]) -> (u64, u64) {
    let field = |at: usize| u64::from_be_bytes(image[at..at + 8].try_into().unwrap());
    let l1 = field(40);
    (l1, field(l1 as usize) & 0x00ff_ffff_ffff_fe00)
}

#[test]
fn crafted_headers_are_refused() {
    let Some(bench) = Bench::with_qemu() else { return };
    let small = bench.small_image();
    assert_eq!(walk(&bench.path("small.qcow2")).unwrap(), (64 + 8 + 4) << 10);
    let path = bench.path("crafted.qcow2");
    let u32 = u32::to_be_bytes;
    let u64 = u64::to_be_bytes;
    let crafted: &[(&str, u64, &[u8], &str)] = &[
        ("version 9", 4, &u32(9), "version 9 is not known"),
        ("clusters of 2^31", 20, &u32(31), "clusters of 2^31"),
        ("clusters of 2^255", 20, &u32(255), "clusters of 2^255"),
        ("clusters of 2^0", 20, &u32(0), "clusters of 2^0"),
        ("size of zero", 24, &u64(0), "size of zero"),
        ("absurd size", 24, &u64(u64::MAX), "does not cover"),
        ("encrypted with AES", 32, &u32(1), "encrypted"),
        ("encrypted with LUKS", 32, &u32(2), "encrypted"),
        ("first table of 32 GiB", 36, &u32(u32::MAX), "the limit is 33554432"),
        ("first table of nothing", 36, &u32(0), "does not cover"),
        ("first table nowhere", 40, &u64(!0xfff), "outside the file"),
        ("first table unaligned", 40, &u64(0x1001), "not aligned"),
        ("corrupt", 72, &u64(2), "marked it as corrupt"),
        ("external data", 72, &u64(4), "in another file"),
        ("unknown feature", 72, &u64(1 << 63), "not known"),
        ("header of 0 bytes", 100, &u32(0), "0 bytes long"),
        ("header of 4 GiB", 100, &u32(u32::MAX), "4294967295 bytes long"),
        ("feature names of one byte", 112, b"\x68\x03\xf8\x57\0\0\0\x01", "feature names is cut off"),
    ];
    for (what, offset, bytes, why) in crafted {
        fs::write(&path, &small).unwrap();
        patch(&path, *offset, bytes);
        let refused = walk(&path).unwrap_err().to_string();
        assert!(refused.contains(why), "{what}: {refused}");
    }
}

#[test]
fn crafted_backing_names_are_refused() {
    let Some(bench) = Bench::with_qemu() else { return };
    let small = bench.small_image();
    let path = bench.path("crafted.qcow2");
    for (offset, len, why) in [
        (0x200_u64, 1024_u32, "the limit is 1023"),
        (0x200, u32::MAX, "the limit is 1023"),
        (4096 - 10, 11, "outside the header"),
        (u64::MAX, 5, "outside the header"),
        (0x200, 5, "\0"),
    ] {
        fs::write(&path, &small).unwrap();
        patch(&path, 8, &offset.to_be_bytes());
        patch(&path, 16, &len.to_be_bytes());
        let refused = walk(&path).unwrap_err().to_string();
        assert!(refused.contains(why), "{offset} {len}: {refused}");
    }
}

#[test]
fn tables_outside_the_file_are_refused() {
    let Some(bench) = Bench::with_qemu() else { return };
    let small = bench.small_image();
    let path = bench.path("crafted.qcow2");
    let (l1, l2) = tables(&small);
    let copied = 1_u64 << 63;
    let outside = (small.len() as u64).next_multiple_of(4096) + 4096;
    for (what, at, entry) in [
        ("first table to the outside", l1, copied | outside),
        ("first table far outside", l1, copied | 0x00ff_ffff_ffff_f000),
        ("first table unaligned", l1, copied | 0x200),
        ("second table to the outside", l2, copied | outside),
        ("second table far outside", l2, copied | 0x00ff_ffff_ffff_f000),
        ("second table unaligned", l2, copied | 0x200),
        ("compressed data outside", l2, (1 << 62) | outside),
    ] {
        fs::write(&path, &small).unwrap();
        patch(&path, at, &entry.to_be_bytes());
        let refused = walk(&path);
        assert!(matches!(refused, Err(DiskError::Damaged { .. })), "{what}: {refused:?}");
    }

    // Tables that reference themselves also end: there are only two levels.
    for (at, target) in [(l1, l1), (l2, l2), (l2, l1), (l2, 0)] {
        fs::write(&path, &small).unwrap();
        patch(&path, at, &(copied | target).to_be_bytes());
        let _ = walk(&path);
    }
}

#[test]
fn truncated_file_is_not_a_shorter_disk() {
    let Some(bench) = Bench::with_qemu() else { return };
    let small = bench.small_image();
    let path = bench.path("cut.qcow2");
    for len in (0..small.len() - 4096).step_by(1000) {
        fs::write(&path, &small[..len]).unwrap();
        assert!(walk(&path).is_err(), "cut to {len} of {}", small.len());
    }
}

#[test]
fn large_claimed_sizes_cost_little() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.img(&["create", "-f", "qcow2", "-o", "cluster_size=2M", "claim.qcow2", "64T"]);
    bench.img(&["create", "-f", "qcow2", "-o", "cluster_size=512", "fine.qcow2", "128G"]);
    bench.img(&["create", "-f", "qcow2", "-o", "cluster_size=2M", "over.qcow2", "65T"]);
    for name in ["claim.qcow2", "fine.qcow2"] {
        let started = Instant::now();
        assert_eq!(walk(&bench.path(name)).unwrap(), 0);
        assert!(started.elapsed() < Duration::from_secs(10), "{name}: {:?}", started.elapsed());
    }
    let over = walk(&bench.path("over.qcow2")).unwrap_err().to_string();
    assert!(over.contains("the limit is 70368744177664"), "{over}");
}

#[test]
fn flipped_bytes_do_no_harm() {
    let Some(bench) = Bench::with_qemu() else { return };
    let small = bench.small_image();
    let path = bench.path("flipped.qcow2");
    let (l1, l2) = tables(&small);
    // Flips in the L2 table have the most effect: they move, compress or overlap data.
    let place = prop_oneof![
        8..112_usize,
        l1 as usize..l1 as usize + 8,
        l2 as usize..l2 as usize + 64 * 8,
        l2 as usize..l2 as usize + 4096,
        0..small.len(),
    ];
    let flips = prop::collection::vec((place, any::<u8>()), 1..6);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&flips, |flips| {
            let mut bytes = small.clone();
            for (at, mask) in flips {
                bytes[at] ^= mask;
            }
            fs::write(&path, &bytes).unwrap();
            let started = Instant::now();
            let walked = walk(&path);
            prop_assert!(started.elapsed() < Duration::from_secs(20));
            // Both readers agree on what both can read.
            if walked.is_ok_and(|sum| sum < READ_BYTES_MAX)
                && let Some(expected) = bench.bytes_to_qemu("flipped.qcow2")
            {
                let ours = read_by_ranges(&mut bench.open("flipped.qcow2"));
                // QEMU ignores the bytes after the last whole sector of a qcow2 image.
                prop_assert!(expected.len() == ours.len() / 512 * 512 && ours.starts_with(&expected));
            }
            Ok(())
        })
        .unwrap();
}
