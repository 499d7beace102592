//! No byte is lost at the end of a disk of any size, from us to QEMU and back.

use std::fs;

use jingku_sources::{Disk, DiskFormat, DiskReader, Qcow2Writer, open_untrusted};

use crate::qemu::{Bench, patch, read_by_ranges, read_straight};

const SECTOR: u64 = 512;
const CLUSTER: u64 = 64 << 10;
const CHUNK: u64 = 256 << 10;
const SIZE_MAX: u64 = 1000 << 30;

/// Sizes next to every unit: bytes, sectors, clusters, chunks, and one from a bug report.
fn sizes() -> Vec<u64> {
    let beside = [SECTOR, 4096, CLUSTER, CHUNK].into_iter().flat_map(|unit| [unit - 1, unit, unit + 1]);
    [1, 2, 1_000_001, CHUNK + SECTOR - 1, 3 * CHUNK - SECTOR - 1].into_iter().chain(beside).collect()
}

/// Nonzero bytes; the last one differs from the others.
fn bytes(size: u64) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8 + 1).collect();
    *bytes.last_mut().unwrap() = 0xff;
    bytes
}

fn write_qcow2(bench: &Bench, name: &str, disk: &[u8], piece: usize) {
    let mut writer = Qcow2Writer::create(&bench.path(name), disk.len() as u64).unwrap();
    for (index, piece_bytes) in disk.chunks(piece).enumerate() {
        writer.write_at((index * piece) as u64, piece_bytes).unwrap();
    }
    writer.finish().unwrap();
}

/// The bytes of a reader, equal for both ways of reading.
fn content(mut reader: DiskReader) -> Vec<u8> {
    let content = read_straight(&mut reader);
    assert!(content == read_by_ranges(&mut reader));
    content
}

fn padded(mut disk: Vec<u8>) -> Vec<u8> {
    disk.resize(disk.len().next_multiple_of(SECTOR as usize), 0);
    disk
}

#[test]
fn what_we_write_keeps_its_end() {
    for size in sizes() {
        let Some(bench) = Bench::with_qemu() else { return };
        let disk = bytes(size);
        fs::write(bench.path("disk.raw"), &disk).unwrap();
        for (name, piece) in [("whole.qcow2", disk.len()), ("pieces.qcow2", 100_003)] {
            write_qcow2(&bench, name, &disk, piece);
            bench.img(&["check", "-f", "qcow2", name]);
            assert!(bench.bytes_to_qemu(name).unwrap() == padded(disk.clone()), "{size}: {name} to QEMU");
            bench.img(&["compare", "-f", "raw", "-F", "qcow2", "disk.raw", name]);
            // Imported again.
            let back = content(open_untrusted(&bench.path(name), SIZE_MAX, None).unwrap());
            assert!(back == padded(disk.clone()), "{size}: {name} to us");
        }
    }
}

/// Other programs write disks with a partial last sector. QEMU ignores it; we do not.
#[test]
fn qcow2_of_any_size_is_read_completely() {
    for size in sizes() {
        let Some(bench) = Bench::with_qemu() else { return };
        let disk = bytes(size);
        for (name, options) in [("plain.qcow2", &[][..]), ("packed.qcow2", &["-c"])] {
            fs::write(bench.path("disk.raw"), &disk).unwrap();
            bench.img(&[&["convert", "-f", "raw", "-O", "qcow2"], options, &["disk.raw", name]].concat());
            patch(&bench.path(name), 24, &size.to_be_bytes());
            let alone = content(open_untrusted(&bench.path(name), SIZE_MAX, None).unwrap());
            assert!(alone == disk, "{size}: {name} imported");
            let declared = Disk::inspect(&bench.path(name), None).unwrap();
            assert_eq!(declared.size_bytes, size);
            assert!(content(declared.open(bench.dir.path()).unwrap()) == disk, "{size}: {name} declared");
        }
    }
}

#[test]
fn overlay_of_another_size_keeps_both_ends() {
    for size in sizes() {
        let Some(bench) = Bench::with_qemu() else { return };
        let disk = bytes(size);
        fs::write(bench.path("base.raw"), &disk).unwrap();
        let rounded = size.next_multiple_of(SECTOR);
        for top in [rounded + 3 * SECTOR, rounded + CLUSTER, rounded.saturating_sub(SECTOR).max(SECTOR)] {
            let top = top.to_string();
            bench.img(&["create", "-f", "qcow2", "-b", "base.raw", "-F", "raw", "middle.qcow2", &top]);
            bench.assert_same_as_qemu("middle.qcow2", DiskFormat::Qcow2);
            // A layer in between that is shorter than both: nothing below shows through beyond its end.
            let wide = (rounded + 2 * CLUSTER).to_string();
            bench.img(&["create", "-f", "qcow2", "-b", "middle.qcow2", "-F", "qcow2", "top.qcow2", &wide]);
            bench.assert_same_as_qemu("top.qcow2", DiskFormat::Qcow2);
        }
    }
}

/// What only QEMU reads must be read whole: if it would ignore the end, nothing is read.
#[test]
fn what_qemu_img_would_cut_is_refused() {
    for (name, options) in [
        ("zstd.qcow2", &["-c", "-o", "compression_type=zstd"][..]),
        ("subclusters.qcow2", &["-o", "extended_l2=on"]),
    ] {
        let Some(bench) = Bench::with_qemu() else { return };
        let disk = bytes(1_000_001);
        fs::write(bench.path("disk.raw"), &disk).unwrap();
        bench.img(&[&["convert", "-f", "raw", "-O", "qcow2"], options, &["disk.raw", name]].concat());
        let declared = Disk::inspect(&bench.path(name), None).unwrap();
        assert!(content(declared.open(bench.dir.path()).unwrap()) == padded(disk));
        // An overlay of whole sectors does not help.
        bench.img(&["create", "-f", "qcow2", "-b", name, "-F", "qcow2", "top.qcow2", "2M"]);
        let overlay = Disk::inspect(&bench.path("top.qcow2"), None).unwrap();
        patch(&bench.path(name), 24, &1_000_001_u64.to_be_bytes());
        for refused in [
            Disk::inspect(&bench.path(name), None).unwrap_err(),
            Disk::inspect(&bench.path("top.qcow2"), None).unwrap_err(),
            overlay.open(bench.dir.path()).unwrap_err(),
        ] {
            assert!(refused.to_string().contains("not a multiple of 512"), "{refused}");
        }
    }
}
