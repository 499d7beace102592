//! Every kind of disk reads as QEMU reads it.

use std::process::Command;

use jingku_sources::DiskFormat::{Qcow2, Raw};
use jingku_sources::{Disk, DiskError};

use crate::qemu::{Bench, patch, read_straight};

const MIB: u64 = 1 << 20;

#[test]
fn raw() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.raw("even.raw", 5 * MIB);
    bench.raw("odd.raw", 5 * MIB + 123);
    bench.assert_same_as_qemu("even.raw", Raw);
    bench.assert_same_as_qemu("odd.raw", Raw);
}

#[test]
fn qcow2_versions_and_clusters() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.raw("disk.raw", 6 * MIB + 512);
    for options in [
        "compat=0.10",
        "compat=1.1",
        "compat=1.1,lazy_refcounts=on",
        "cluster_size=512",
        "cluster_size=4k",
        "cluster_size=2M",
        "preallocation=metadata",
        "preallocation=full",
        "refcount_bits=1",
    ] {
        bench.img(&["convert", "-f", "raw", "-O", "qcow2", "-o", options, "disk.raw", "disk.qcow2"]);
        bench.assert_same_as_qemu("disk.qcow2", Qcow2);
    }
}

#[test]
fn qcow2_compressed() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.raw("disk.raw", 6 * MIB + 512);
    for options in [
        "compat=0.10",
        "compression_type=zlib",
        "cluster_size=4k",
        "cluster_size=2M",
        // These need qemu-img.
        "compression_type=zstd",
        "compression_type=zstd,cluster_size=2M",
    ] {
        bench.img(&["convert", "-c", "-f", "raw", "-O", "qcow2", "-o", options, "disk.raw", "disk.qcow2"]);
        bench.assert_same_as_qemu("disk.qcow2", Qcow2);
    }
}

#[test]
fn qemu_only_features_are_converted_without_leftovers() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.raw("disk.raw", 3 * MIB);
    bench.img(&["convert", "-f", "raw", "-O", "qcow2", "-o", "extended_l2=on", "disk.raw", "disk.qcow2"]);
    bench.assert_same_as_qemu("disk.qcow2", Qcow2);

    // A dirty image: not closed properly, its reference counts may be wrong.
    bench.img(&["convert", "-f", "raw", "-O", "qcow2", "-o", "lazy_refcounts=on", "disk.raw", "dirty.qcow2"]);
    patch(&bench.path("dirty.qcow2"), 79, &[1]);
    assert!(read_straight(&mut bench.open("dirty.qcow2")) == std::fs::read(bench.path("disk.raw")).unwrap());

    // An overlay of such an image on a raw disk: qemu-img gets every layer.
    bench.img(&[
        "create",
        "-f",
        "qcow2",
        "-b",
        "disk.raw",
        "-F",
        "raw",
        "-o",
        "extended_l2=on",
        "middle.qcow2",
    ]);
    bench.io("middle.qcow2", "qcow2", &["write -P 7 10k 3k"]);
    bench.img(&["create", "-f", "qcow2", "-b", "middle.qcow2", "-F", "qcow2", "top.qcow2"]);
    bench.io("top.qcow2", "qcow2", &["write -P 8 2M 5k"]);
    bench.assert_same_as_qemu("top.qcow2", Qcow2);

    // No character of a path has a meaning to qemu-img.
    let odd = bench.path("-o 镜,a=\"b\":c\n.qcow2");
    std::fs::rename(bench.path("disk.qcow2"), &odd).unwrap();
    let mut reader = Disk::inspect(&odd, None).unwrap().open(bench.dir.path()).unwrap();
    assert!(read_straight(&mut reader) == std::fs::read(bench.path("disk.raw")).unwrap());

    let names = std::fs::read_dir(bench.dir.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().contains("jingku")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn backing_chains() {
    let Some(bench) = Bench::with_qemu() else { return };
    // Bottom: raw, and a multiple of neither a cluster nor a sector.
    bench.raw("base.raw", 2 * MIB + 1000);
    // The overlays grow: they read as zeros beyond the end of a lower layer.
    bench.img(&["create", "-f", "qcow2", "-b", "base.raw", "-F", "raw", "middle.qcow2", "5M"]);
    bench.io("middle.qcow2", "qcow2", &["write -P 65 1M 100k", "write -z 0 200k", "write -P 66 4M 1000"]);
    bench.assert_same_as_qemu("middle.qcow2", Qcow2);

    bench.img(&[
        "create",
        "-f",
        "qcow2",
        "-b",
        "middle.qcow2",
        "-F",
        "qcow2",
        "-o",
        "cluster_size=4k",
        "top.qcow2",
        "7M",
    ]);
    bench.io(
        "top.qcow2",
        "qcow2",
        &["write -P 67 70k 3k", "write -z 1M 8k", "discard 300k 64k", "write -c -P 68 6M 4k"],
    );
    bench.assert_same_as_qemu("top.qcow2", Qcow2);

    // Smaller than its backing file.
    bench.img(&["create", "-f", "qcow2", "-b", "top.qcow2", "-F", "qcow2", "small.qcow2", "1500k"]);
    bench.assert_same_as_qemu("small.qcow2", Qcow2);

    // An overlay of an old tool, which does not declare the backing format.
    bench.img(&[
        "create",
        "-f",
        "qcow2",
        "-o",
        "compat=0.10",
        "-b",
        "middle.qcow2",
        "-F",
        "qcow2",
        "old.qcow2",
    ]);
    bench.img(&["rebase", "-u", "-b", "middle.qcow2", "-F", "qcow2", "old.qcow2"]);
    bench.io("old.qcow2", "qcow2", &["write -P 69 3M 100k"]);
    bench.assert_same_as_qemu("old.qcow2", Qcow2);
}

#[test]
fn active_state_of_an_image_with_internal_snapshots() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.raw("disk.raw", 3 * MIB);
    bench.img(&["convert", "-f", "raw", "-O", "qcow2", "disk.raw", "disk.qcow2"]);
    bench.img(&["snapshot", "-c", "before", "disk.qcow2"]);
    bench.io("disk.qcow2", "qcow2", &["write -P 9 0 1M", "discard 2M 512k"]);
    bench.assert_same_as_qemu("disk.qcow2", Qcow2);
}

#[test]
fn missing_qemu_img_is_reported() {
    // This test runs itself again, in a process that finds no programs.
    if let Some(path) = std::env::var_os("DISK_WITHOUT_QEMU_IMG") {
        let path = std::path::PathBuf::from(path);
        let err = Disk::inspect(&path, None).unwrap().open(path.parent().unwrap()).unwrap_err();
        assert!(matches!(err, DiskError::Converter { .. }));
        assert!(err.to_string().contains("qemu-img is not installed; install it"), "{err}");
        return;
    }
    let Some(bench) = Bench::with_qemu() else { return };
    bench.img(&["create", "-f", "qcow2", "-o", "extended_l2=on", "disk.qcow2", "1M"]);
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "bytes::missing_qemu_img_is_reported"])
        .env("PATH", "")
        .env("DISK_WITHOUT_QEMU_IMG", bench.path("disk.qcow2"))
        .status()
        .unwrap();
    assert!(status.success());
}
