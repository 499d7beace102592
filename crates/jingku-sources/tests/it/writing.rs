//! QEMU and other tools read what we write.

use std::fs;
use std::process::Command;

use jingku_sources::demo::{DEMO_DISK_BYTES, write_demo_disk};
use jingku_sources::{DiskFormat, Qcow2Writer};

use crate::qemu::{Bench, data_bytes, read_straight};

#[test]
fn copied_disk_is_equal_for_qemu() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.raw("disk.raw", 20 << 20);
    let reader = bench.open("disk.raw");
    let mut writer = Qcow2Writer::create(&bench.path("copy.qcow2"), reader.len()).unwrap();
    let (mut at, mut buf) = (0, vec![0; 100_000]);
    while let Some(range) = reader.next_data(at).unwrap() {
        let len = (range.end - range.start).min(buf.len() as u64);
        let piece = &mut buf[..usize::try_from(len).unwrap()];
        reader.read_exact_at(range.start, piece).unwrap();
        writer.write_at(range.start, piece).unwrap();
        at = range.start + len;
    }
    assert!(!bench.path("copy.qcow2").exists(), "no file has the name before it is complete");
    writer.finish().unwrap();
    bench.img(&["check", "-f", "qcow2", "copy.qcow2"]);
    bench.img(&["compare", "-f", "raw", "-F", "qcow2", "disk.raw", "copy.qcow2"]);
}

#[test]
fn empty_image_is_small_and_unfinished_one_is_removed() {
    let Some(bench) = Bench::with_qemu() else { return };
    Qcow2Writer::create(&bench.path("empty.qcow2"), 1 << 40).unwrap().finish().unwrap();
    bench.img(&["check", "-f", "qcow2", "empty.qcow2"]);
    assert!(fs::metadata(bench.path("empty.qcow2")).unwrap().len() < 1 << 20);
    assert!(Qcow2Writer::create(&bench.path("empty.qcow2"), 1 << 20).is_err());

    let mut writer = Qcow2Writer::create(&bench.path("dropped.qcow2"), 1 << 20).unwrap();
    writer.write_at(0, &[1; 4096]).unwrap();
    assert!(writer.write_at((1 << 20) - 1, &[1; 2]).is_err());
    drop(writer);
    assert_eq!(fs::read_dir(bench.dir.path()).unwrap().count(), 1);
}

#[test]
fn demo_disks_are_valid_and_reproducible() {
    let bench = Bench::new();
    write_demo_disk(&bench.path("demo.raw"), DiskFormat::Raw, 7).unwrap();
    write_demo_disk(&bench.path("demo.qcow2"), DiskFormat::Qcow2, 7).unwrap();
    write_demo_disk(&bench.path("other.raw"), DiskFormat::Raw, 8).unwrap();
    assert!(write_demo_disk(&bench.path("demo.raw"), DiskFormat::Raw, 7).is_err());

    let (mut raw, mut qcow2) = (bench.open("demo.raw"), bench.open("demo.qcow2"));
    assert_eq!(raw.len(), DEMO_DISK_BYTES);
    let bytes = read_straight(&mut raw);
    assert!(bytes == read_straight(&mut qcow2));
    assert!(data_bytes(&mut raw) < 12 << 20, "mostly holes");

    // Two seeds differ in a third of their data and share the rest.
    let other = read_straight(&mut bench.open("other.raw"));
    let differ = bytes.chunks(4096).zip(other.chunks(4096)).filter(|(a, b)| a != b).count() * 4096;
    assert!((2 << 20..4 << 20).contains(&differ), "{differ} bytes differ");
}

#[test]
fn file_system_tools_accept_the_demo_disk() {
    let bench = Bench::new();
    write_demo_disk(&bench.path("demo.raw"), DiskFormat::Raw, 7).unwrap();
    let volume = fs::read(bench.path("demo.raw")).unwrap().split_off(1 << 20);
    fs::write(bench.path("volume"), volume).unwrap();

    let tool = |program: &str, args: &[&str]| {
        let Ok(output) = Command::new(program).args(args).current_dir(&bench.dir).output() else {
            assert!(std::env::var_os("CI").is_none(), "{program} has to be installed in CI");
            println!("skipped: {program} is not installed");
            return None;
        };
        assert!(output.status.success(), "{program}: {output:?}");
        Some(String::from_utf8(output.stdout).unwrap())
    };
    tool("fsck.fat", &["-n", "volume"]);
    if let Some(readme) = tool("mtype", &["-i", "volume", "::README.TXT"]) {
        assert!(readme.starts_with("This is a demo disk of Jingku."));
    }
    if let Some(kind) = tool("file", &["demo.raw"]) {
        assert!(kind.contains("DOS/MBR boot sector; partition 1 : ID=0xe"), "{kind}");
    }
}
