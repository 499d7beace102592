//! The format of a file is checked alike in `instance add`, the configuration, `image create` and `image import`.

use crate::disk::{self, gzip};
use crate::home::Home;

const NO_STRUCTURE: &str = "Warning: The disk has no partition table, file system";

/// A file of 1 MiB with this start and otherwise unknown content.
fn starting_with(start: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 1 << 20];
    disk::noise(1, &mut bytes);
    bytes[..start.len()].copy_from_slice(start);
    bytes
}

/// A disk with one partition.
fn partitioned() -> Vec<u8> {
    let mut disk = starting_with(b"");
    disk[446..512].fill(0);
    disk[450] = 0x83;
    disk[455] = 2;
    disk[459] = 2;
    disk[510..512].copy_from_slice(&[0x55, 0xaa]);
    disk
}

/// A fixed VHD: a disk and a footer of one sector.
fn vhd() -> Vec<u8> {
    let mut disk = partitioned();
    disk.resize((1 << 20) + 512, 0);
    disk[1 << 20..][..16].copy_from_slice(b"conectix\0\0\0\x02\0\x01\0\0");
    disk
}

#[test]
fn other_formats_are_refused_by_name_in_every_command() {
    let home = Home::new();
    let server = home.serve();
    let cases: [(&str, Vec<u8>, &str, &str); 6] = [
        ("disk.vmdk", starting_with(b"KDMV\x01\0\0\0"), "it looks like VMDK", "看起来是 VMDK"),
        ("disk.vhd", vhd(), "it looks like VHD", "看起来是 VHD"),
        ("disk.xz", starting_with(b"\xfd7zXZ\0"), "it looks like xz", "看起来是 xz"),
        ("disk.zip", starting_with(b"PK\x03\x04"), "it looks like a zip archive", "看起来是 zip 压缩包"),
        (
            "vm.vma",
            starting_with(b"VMA\0"),
            "it looks like a Proxmox VMA backup",
            "看起来是 Proxmox VMA backup",
        ),
        ("page.raw", b"<!DOCTYPE html><p>404".to_vec(), "it looks like an HTML page", "看起来是 HTML 网页"),
    ];
    for (name, bytes, english, chinese) in &cases {
        let path = home.file(name, bytes);
        home.refuses(
            &["instance", "add", "--id", "x", "--disk", &path],
            1,
            &[english, "--format raw"],
            &[chinese],
        );
        home.refuses(&["image", "import", &path, "--name", "x"], 1, &[english, "--format raw"], &[chinese]);
        // In a compressed file the format is known only after the upload.
        let packed = home.file("packed", &gzip(bytes));
        let import = ["image", "import", &packed, "--name", "packed", "--wait"];
        home.run(&import).failed(1, &["could not be made", english]);
        home.run(&["instance", "add", "--id", "x", "--disk", &packed])
            .failed(1, &["it looks like gzip", "gzip -dk"]);
        let config = format!("[[instances]]\nid = \"x\"\ndisk = \"{path}\"\n");
        let config = home.file("other.toml", config.as_bytes());
        let other = home.path("other-data");
        let serve =
            ["serve", "--config", &config, "--data-dir", other.to_str().unwrap(), "--listen", "127.0.0.1:0"];
        home.run(&serve).failed(1, &[english]);
    }
    // With --format raw it is accepted.
    let path = home.path("disk.vmdk").to_str().unwrap().to_owned();
    home.run(&["instance", "add", "--id", "raw", "--disk", &path, "--format", "raw"]).succeeded();
    let image = home.json(&["image", "import", &path, "--name", "raw", "--format", "raw", "--wait"]);
    assert!(home.bytes(image["CompShareImageId"].as_str().unwrap()) == cases[0].1);
    server.stop();
}

#[test]
fn unknown_content_is_accepted_with_a_warning_in_every_command() {
    let home = Home::new();
    let server = home.serve();
    let unknown = home.file("unknown.raw", &starting_with(b""));
    let packed = home.file("unknown.gz", &gzip(&starting_with(b"")));
    let known = home.file("known.raw", &partitioned());
    for (id, disk, more, warned) in [
        ("unknown", &unknown, &[][..], true),
        ("known", &known, &[], false),
        ("told", &unknown, &["--format", "raw"], false),
    ] {
        let add = [&["instance", "add", "--id", id, "--disk", disk], more].concat();
        let make = ["image", "create", "--instance", id, "--name", &format!("{id}-made"), "--wait"];
        let import = [&["image", "import", disk, "--name", id, "--wait"], more].concat();
        for command in [&add[..], &make, &import] {
            let ended = home.run(command).succeeded();
            assert_eq!(
                ended.err.matches(NO_STRUCTURE).count(),
                usize::from(warned),
                "{command:?}: {ended:?}"
            );
        }
    }
    let ended = home.run(&["image", "create", "--instance", "unknown", "--name", "at-once"]).succeeded();
    assert!(ended.err.contains(NO_STRUCTURE), "{ended:?}");
    let ended = home.run(&["image", "import", &packed, "--name", "packed", "--wait", "--json"]).succeeded();
    assert!(ended.err.contains(NO_STRUCTURE), "{ended:?}");
    for (file, words) in [(&unknown, 1), (&known, 0)] {
        let ended = home.run(&["image", "import", file, "--name", &format!("sent-{words}")]).succeeded();
        assert_eq!(ended.err.matches(NO_STRUCTURE).count(), words, "{ended:?}");
    }
    let chinese = ["instance", "add", "--id", "zh", "--disk", &unknown, "--lang", "zh"];
    assert!(home.run(&chinese).succeeded().err.contains("警告：磁盘中没有分区表"), "not in Chinese");
    server.stop();
}
