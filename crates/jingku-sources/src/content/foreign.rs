//! What is no disk, or a disk in a format that is not read, by its magic number or its last sector.

use super::ends::Ends;

/// What is recognised and is no disk that we read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Foreign {
    /// What it is, with its article.
    pub name: &'static str,
    /// The command that makes a disk of it, where there is one. `FILE` stands for its path.
    pub command: Option<&'static str>,
}

const CONVERT: Option<&str> = Some("qemu-img convert -O qcow2 FILE disk.qcow2");
const NONE: Option<&str> = None;

/// Where a magic number lies, what it is, what it stands for, and the command that makes a disk of it.
type Magic = (u64, &'static [u8], &'static str, Option<&'static str>);

const MAGICS: &[Magic] = &[
    // Disks in other formats.
    (0, b"KDMV", "VMDK", CONVERT),
    (0, b"COWD", "VMDK", CONVERT),
    (0, b"\xbe\xba\xfe\xca\0\0\0\0", "VMDK", CONVERT),
    (0, b"vhdxfile", "VHDX", CONVERT),
    (0, b"conectix", "VHD", CONVERT),
    (0x40, &[0x7f, 0x10, 0xda, 0xbe], "VDI", CONVERT),
    (0, b"QED\0", "QED", CONVERT),
    (0, b"QFI\xfb\0\0\0\x01", "qcow (version 1)", CONVERT),
    (
        0,
        b"WithoutFreeSpace",
        "a Parallels disk",
        Some("qemu-img convert -f parallels -O qcow2 FILE disk.qcow2"),
    ),
    (
        0,
        b"WithouFreSpacExt",
        "a Parallels disk",
        Some("qemu-img convert -f parallels -O qcow2 FILE disk.qcow2"),
    ),
    (
        0,
        b"Bochs Virtual HD Image",
        "a Bochs disk",
        Some("qemu-img convert -f bochs -O qcow2 FILE disk.qcow2"),
    ),
    (
        0,
        b"#!/bin/sh\n#V2.0 Format\nmodprobe cloop",
        "a cloop image",
        Some("qemu-img convert -f cloop -O raw FILE disk.raw"),
    ),
    (0, b"encrcdsa", "an encrypted DMG", Some("hdiutil convert FILE -format UDTO -o disk")),
    (0, b"sprs", "a sparse DMG", Some("hdiutil convert FILE -format UDTO -o disk")),
    (0, b"EVF\x09\x0d\x0a\xff\0", "an EWF (E01) image", Some("ewfexport -f raw -t disk FILE")),
    (0, b"LVF\x09\x0d\x0a\xff\0", "an EWF (L01) image", Some("ewfexport -f raw -t disk FILE")),
    (0, b"EVF2\x0d\x0a\x81\0", "an EWF (Ex01) image", Some("ewfexport -f raw -t disk FILE")),
    (0, b"AFF10\x0d\x0a\0", "an AFF image", Some("affconvert -r FILE")),
    (0, b"MSWIM\0\0\0", "a WIM image", Some("wimlib-imagex apply FILE FOLDER")),
    (0, &[0x3a, 0xff, 0x26, 0xed], "an Android sparse image", Some("simg2img FILE disk.raw")),
    (0, b"ANDROID!", "an Android boot image", NONE),
    (0, b"MComprHD", "a CHD image", Some("chdman extracthd -i FILE -o disk.raw")),
    (0, b"CISO\0\0\0\0", "a CSO image", NONE),
    // Images and streams that backup programs make.
    (0, b"partclone-image", "a partclone image", Some("partclone.restore -C -s FILE -O disk.raw")),
    (0, b"PaRtImAgE-VoLuMe", "a partimage image", Some("partimage restore DEVICE FILE")),
    (
        0,
        b"\0ntfsclone-image",
        "an ntfsclone image",
        Some("ntfsclone --restore-image --overwrite disk.raw FILE"),
    ),
    (0, b"FsArCh_00", "an fsarchiver archive", Some("fsarchiver restfs FILE id=0,dest=DEVICE")),
    (0, b"VMA\0", "a Proxmox VMA backup", Some("vma extract FILE FOLDER")),
    (
        0,
        &[66, 171, 56, 7, 190, 131, 112, 161],
        "a chunk of a Proxmox backup",
        Some("proxmox-backup-client restore"),
    ),
    (
        0,
        &[49, 185, 88, 66, 111, 182, 163, 127],
        "a chunk of a Proxmox backup",
        Some("proxmox-backup-client restore"),
    ),
    (
        0,
        &[123, 103, 133, 190, 34, 45, 76, 240],
        "a chunk of a Proxmox backup",
        Some("proxmox-backup-client restore"),
    ),
    (
        0,
        &[230, 89, 27, 191, 11, 191, 216, 11],
        "a chunk of a Proxmox backup",
        Some("proxmox-backup-client restore"),
    ),
    (
        0,
        &[47, 127, 65, 237, 145, 253, 15, 205],
        "an index of a Proxmox backup",
        Some("proxmox-backup-client restore"),
    ),
    (
        0,
        &[28, 145, 78, 165, 25, 186, 179, 205],
        "an index of a Proxmox backup",
        Some("proxmox-backup-client restore"),
    ),
    (0, b"BORG_SEG", "a segment of a Borg repository", Some("borg extract REPOSITORY::ARCHIVE")),
    (0, b"btrfs-stream\0", "a Btrfs send stream", Some("btrfs receive -f FILE FOLDER")),
    (8, &[0xac, 0xcb, 0xba, 0xf5, 2, 0, 0, 0], "a ZFS send stream", Some("zfs receive")),
    (8, &[0, 0, 0, 2, 0xf5, 0xba, 0xcb, 0xac], "a ZFS send stream", Some("zfs receive")),
    (0, b"xFSdump0", "an xfsdump backup", Some("xfsrestore -f FILE FOLDER")),
    (0, &[0xce, 0x24, 0xb9, 0xa2], "an Acronis backup", NONE),
    (0, &[0xfe, 0xef, 0x01], "a Ghost image", NONE),
    (0, b"JKCH", "a chunk of Jingku's store", Some("jingku image export IMAGE_ID -o disk.raw")),
    (0, b"JKMF", "a manifest of Jingku's store", Some("jingku image export IMAGE_ID -o disk.raw")),
    (0, b"LibvirtQemudSave", "the saved memory of a virtual machine", NONE),
    (0, b"LibvirtQemudPart", "the saved memory of a virtual machine", NONE),
    (0, b"QEVM\0\0\0\x03", "the saved memory of a virtual machine", NONE),
    (0, b"KDUMP   ", "a memory dump", NONE),
    (0, b"SQLite format 3\0", "an SQLite database", NONE),
    // Compressed.
    (0, b"\xfd7zXZ\0", "xz", Some("xz -dk FILE")),
    (0, b"BZh", "bzip2", Some("bzip2 -dk FILE")),
    (0, b"\x04\x22\x4d\x18", "lz4", Some("lz4 -d FILE disk.raw")),
    (0, b"\x02\x21\x4c\x18", "lz4", Some("lz4 -d FILE disk.raw")),
    (0, b"LRZI", "lrzip", Some("lrzip -d FILE")),
    (0, b"LZIP", "lzip", Some("lzip -dk FILE")),
    (0, b"\x89LZO\0\x0d\x0a\x1a\x0a", "lzop", Some("lzop -d FILE")),
    (0, &[0x1f, 0x9d, 0x90], "compress (.Z)", Some("uncompress FILE")),
    (0, b"\xff\x06\0\0sNaPpY", "snappy", Some("snzip -d FILE")),
    (0, &[0x5d, 0, 0, 0x80, 0, 0xff, 0xff, 0xff, 0xff], "lzma", Some("xz -dk --format=lzma FILE")),
    (0, &[0x5d, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff], "lzma", Some("xz -dk --format=lzma FILE")),
    (0, b"\x27\xb5\x2f\xfd", "zstd of an old version", Some("zstd -d FILE")),
    // Archives with a magic number.
    (0, b"PK\x03\x04", "a zip archive", Some("unzip FILE")),
    (0, b"PK\x05\x06", "an empty zip archive", NONE),
    (0, b"PK\x07\x08", "a zip archive in parts", Some("7z x FILE")),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", Some("7z x FILE")),
    (0, b"Rar!\x1a\x07", "a rar archive", Some("unrar x FILE")),
    (0, b"MSCF\0\0\0\0", "a cabinet archive", Some("cabextract FILE")),
    (0, b"xar!", "a xar archive", Some("xar -xf FILE")),
    (0, b"!<arch>\n", "an ar archive, such as a Debian package", Some("ar x FILE")),
    (0, &[0xed, 0xab, 0xee, 0xdb], "an RPM package", Some("rpm2cpio FILE | cpio -id")),
    // Encrypted files.
    (0, b"Salted__", "a file encrypted with OpenSSL", Some("openssl enc -d -in FILE -out disk.raw")),
    (0, b"age-encryption.org/", "a file encrypted with age", Some("age -d -o disk.raw FILE")),
    // Programs, documents, pictures, sound.
    (0, b"\x7fELF", "a program (ELF)", NONE),
    (0, &[0xcf, 0xfa, 0xed, 0xfe], "a program (Mach-O)", NONE),
    (0, &[0xca, 0xfe, 0xba, 0xbe, 0, 0], "a program (Java or Mach-O)", NONE),
    (0x202, b"HdrS", "a Linux kernel", NONE),
    (0, b"%PDF-", "a PDF document", NONE),
    (0, b"%!PS-Adobe", "a PostScript document", NONE),
    (0, b"{\\rtf", "an RTF document", NONE),
    (0, &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1], "a document or installer (OLE)", NONE),
    (0, b"\x89PNG\x0d\x0a\x1a\x0a", "a picture (PNG)", NONE),
    (0, &[0xff, 0xd8, 0xff], "a picture (JPEG)", NONE),
    (0, b"GIF8", "a picture (GIF)", NONE),
    (0, b"RIFF", "a picture, sound or film (RIFF)", NONE),
    (4, b"ftyp", "a film (MP4)", NONE),
    (0, &[0x1a, 0x45, 0xdf, 0xa3], "a film (Matroska)", NONE),
    (0, b"\x89HDF\x0d\x0a\x1a\x0a", "an HDF5 file", NONE),
    (0, b"OggS\0\x02", "sound or a film (Ogg)", NONE),
    (0, b"fLaC\0\0\0\x22", "sound (FLAC)", NONE),
    (0, b"II*\0\x08\0\0\0", "a picture (TIFF)", NONE),
    (0, b"GGUF", "a model (GGUF)", NONE),
    (0, b"\x93NUMPY", "a NumPy array", NONE),
    (0, b"\0asm\x01\0\0\0", "a program (WebAssembly)", NONE),
];

/// Says what a file begins like.
pub(super) fn by_magic(ends: &Ends<'_>) -> Option<Foreign> {
    let known = MAGICS.iter().find(|(at, magic, ..)| ends.has(*at, magic));
    if let Some((_, _, name, command)) = known {
        return Some(Foreign { name, command: *command });
    }
    if ends.has(0, b"TAPE") && ends.bytes(10, 1) == Some(&[14]) {
        return Some(Foreign { name: "a Windows backup (BKF)", command: Some("mtftar -f FILE | tar -x") });
    }
    if is_windows_program(ends) {
        return Some(Foreign { name: "a program (Windows or UEFI)", command: NONE });
    }
    if is_dump(ends) {
        return Some(Foreign { name: "a dump of a file system", command: Some("restore -rf FILE") });
    }
    is_dar(ends).then_some(Foreign { name: "a dar archive", command: Some("dar -x FILE") })
}

/// Says what a file ends like, which else is a raw disk: an image of it would be longer than the disk.
pub(super) fn by_footer(ends: &Ends<'_>) -> Option<Foreign> {
    // Old versions of Virtual PC wrote one byte less.
    let vhd = [512, 511].iter().any(|before| {
        ends.at_end(*before, 16)
            .is_some_and(|footer| footer.starts_with(b"conectix") && footer[12..16] == [0, 1, 0, 0])
    });
    if vhd {
        return Some(Foreign {
            name: "VHD",
            command: Some("qemu-img convert -f vpc -O qcow2 FILE disk.qcow2"),
        });
    }
    if ends.at_end(512, 12) == Some(b"koly\0\0\0\x04\0\0\x02\0") {
        return Some(Foreign {
            name: "a DMG image",
            command: Some("qemu-img convert -f dmg -O qcow2 FILE disk.qcow2"),
        });
    }
    if ends.at_end(12, 12) == Some(b"MACRIUM_FILE") {
        return Some(Foreign { name: "a Macrium Reflect backup", command: NONE });
    }
    is_nrg(ends).then_some(Foreign { name: "a Nero image (NRG)", command: Some("nrg2iso FILE disk.iso") })
}

/// Where its list of tracks begins, which lies behind the tracks.
fn is_nrg(ends: &Ends<'_>) -> bool {
    let new = ends.at_end(12, 12).and_then(|footer| footer.strip_prefix(b"NER5"));
    let old = ends.at_end(8, 8).and_then(|footer| footer.strip_prefix(b"NERO"));
    let begins_at = new.or(old).map(|at| at.iter().fold(0, |at, byte| at << 8 | u64::from(*byte)));
    begins_at.is_some_and(|at| (1..ends.size).contains(&at))
}

/// A DOS header that leads to a PE header.
fn is_windows_program(ends: &Ends<'_>) -> bool {
    ends.has(0, b"MZ") && ends.u32_le(0x3c).is_some_and(|at| ends.has(u64::from(at), b"PE\0\0"))
}

/// The header of dump(8): 256 words, whose sum is always the same.
fn is_dump(ends: &Ends<'_>) -> bool {
    const MAGICS: [u32; 2] = [60_011, 60_012];
    const SUM: u32 = 84_446;
    let Some(header) = ends.bytes(0, 1024) else { return false };
    let is = |word: fn([u8; 4]) -> u32| {
        let words = || header.as_chunks::<4>().0.iter().map(|bytes| word(*bytes));
        words().nth(6).is_some_and(|magic| MAGICS.contains(&magic))
            && words().fold(0, u32::wrapping_add) == SUM
    };
    is(u32::from_le_bytes) || is(u32::from_be_bytes)
}

/// A number, ten bytes that name the archive, whether another slice follows, and whether fields follow.
fn is_dar(ends: &Ends<'_>) -> bool {
    ends.has(0, &[0, 0, 0, 123])
        && ends.bytes(14, 2).is_some_and(|flags| b"TNE".contains(&flags[0]) && b"NST".contains(&flags[1]))
}
