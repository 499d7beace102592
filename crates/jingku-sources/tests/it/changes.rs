//! A disk is not copied while somebody writes to it.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use jingku_sources::{Disk, DiskError};

use crate::qemu::{Bench, patch};

#[test]
fn a_write_and_a_replacement_are_noticed() {
    let bench = Bench::new();
    bench.raw("disk.raw", 1 << 20);
    let reader = bench.open("disk.raw");
    reader.unchanged().unwrap();
    // File times advance in ticks of the kernel.
    sleep(Duration::from_millis(20));
    patch(&bench.path("disk.raw"), 5, b"x");
    assert!(matches!(reader.unchanged(), Err(DiskError::Changed { .. })));

    // As `touch -d` and `rsync --times` do.
    let reader = bench.open("disk.raw");
    let modified = fs::metadata(bench.path("disk.raw")).unwrap().modified().unwrap();
    sleep(Duration::from_millis(20));
    patch(&bench.path("disk.raw"), 5, b"y");
    fs::File::options().write(true).open(bench.path("disk.raw")).unwrap().set_modified(modified).unwrap();
    assert!(matches!(reader.unchanged(), Err(DiskError::Changed { .. })));

    let reader = bench.open("disk.raw");
    fs::copy(bench.path("disk.raw"), bench.path("copy.raw")).unwrap();
    fs::rename(bench.path("copy.raw"), bench.path("disk.raw")).unwrap();
    assert!(matches!(reader.unchanged(), Err(DiskError::Changed { .. })));

    let reader = bench.open("disk.raw");
    fs::remove_file(bench.path("disk.raw")).unwrap();
    assert!(matches!(reader.unchanged(), Err(DiskError::Changed { .. })));
}

#[test]
fn write_to_any_layer_is_detected() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.raw("base.raw", 1 << 20);
    bench.img(&["create", "-f", "qcow2", "-b", "base.raw", "-F", "raw", "-o", "extended_l2=on", "top.qcow2"]);
    // Also if the bytes come from a copy.
    let reader = bench.open("top.qcow2");
    sleep(Duration::from_millis(20));
    patch(&bench.path("base.raw"), 5, b"x");
    assert!(matches!(reader.unchanged(), Err(DiskError::Changed { .. })));
}

#[test]
fn disk_open_in_qemu_is_in_use() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.raw("disk.raw", 1 << 20);
    let disk = Disk::inspect(&bench.path("disk.raw"), None).unwrap();

    for (read_only, in_use) in [(false, true), (true, false)] {
        // qemu-io opens the disk as a machine does, until its input ends.
        let mut holder = Command::new("qemu-io")
            .args(if read_only { &["-r", "-f", "raw"][..] } else { &["-f", "raw"] })
            .arg(bench.path("disk.raw"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(if in_use { 10 } else { 1 });
        let mut seen = false;
        while !seen && Instant::now() < deadline {
            seen = matches!(disk.open(bench.dir.path()), Err(DiskError::InUse { .. }));
            sleep(Duration::from_millis(10));
        }
        assert_eq!(seen, in_use, "read only: {read_only}");
        holder.stdin.take().unwrap().write_all(b"quit\n").unwrap();
        holder.wait().unwrap();
        disk.open(bench.dir.path()).unwrap();
    }
}
