//! File formats: every format yields its disk, and malicious files are refused with a reason.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use jingku_library::{DiskFormat, Qcow2Writer, Random, SeededRandom};
use jingku_protocol::actions::Action;

use super::reason;
use crate::support::{DISK_BYTES, Service, disk_bytes};

const PROGRESS: Action = Action::GetCompShareImageCreateProgress;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn qcow2(service: &Service) -> Vec<u8> {
    std::fs::read(service.disk("source.qcow2", DiskFormat::Qcow2, 3)).unwrap()
}

#[tokio::test]
async fn every_format_yields_the_same_disk() {
    let service = Service::start().await;
    let caller = service.caller();
    let (disk, qcow2) = (disk_bytes(3), qcow2(&service));
    // A skippable frame may precede the first data frame.
    let skippable: &[u8] = &[0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    let half = DISK_BYTES / 2;
    let files = [
        ("raw", disk.clone()),
        ("qcow2", qcow2.clone()),
        ("raw.gz", gzip(&disk)),
        ("raw.zst", zstd(&disk)),
        ("qcow2.gz", gzip(&qcow2)),
        ("qcow2.zst", zstd(&qcow2)),
        ("two-members.gz", join(&[&gzip(&disk[..half]), &gzip(&disk[half..])])),
        ("two-frames.zst", join(&[skippable, &zstd(&disk[..half]), &zstd(&disk[half..])])),
    ];
    for (name, file) in files {
        let id = caller.upload(name, &file).await;
        service.finish_job(&id).await;
        let image = caller.image(&id).await;
        assert_eq!(image["Status"], "Available", "{name}: {}", reason(&image));
        assert!(caller.disk(&id).await == disk, "{name}: the bytes differ");
        assert!(service.upload_files().is_empty(), "{name}: {:?}", service.upload_files());
    }
    // All formats yield the same manifest.
    assert_eq!(service.stored("manifests").len(), 1);
}

#[tokio::test]
async fn malicious_and_damaged_files_are_refused_with_a_reason() {
    let service = Service::start().await;
    let caller = service.caller();
    let (disk, good) = (disk_bytes(3), qcow2(&service));
    let patched = |patches: &[(usize, &[u8])]| {
        let mut file = good.clone();
        for (at, bytes) in patches {
            file[*at..*at + bytes.len()].copy_from_slice(bytes);
        }
        file
    };
    let (l1, l2) = tables(&good);
    let entry = |at: usize| <[u8; 8]>::try_from(&good[at..at + 8]).unwrap();
    // A secret file of the server, which an upload must not make it read.
    let secret = service.folder.path().join("data/master.key");
    let name = secret.to_str().unwrap().as_bytes();
    let backing = patched(&[
        (8, &1024_u64.to_be_bytes()),
        (16, &u32::try_from(name.len()).unwrap().to_be_bytes()),
        (1024, name),
    ]);
    let mut noise = vec![0; 1 << 20];
    SeededRandom::new(9).fill(&mut noise);
    let files: &[(&str, Vec<u8>, &str)] = &[
        ("backing", backing.clone(), "it needs another file (a backing file)"),
        ("backing.gz", gzip(&backing), "it needs another file (a backing file)"),
        ("data-file", patched(&[(72, &4_u64.to_be_bytes())]), "its data lies in another file"),
        ("only-qemu", patched(&[(72, &16_u64.to_be_bytes())]), "subclusters"),
        ("absurd", patched(&[(24, &(1_u64 << 62).to_be_bytes())]), "does not cover the size"),
        ("header-only", good[..60].to_vec(), "its header is cut off"),
        ("cut", good[..good.len() / 2].to_vec(), "past the end of the file"),
        ("cycle", patched(&[(l1, &(l1 as u64).to_be_bytes())]), "lie in the same place"),
        ("into-itself", patched(&[(l2, &(l2 as u64).to_be_bytes())]), "lie in the same place"),
        ("twice", patched(&[(l2 + 8, &entry(l2))]), "lie in the same place"),
        ("unaligned", patched(&[(l2, &(200_u64 << 10 | 512).to_be_bytes())]), "not aligned"),
        ("far", patched(&[(l2, &(1_u64 << 40).to_be_bytes())]), "past the end of the file"),
        ("vmdk", join(&[b"KDMV", &noise]), "it looks like VMDK"),
        ("xz", join(&[b"\xfd7zXZ\0", &noise]), "it looks like xz"),
        ("zip.gz", gzip(&join(&[b"PK\x03\x04", &noise])), "it looks like a zip archive"),
        ("vhd", join(&[&disk, &vhd_footer()]), "it looks like VHD"),
        ("vhd.zst", zstd(&join(&[&disk, &vhd_footer()])), "it looks like VHD"),
        ("page", b"<!DOCTYPE html><title>404</title>".to_vec(), "it looks like an HTML page"),
        ("page.gz", gzip(b"<!DOCTYPE html><title>404</title>"), "it looks like an HTML page"),
        ("cut.gz", gzip(&disk)[..1000].to_vec(), "it ends early"),
        ("cut.zst", zstd(&disk)[..1000].to_vec(), "it ends early"),
        ("garbage.gz", join(&[&gzip(&disk), b"garbage"]), "something else follows"),
        ("garbage.zst", join(&[&zstd(&disk), b"garbage"]), "something else follows"),
        ("noise.gz", join(&[&[0x1f, 0x8b, 8, 0], &noise]), "gzip content is damaged"),
        ("noise.zst", join(&[&[0x28, 0xb5, 0x2f, 0xfd], &noise]), "zstd content"),
        ("twice.gz", gzip(&zstd(&disk)), "compressed twice"),
        ("empty.gz", gzip(b""), "nothing is in it"),
    ];
    for (name, file, why) in files {
        let id = caller.upload(name, file).await;
        service.finish_job(&id).await;
        let image = caller.image(&id).await;
        assert_eq!(image["Status"], "UnAvailable", "{name}");
        assert!(reason(&image).contains(why), "{name}: {}", reason(&image));
        assert!(!reason(&image).contains("uploads"), "{name} reveals a path of the host: {}", reason(&image));
        assert!(service.upload_files().is_empty(), "{name}: {:?}", service.upload_files());
    }
    assert!(service.stored("manifests").is_empty());
}

/// The footer after the disk in a fixed VHD.
fn vhd_footer() -> Vec<u8> {
    let mut footer = vec![0; 512];
    footer[..16].copy_from_slice(b"conectix\0\0\0\x02\0\x01\0\0");
    footer
}

/// Unrecognized content is accepted with a warning, known content without one. An explicit format `raw` suppresses the
/// warning.
#[tokio::test]
async fn an_unrecognized_file_is_accepted_with_a_warning() {
    let service = Service::start().await;
    let caller = service.caller();
    let known = disk_bytes(3);
    // Without the boot signature, the disk has no structure that the server recognizes.
    let mut unknown = known.clone();
    unknown[510] = 0;
    let page = b"<!DOCTYPE html><title>404</title>".to_vec();
    let folder = service.folder.path();
    let qcow2 = ["known", "unknown"].map(|name| {
        let path = folder.join(format!("{name}.qcow2"));
        let mut writer = Qcow2Writer::create(&path, DISK_BYTES as u64).unwrap();
        writer.write_at(0, if name == "known" { &known } else { &unknown }).unwrap();
        writer.finish().unwrap();
        std::fs::read(path).unwrap()
    });
    let [known_qcow2, qcow2] = qcow2;
    let no_structure = Some("has no partition table, file system");
    for (name, file, format, warning) in [
        ("unknown", &unknown, None, no_structure),
        ("unknown.gz", &gzip(&unknown), None, no_structure),
        ("unknown.qcow2", &qcow2, None, no_structure),
        ("unknown.qcow2.zst", &zstd(&qcow2), Some("qcow2"), no_structure),
        ("known", &known, None, None),
        ("known.qcow2", &known_qcow2, None, None),
        ("known.zst", &zstd(&known), None, None),
        ("zeros", &vec![0; 1 << 20], None, None),
        ("raw", &unknown, Some("raw"), None),
        ("page", &page, Some("raw"), None),
        ("page.gz", &gzip(&page), Some("raw"), None),
        ("qcow2-as-raw", &qcow2, Some("raw"), None),
    ] {
        let id = caller.upload_as(name, file, format).await;
        service.finish_job(&id).await;
        let image = caller.image(&id).await;
        assert_eq!(image["Status"], "Available", "{name}: {}", reason(&image));
        let progress = caller.ok(PROGRESS, &[("CompShareImageId", &id)]).await;
        let warnings = progress["Warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), usize::from(warning.is_some()), "{name}: {warnings:?}");
        let is = |text: &str| warnings[0].as_str().unwrap().contains(text);
        assert!(warning.is_none_or(is), "{name}: {warnings:?}");
        if name.starts_with("page") {
            assert!(caller.disk(&id).await == page, "{name}");
        }
        if name == "qcow2-as-raw" {
            assert!(caller.disk(&id).await == qcow2);
        }
    }
    let id = caller.upload_as("not-qcow2", &unknown, Some("qcow2")).await;
    service.finish_job(&id).await;
    assert!(reason(&caller.image(&id).await).contains("it is not a qcow2 image"));
}

/// The offsets of the L1 table of a qcow2 file and of its only L2 table.
fn tables(image: &[u8]) -> (usize, usize) {
    let field = |at: usize| u64::from_be_bytes(image[at..at + 8].try_into().unwrap());
    let l1 = usize::try_from(field(40)).unwrap();
    (l1, usize::try_from(field(l1) & 0x00ff_ffff_ffff_fe00).unwrap())
}
