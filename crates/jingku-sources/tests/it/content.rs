//! Detecting content: real disks are never refused, and others are refused by name.

use std::fs::{self, File};
use std::path::Path;

use jingku_sources::content::{Caution, Content, HEAD_BYTES, TAIL_BYTES, detect};
use jingku_sources::{Disk, DiskError, DiskFormat, Packing, open_untrusted};

use crate::qemu::Bench;

const SIZE_MAX: u64 = 1000 << 30;

pub(crate) fn content(bytes: &[u8]) -> Content {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let tail = &bytes[bytes.len() - bytes.len().min(TAIL_BYTES)..];
    detect(head, tail, bytes.len() as u64)
}

pub(crate) fn foreign(bytes: &[u8]) -> &'static str {
    match content(bytes) {
        Content::Foreign(foreign) => foreign.name,
        other => panic!("{other:?}"),
    }
}

/// Bytes without any structure.
pub(crate) fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// Bytes at an offset of a disk.
type Part<'a> = (usize, &'a [u8]);

/// A disk of noise that contains these bytes.
fn with(parts: &[Part<'_>]) -> Vec<u8> {
    let mut disk = noise(4 << 20, 7);
    for (at, bytes) in parts {
        disk[*at..at + bytes.len()].copy_from_slice(bytes);
    }
    disk
}

/// Both ways in: declared by the operator, and imported by a tenant.
fn refusals(path: &Path) -> [String; 2] {
    let refused = |error: DiskError| {
        assert!(matches!(error, DiskError::NotADisk { .. }), "{error}");
        error.to_string()
    };
    [
        refused(Disk::inspect(path, None).unwrap_err()),
        refused(open_untrusted(path, SIZE_MAX, None).unwrap_err()),
    ]
}

/// The warning about an accepted disk, equal for both ways.
pub(crate) fn caution(path: &Path) -> Option<Caution> {
    let declared = Disk::inspect(path, None).unwrap().caution().unwrap();
    assert_eq!(open_untrusted(path, SIZE_MAX, None).unwrap().caution().unwrap(), declared);
    declared
}

#[test]
fn other_disk_formats_are_named_and_convertible() {
    for (format, options, name) in [
        ("vmdk", "subformat=monolithicSparse", "VMDK"),
        ("vmdk", "subformat=streamOptimized", "VMDK"),
        ("vmdk", "subformat=monolithicFlat", "VMDK"),
        ("vhdx", "subformat=dynamic", "VHDX"),
        ("vhdx", "subformat=fixed", "VHDX"),
        ("vpc", "subformat=dynamic", "VHD"),
        ("vpc", "subformat=fixed", "VHD"),
        ("vpc", "subformat=fixed,force_size=on", "VHD"),
        ("vdi", "static=off", "VDI"),
        ("vdi", "static=on", "VDI"),
        ("qed", "cluster_size=65536", "QED"),
        ("qcow", "", "qcow (version 1)"),
        ("parallels", "", "a Parallels disk"),
    ] {
        // Empty, with a partition table, and without any structure: the content of the disk does not matter.
        for disk in [vec![0; 4 << 20], with(&[(446, &mbr())]), noise(4 << 20, 3)] {
            let Some(bench) = Bench::with_qemu() else { return };
            fs::write(bench.path("disk.raw"), disk).unwrap();
            let options = if options.is_empty() { vec![] } else { vec!["-o", options] };
            let args =
                [&["convert", "-f", "raw", "-O", format], &options[..], &["disk.raw", "other"]].concat();
            bench.img(&args);
            for said in refusals(&bench.path("other")) {
                assert!(said.contains(&format!("it looks like {name}")), "{format} {options:?}: {said}");
                assert!(said.contains("qemu-img convert"), "{said}");
                assert!(said.contains("--format raw"), "{said}");
            }
            // The override.
            Disk::inspect(&bench.path("other"), Some(DiskFormat::Raw)).unwrap();
            open_untrusted(&bench.path("other"), SIZE_MAX, Some(DiskFormat::Raw)).unwrap();
        }
    }
}

/// A boot sector's signature with one Linux partition, at 446.
fn mbr() -> [u8; 66] {
    let mut table = [0; 66];
    table[0] = 0x80;
    table[4] = 0x83;
    table[8..12].copy_from_slice(&2048_u32.to_le_bytes());
    table[12..16].copy_from_slice(&4096_u32.to_le_bytes());
    table[64..].copy_from_slice(&[0x55, 0xaa]);
    table
}

/// Contents that are not disks, with their names.
fn other_contents() -> Vec<(Vec<u8>, &'static str)> {
    let long = "A line of text, as it is in any file of text.\n".repeat(10_000);
    let page = b"\n  <!DOCTYPE html>\n<html><title>404 Not Found</title></html>".to_vec();
    vec![
        (with(&[(0, b"\xfd7zXZ\0")]), "xz"),
        (with(&[(0, b"BZh91AY&SY")]), "bzip2"),
        (with(&[(0, b"\x04\x22\x4d\x18")]), "lz4"),
        (with(&[(0, b"LZIP\x01")]), "lzip"),
        (with(&[(0, b"\x1f\x9d\x90")]), "compress (.Z)"),
        (with(&[(0, b"\x89LZO\0\x0d\x0a\x1a\x0a")]), "lzop"),
        (with(&[(0, b"7z\xbc\xaf\x27\x1c")]), "a 7z archive"),
        (with(&[(0, b"PK\x03\x04")]), "a zip archive"),
        (with(&[(0, b"Rar!\x1a\x07\x01\0")]), "a rar archive"),
        (with(&[(0, b"!<arch>\ndebian-binary")]), "an ar archive, such as a Debian package"),
        (with(&[(0, b"\xed\xab\xee\xdb")]), "an RPM package"),
        (with(&[(0, b"070701000")]), "a cpio archive"),
        (with(&[(0, b"MSWIM\0\0\0")]), "a WIM image"),
        (with(&[(0, b"EVF\x09\x0d\x0a\xff\0")]), "an EWF (E01) image"),
        (with(&[(0, b"AFF10\x0d\x0a\0")]), "an AFF image"),
        (with(&[(0, b"partclone-image\0")]), "a partclone image"),
        (with(&[(0, b"PaRtImAgE-VoLuMe")]), "a partimage image"),
        (with(&[(0, b"VMA\0\0\0\0\x01")]), "a Proxmox VMA backup"),
        (with(&[(0, b"FsArCh_002")]), "an fsarchiver archive"),
        (with(&[(0, b"COWD\x01\0\0\0")]), "VMDK"),
        (b"# Disk DescriptorFile\nversion=1\nCID=fffffffe\n".to_vec(), "VMDK"),
        (with(&[(0, b"encrcdsa\0\0\0\x02")]), "an encrypted DMG"),
        (with(&[((4 << 20) - 512, b"koly\0\0\0\x04\0\0\x02\0")]), "a DMG image"),
        (with(&[(0, b"\x7fELF\x02\x01\x01")]), "a program (ELF)"),
        (with(&[(0, b"%PDF-1.7\n")]), "a PDF document"),
        (with(&[(0, b"JKCH\x01")]), "a chunk of Jingku's store"),
        (with(&[(0, b"SQLite format 3\0")]), "an SQLite database"),
        (page.clone(), "an HTML page"),
        ([&page[..], &vec![0; 1 << 20]].concat(), "an HTML page"),
        (b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>".to_vec(), "an XML document"),
        (b"{\"error\": \"not found\"}".to_vec(), "a JSON document"),
        (b"#!/bin/sh\necho hello\n".to_vec(), "a script"),
        (b"-----BEGIN PGP MESSAGE-----\n".to_vec(), "a file encrypted with GnuPG"),
        (long.clone().into_bytes(), "plain text"),
        ("镜像\n".repeat(100_000).into_bytes(), "plain text"),
        (
            long.encode_utf16().flat_map(u16::to_le_bytes).fold(vec![0xff, 0xfe], |mut all, byte| {
                all.push(byte);
                all
            }),
            "plain text",
        ),
        ("Gr\u{fc}\u{df}e\n".repeat(50).chars().map(|c| c as u8).collect(), "plain text"),
        (b"\xbe\xb5\xcf\xf1\n".repeat(60), "plain text"),
        (with(&[(0, b"LibvirtQemudSave\x02\0\0\0")]), "the saved memory of a virtual machine"),
        (with(&[(0, b"MZ"), (0x3c, b"\x80\0\0\0"), (0x80, b"PE\0\0")]), "a program (Windows or UEFI)"),
        (with(&[(0, b"\x93NUMPY\x01\0")]), "a NumPy array"),
        // Detected only by the end.
        (with(&[((4 << 20) - 20, b"\0\0\0\x01\0\0\0\0MACRIUM_FILE")]), "a Macrium Reflect backup"),
        (with(&[(446, &MBR), ((4 << 20) - 12, b"NER5\0\0\0\0\0\x30\0\0")]), "a Nero image (NRG)"),
        (with(&[(446, &MBR), ((4 << 20) - 8, b"NERO\0\x30\0\0")]), "a Nero image (NRG)"),
        (with(&[((4 << 20) - 22, ZIP_END)]), "a zip archive behind something else"),
        (b"d41d8cd98f00b204e9800998ecf8427e  disk.raw\n".to_vec(), "plain text"),
        (tar("disk.raw", true, &noise(1 << 20, 1)), "a tar archive"),
        (tar("disk.raw", false, &noise(1 << 20, 1)), "a tar archive"),
        (tar("machine.ovf", true, b"<?xml version='1.0'?>"), "an OVA archive"),
    ]
}

#[test]
fn other_content_is_refused_by_name() {
    let cases = other_contents();
    for (bytes, name) in &cases {
        assert_eq!(foreign(bytes), *name);
    }
    assert_eq!(content(&with(&[(0, b"\x1f\x8b\x08")])), Content::Packed(Packing::Gzip));
    assert_eq!(content(&with(&[(0, b"\x28\xb5\x2f\xfd")])), Content::Packed(Packing::Zstd));
    // Through both ways in.
    let folder = tempfile::tempdir().unwrap();
    for (index, (bytes, name)) in cases.iter().enumerate() {
        let path = folder.path().canonicalize().unwrap().join(index.to_string());
        fs::write(&path, bytes).unwrap();
        for said in refusals(&path) {
            assert!(said.contains(&format!("it looks like {name}.")), "{said}");
        }
    }
}

/// A tar archive of one file, in the current format or that of the seventh edition of Unix.
fn tar(name: &str, ustar: bool, body: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[108..116].copy_from_slice(b"0001750\0");
    header[116..124].copy_from_slice(b"0001750\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", body.len()).as_bytes());
    header[136..148].copy_from_slice(b"14123456701\0");
    header[148..156].fill(b' ');
    if ustar {
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
    }
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = [&header[..], body].concat();
    archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
    archive
}

#[test]
fn known_structure_wins_over_other_content() {
    let gpt = b"EFI PART\0\0\x01\0\x5c\0\0\0";
    let ext4: &[Part<'_>] = &[
        (1024, &[0, 4, 0, 0, 0, 16, 0, 0]),
        (1048, &[2, 0, 0, 0]),
        (1080, &[0x53, 0xef, 1, 0]),
        (1096, &[0; 4]),
        (1100, &[1, 0, 0, 0]),
    ];
    let structures: Vec<(Vec<Part<'_>>, &str)> = vec![
        (vec![(446, &MBR)], "an MBR partition table"),
        (vec![(512, gpt)], "a GPT partition table"),
        (vec![(4096, gpt)], "a GPT partition table"),
        (vec![((4 << 20) - 512, gpt)], "a GPT partition table"),
        (ext4.to_vec(), "an ext2, ext3 or ext4 file system"),
        (vec![(0x1_0040, b"_BHRfS_M")], "a Btrfs file system"),
        (vec![(1024, &[0x10, 0x20, 0xf5, 0xf2])], "an F2FS file system"),
        (vec![(0x8001, b"CD001")], "an ISO 9660 file system"),
        (vec![(0x1_0034, b"ReIsEr2Fs")], "a ReiserFS file system"),
        (vec![(0x8000, b"JFS1")], "a JFS file system"),
        (vec![(1024, b"H+\0\x04")], "an HFS+ file system"),
        (vec![(200 << 10, &[0x0c, 0xb1, 0xba, 0, 0, 0, 0, 0])], "a ZFS pool member"),
        (vec![(4086, b"SWAPSPACE2")], "a swap area"),
        (vec![(65526, b"SWAPSPACE2")], "a swap area"),
        (vec![(512, b"LABELONE"), (536, b"LVM2 001")], "an LVM physical volume"),
        (vec![(4096, &[0xfc, 0x4e, 0x2b, 0xa9, 1, 0, 0, 0])], "a Linux software RAID member"),
        (vec![((4 << 20) - 65536, &[0xfc, 0x4e, 0x2b, 0xa9, 0, 0, 0, 0])], "a Linux software RAID member"),
        (vec![((4 << 20) - 8192, &[0xfc, 0x4e, 0x2b, 0xa9, 1, 0, 0, 0])], "a Linux software RAID member"),
    ];
    // What may precede it: nothing, a boot loader, leftovers of other formats.
    let heads: [&[u8]; 6] = [
        b"",
        b"\x1f\x8b\x08\0\0\0\0\0",
        b"PK\x03\x04",
        b"\xfd7zXZ\0",
        b"#!/bin/sh\necho hello\n",
        b"<!DOCTYPE html><html>",
    ];
    for (parts, name) in &structures {
        for head in heads {
            let disk = with(&[&[(0, head)], &parts[..]].concat());
            assert_eq!(content(&disk), Content::Disk(name), "{head:?}");
        }
    }
    for (parts, name) in [
        (vec![(0, &b"LUKS\xba\xbe\0\x02"[..])], "a LUKS volume"),
        (vec![(3, b"NTFS    ")], "an NTFS file system"),
        (vec![(3, b"EXFAT   ")], "an exFAT file system"),
        (vec![(3, b"-FVE-FS-")], "a BitLocker volume"),
        (vec![(0, b"XFSB\0\0\x10\0")], "an XFS file system"),
        (vec![(0, b"hsqs")], "a SquashFS file system"),
        (vec![(32, b"NXSB")], "an APFS container"),
    ] {
        assert_eq!(content(&with(&parts)), Content::Disk(name));
    }
}

const MBR: [u8; 66] = {
    let mut table = [0; 66];
    table[4] = 0x0c;
    table[9] = 8;
    table[13] = 8;
    table[64] = 0x55;
    table[65] = 0xaa;
    table
};

/// One file, whose directory entry has 64 bytes and is at 1 MiB.
const ZIP_END: &[u8] = b"PK\x05\x06\0\0\0\0\x01\0\x01\0\x40\0\0\0\0\0\x10\0\0\0";

/// One in 65,536 compressed or encrypted files has the two bytes.
#[test]
fn noise_is_not_recognised() {
    for (at, magic) in [(510, [0x55, 0xaa]), (1080, [0x53, 0xef]), (1030, [0x34, 0x34]), (508, [0xda, 0xbe])]
    {
        assert_eq!(content(&with(&[(at, &magic)])), Content::Unknown, "at {at}");
    }
    for seed in 0..100 {
        let disk = noise(HEAD_BYTES, seed);
        assert_eq!(content(&disk), Content::Unknown, "{seed}");
    }
}

/// Any bytes, length, size and tail: there is a result and no panic.
#[test]
fn detection_accepts_any_bytes() {
    let magics: &[&[u8]] = &[
        b"QFI\xfb",
        b"conectix",
        b"TAPE",
        b"\xc7\x71",
        b"ER",
        b"XFSB",
        b"\0\0\0\x7b",
        b"\xff\xfe",
        b"<",
        b"\xef\xbb\xbf",
    ];
    for (seed, magic) in (0..3000).zip(magics.iter().cycle()) {
        let len = noise(2, seed).iter().fold(0, |len, byte| len * 256 + usize::from(*byte)) % 1600;
        let bytes = [magic, &noise(len, seed)[..]].concat();
        for end in 0..4 {
            let tail = &bytes[bytes.len() - bytes.len() * end / 4..];
            for size in [0, tail.len() as u64, bytes.len() as u64, 1 << 40, u64::MAX] {
                let _ = detect(&bytes, tail, size);
            }
        }
    }
    assert_eq!(content(b""), Content::Zeros);
}

#[test]
fn unknown_content_is_accepted_with_a_caution() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("disk");
    let check = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        caution(&path)
    };
    assert_eq!(check(&noise(1 << 20, 1)), Some(Caution::NoStructure));
    assert_eq!(check(&noise(1000, 1)), Some(Caution::NoStructure));
    assert_eq!(check(&with(&[(446, &MBR)])), None);
    assert_eq!(check(&[0]), None);
    assert_eq!(check(&vec![0; 3 << 20]), None, "a new disk");
    // Zeros at both ends, and data between them.
    let mut between = vec![0; 3 << 20];
    between[1 << 20] = 1;
    assert_eq!(check(&between), Some(Caution::NoStructure));
    // A hole of a terabyte is not read.
    File::create(&path).unwrap().set_len(900 << 30).unwrap();
    assert_eq!(caution(&path), None);
    let said = Caution::NoStructure.to_string();
    assert!(said.contains("no partition table, file system") && said.contains("--format raw"), "{said}");
}

#[test]
fn content_of_a_qcow2_disk_is_detected() {
    for (disk, expected) in [
        (noise(4 << 20, 1), Some(Caution::NoStructure)),
        (with(&[(446, &mbr())]), None),
        (vec![0; 4 << 20], None),
        (tar("disk.raw", true, &noise(1 << 20, 1)), Some(Caution::Holds("a tar archive".to_owned()))),
        (with(&[(0, b"\x1f\x8b\x08")]), Some(Caution::Holds("gzip".to_owned()))),
    ] {
        let Some(bench) = Bench::with_qemu() else { return };
        fs::write(bench.path("disk.raw"), &disk).unwrap();
        for options in [&[][..], &["-c"]] {
            bench.img(
                &[&["convert", "-f", "raw", "-O", "qcow2"], options, &["disk.raw", "disk.qcow2"]].concat(),
            );
            assert_eq!(caution(&bench.path("disk.qcow2")), expected);
        }
        // An overlay shows the same.
        bench.img(&["create", "-f", "qcow2", "-b", "disk.qcow2", "-F", "qcow2", "top.qcow2"]);
        assert_eq!(Disk::inspect(&bench.path("top.qcow2"), None).unwrap().caution().unwrap(), expected);
    }
}
