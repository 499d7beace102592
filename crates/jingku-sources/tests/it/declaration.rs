//! What may be declared, and that nothing else is read later.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;

use jingku_sources::DiskFormat::{Qcow2, Raw};
use jingku_sources::{Disk, DiskError};

use crate::qemu::{Bench, patch};

/// Returns the message that refuses a disk, after checking its form.
fn refusal(bench: &Bench, name: &str) -> String {
    sentence(&Disk::inspect(&bench.path(name), None).expect_err(name))
}

fn sentence(err: &DiskError) -> String {
    let text = err.to_string();
    assert!(text.ends_with('.') && !text.contains("  "), "{text:?}");
    text
}

fn overlay(bench: &Bench, name: &str, below: &str, below_format: &str) {
    bench.img(&["create", "-f", "qcow2", "-b", below, "-F", below_format, name]);
}

#[test]
fn content_decides_not_the_name() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.raw("really-raw.qcow2", 4096);
    bench.img(&["create", "-f", "qcow2", "really-qcow2.raw", "1M"]);
    assert_eq!(Disk::inspect(&bench.path("really-raw.qcow2"), None).unwrap().layers[0].format, Raw);
    let disk = Disk::inspect(&bench.path("really-qcow2.raw"), None).unwrap();
    assert_eq!((disk.layers[0].format, disk.size_bytes), (Qcow2, 1 << 20));

    // An explicit format wins.
    let disk = Disk::inspect(&bench.path("really-qcow2.raw"), Some(Raw)).unwrap();
    assert_eq!(disk.size_bytes, fs::metadata(bench.path("really-qcow2.raw")).unwrap().len());
    assert!(Disk::inspect(&bench.path("really-raw.qcow2"), Some(Qcow2)).is_err());
}

#[test]
fn record_is_plain_json() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.raw("base.raw", 1 << 20);
    overlay(&bench, "top.qcow2", "base.raw", "raw");
    symlink(bench.path("top.qcow2"), bench.path("link")).unwrap();
    let disk = Disk::inspect(&bench.path("link"), None).unwrap();
    let expected = serde_json::json!({
        "layers": [
            { "path": bench.path("top.qcow2"), "format": "qcow2" },
            { "path": bench.path("base.raw"), "format": "raw" },
        ],
        "size_bytes": 1 << 20,
    });
    assert_eq!(serde_json::to_value(&disk).unwrap(), expected);
    assert_eq!(serde_json::from_value::<Disk>(expected).unwrap(), disk);
}

#[test]
fn only_regular_files_with_content_are_disks() {
    let bench = Bench::new();
    fs::create_dir(bench.path("folder")).unwrap();
    File::create(bench.path("empty")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, bench.path("pipe"), rustix::fs::FileType::Fifo, 0o600.into(), 0)
        .unwrap();
    fs::write(bench.path("foreign"), b"KDMV, and so on").unwrap();
    File::create(bench.path("huge")).unwrap().set_len(Disk::SIZE_BYTES_MAX / 8).unwrap();

    assert!(refusal(&bench, "missing").starts_with("There is no file at "));
    assert!(refusal(&bench, "folder").contains("it is a directory"));
    assert!(refusal(&bench, "empty").contains("it is empty"));
    assert!(refusal(&bench, "pipe").contains("it is a named pipe"));
    assert!(refusal(&bench, "foreign").contains("it looks like VMDK"));
    assert!(Disk::inspect(Path::new("/dev/null"), None).unwrap_err().to_string().contains("it is a device"));
    Disk::inspect(&bench.path("huge"), None).unwrap();
}

#[test]
fn chain_accepts_only_plain_files() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.raw("base.raw", 1 << 20);

    overlay(&bench, "a.qcow2", "base.raw", "raw");
    overlay(&bench, "b.qcow2", "a.qcow2", "qcow2");
    bench.img(&["rebase", "-u", "-b", "b.qcow2", "-F", "qcow2", "a.qcow2"]);
    assert!(refusal(&bench, "b.qcow2").contains("leads back to itself"));

    overlay(&bench, "orphan.qcow2", "base.raw", "raw");
    bench.img(&["rebase", "-u", "-b", "gone.raw", "-F", "raw", "orphan.qcow2"]);
    assert!(refusal(&bench, "orphan.qcow2").contains("gone.raw"));

    for name in ["json:{\"driver\":\"file\"}", "nbd://host/disk", "file:base.raw"] {
        bench.img(&["rebase", "-u", "-b", name, "-F", "raw", "orphan.qcow2"]);
        assert!(refusal(&bench, "orphan.qcow2").contains("is not a plain path"), "{name}");
    }
    bench.img(&["rebase", "-u", "-b", "base.raw", "-F", "vmdk", "orphan.qcow2"]);
    assert!(refusal(&bench, "orphan.qcow2").contains("\"vmdk\""));
}

#[test]
fn chain_length_is_limited() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.raw("0", 4096);
    for n in 1..=Disk::LAYERS_MAX {
        let format = if n == 1 { "raw" } else { "qcow2" };
        bench.img(&[
            "create",
            "-u",
            "-f",
            "qcow2",
            "-b",
            &(n - 1).to_string(),
            "-F",
            format,
            &n.to_string(),
            "4096",
        ]);
    }
    bench.assert_same_as_qemu(&(Disk::LAYERS_MAX - 1).to_string(), Qcow2);
    assert!(refusal(&bench, &Disk::LAYERS_MAX.to_string()).contains("longer than 32 files"));
}

#[test]
fn backing_file_without_format_is_probed_once_and_pinned() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.raw("base", 1 << 20);
    overlay(&bench, "top.qcow2", "base", "raw");
    // Images of old tools lack the extension with the format: give it an unknown type.
    let head = fs::read(bench.path("top.qcow2")).unwrap();
    let at = head.windows(4).position(|window| window == 0xe279_2aca_u32.to_be_bytes()).unwrap();
    patch(&bench.path("top.qcow2"), at as u64, &[0x12, 0x34, 0x56, 0x78]);
    let disk = Disk::inspect(&bench.path("top.qcow2"), None).unwrap();
    assert_eq!(disk.layers[1].format, Raw);

    // The guest writes a qcow2 image that references a secret to its raw disk.
    fs::write(bench.path("secret"), [b's'; 4096]).unwrap();
    bench.img(&["create", "-u", "-f", "qcow2", "-b", "secret", "-F", "raw", "evil", "1M"]);
    let evil = fs::read(bench.path("evil")).unwrap();
    patch(&bench.path("base"), 0, &evil);

    let reader = disk.open(bench.dir.path()).unwrap();
    let mut start = vec![0; evil.len()];
    reader.read_exact_at(0, &mut start).unwrap();
    assert!(start == evil, "the raw disk is read as raw");
}

#[test]
fn changed_declaration_is_refused() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.raw("base.raw", 1 << 20);
    bench.raw("other.raw", 1 << 20);
    overlay(&bench, "top.qcow2", "base.raw", "raw");
    let disk = Disk::inspect(&bench.path("top.qcow2"), None).unwrap();
    let refused = |why: &str| {
        let err = disk.open(bench.dir.path()).unwrap_err();
        assert!(matches!(err, DiskError::Redeclare { .. }), "{err:?}");
        assert!(sentence(&err).contains(why), "{err}");
    };
    disk.open(bench.dir.path()).unwrap();

    bench.img(&["rebase", "-u", "-b", "other.raw", "-F", "raw", "top.qcow2"]);
    refused("its backing chain differs");
    bench.img(&["rebase", "-u", "-b", "base.raw", "-F", "qcow2", "top.qcow2"]);
    refused("its backing chain differs");
    bench.img(&["rebase", "-u", "-b", "", "top.qcow2"]);
    refused("its backing chain differs");
    bench.img(&["rebase", "-u", "-b", "base.raw", "-F", "raw", "top.qcow2"]);
    disk.open(bench.dir.path()).unwrap();
    bench.img(&["resize", "-f", "qcow2", "top.qcow2", "2M"]);
    refused("its size differs");

    fs::rename(bench.path("base.raw"), bench.path("moved.raw")).unwrap();
    symlink(bench.path("moved.raw"), bench.path("base.raw")).unwrap();
    refused("backing chain");

    let nothing = Disk { layers: vec![], size_bytes: 1, pattern: None };
    assert!(nothing.open(bench.dir.path()).is_err());
}

#[test]
fn a_backing_file_is_refused_with_the_image_that_names_it() {
    let Some(bench) = Bench::with_qemu() else { return };
    bench.img(&["create", "-f", "qcow2", "base.qcow2", "1M"]);
    overlay(&bench, "middle.qcow2", "base.qcow2", "qcow2");
    overlay(&bench, "top.qcow2", "middle.qcow2", "qcow2");
    let disk = Disk::inspect(&bench.path("top.qcow2"), None).unwrap();
    let named = |text: &str, wrong: &str| {
        assert!(text.contains("middle.qcow2 names") && text.contains("base.qcow2"), "{text}");
        assert!(text.contains(wrong) && !text.contains(".."), "{text}");
    };
    let refused = |wrong: &str| {
        // At declaration and when it is read later.
        named(&refusal(&bench, "top.qcow2"), wrong);
        named(&sentence(&disk.check().unwrap_err()), wrong);
    };
    fs::write(bench.path("base.qcow2"), b"not a disk of that format, but text of some length").unwrap();
    refused("it is not a qcow2 image");
    fs::write(bench.path("base.qcow2"), b"").unwrap();
    refused("it is empty");
    fs::remove_file(bench.path("base.qcow2")).unwrap();
    refused("There is no file at");
    fs::create_dir(bench.path("base.qcow2")).unwrap();
    refused("it is a directory");
    fs::remove_dir(bench.path("base.qcow2")).unwrap();
    symlink(bench.path("base.qcow2"), bench.path("base.qcow2")).unwrap();
    named(&refusal(&bench, "top.qcow2"), "Could not open");
    fs::remove_file(bench.path("base.qcow2")).unwrap();

    // An unsupported format, and a cycle.
    bench.img(&["create", "-f", "vmdk", "base.qcow2", "1M"]);
    let image = fs::read(bench.path("middle.qcow2")).unwrap();
    fs::write(bench.path("middle.qcow2"), replace(&image, b"qcow2", b"vmdk\0")).unwrap();
    let text = refusal(&bench, "top.qcow2");
    assert!(text.contains("top.qcow2 names") && text.contains("middle.qcow2"), "{text}");
    fs::remove_file(bench.path("base.qcow2")).unwrap();
    fs::write(bench.path("middle.qcow2"), image).unwrap();
    fs::copy(bench.path("top.qcow2"), bench.path("base.qcow2")).unwrap();
    let text = refusal(&bench, "top.qcow2");
    assert!(text.contains("base.qcow2 names") && text.contains("leads back to itself"), "{text}");
}

/// Replaces the first occurrence of some bytes.
fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = bytes.windows(from.len()).position(|window| window == from).expect("it is there");
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}
