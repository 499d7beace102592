//! Files that are not disks, and disks in unsupported formats, by magic number or last sector.

use super::probe::Probe;

/// A recognised format that is not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Foreign {
    /// Its name, with an article.
    pub name: &'static str,
    /// The command that converts it to a disk, if there is one. `FILE` stands for its path.
    pub command: Option<&'static str>,
}

impl Foreign {
    /// An empty `command` means none.
    pub(super) fn new(name: &'static str, command: &'static str) -> Self {
        Self { name, command: Some(command).filter(|command| !command.is_empty()) }
    }
}

const CONVERT: &str = "qemu-img convert -O qcow2 FILE disk.qcow2";
const PARALLELS: &str = "qemu-img convert -f parallels -O qcow2 FILE disk.qcow2";
const CLOOP: &str = "qemu-img convert -f cloop -O raw FILE disk.raw";
const PROXMOX: &str = "proxmox-backup-client restore";
const EXPORT: &str = "jingku image export IMAGE_ID -o disk.raw";

/// Offset and bytes of a magic number, what it identifies, and the command that converts it to a disk.
type Magic = (u64, &'static [u8], &'static str, &'static str);

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
    (0, b"WithoutFreeSpace", "a Parallels disk", PARALLELS),
    (0, b"WithouFreSpacExt", "a Parallels disk", PARALLELS),
    (0, b"Bochs Virtual HD Image", "a Bochs disk", "qemu-img convert -f bochs -O qcow2 FILE disk.qcow2"),
    (0, b"#!/bin/sh\n#V2.0 Format\nmodprobe cloop", "a cloop image", CLOOP),
    (0, b"encrcdsa", "an encrypted DMG", "hdiutil convert FILE -format UDTO -o disk"),
    (0, b"sprs", "a sparse DMG", "hdiutil convert FILE -format UDTO -o disk"),
    (0, b"EVF\x09\x0d\x0a\xff\0", "an EWF (E01) image", "ewfexport -f raw -t disk FILE"),
    (0, b"LVF\x09\x0d\x0a\xff\0", "an EWF (L01) image", "ewfexport -f raw -t disk FILE"),
    (0, b"EVF2\x0d\x0a\x81\0", "an EWF (Ex01) image", "ewfexport -f raw -t disk FILE"),
    (0, b"AFF10\x0d\x0a\0", "an AFF image", "affconvert -r FILE"),
    (0, b"MSWIM\0\0\0", "a WIM image", "wimlib-imagex apply FILE FOLDER"),
    (0, &[0x3a, 0xff, 0x26, 0xed], "an Android sparse image", "simg2img FILE disk.raw"),
    (0, b"ANDROID!", "an Android boot image", ""),
    (0, b"MComprHD", "a CHD image", "chdman extracthd -i FILE -o disk.raw"),
    (0, b"CISO\0\0\0\0", "a CSO image", ""),
    // Images and streams that backup programs make.
    (0, b"partclone-image", "a partclone image", "partclone.restore -C -s FILE -O disk.raw"),
    (0, b"PaRtImAgE-VoLuMe", "a partimage image", "partimage restore DEVICE FILE"),
    (0, b"\0ntfsclone-image", "an ntfsclone image", "ntfsclone --restore-image --overwrite disk.raw FILE"),
    (0, b"FsArCh_00", "an fsarchiver archive", "fsarchiver restfs FILE id=0,dest=DEVICE"),
    (0, b"VMA\0", "a Proxmox VMA backup", "vma extract FILE FOLDER"),
    (0, &[66, 171, 56, 7, 190, 131, 112, 161], "a chunk of a Proxmox backup", PROXMOX),
    (0, &[49, 185, 88, 66, 111, 182, 163, 127], "a chunk of a Proxmox backup", PROXMOX),
    (0, &[123, 103, 133, 190, 34, 45, 76, 240], "a chunk of a Proxmox backup", PROXMOX),
    (0, &[230, 89, 27, 191, 11, 191, 216, 11], "a chunk of a Proxmox backup", PROXMOX),
    (0, &[47, 127, 65, 237, 145, 253, 15, 205], "an index of a Proxmox backup", PROXMOX),
    (0, &[28, 145, 78, 165, 25, 186, 179, 205], "an index of a Proxmox backup", PROXMOX),
    (0, b"BORG_SEG", "a segment of a Borg repository", "borg extract REPOSITORY::ARCHIVE"),
    (0, b"btrfs-stream\0", "a Btrfs send stream", "btrfs receive -f FILE FOLDER"),
    (8, &[0xac, 0xcb, 0xba, 0xf5, 2, 0, 0, 0], "a ZFS send stream", "zfs receive"),
    (8, &[0, 0, 0, 2, 0xf5, 0xba, 0xcb, 0xac], "a ZFS send stream", "zfs receive"),
    (0, b"xFSdump0", "an xfsdump backup", "xfsrestore -f FILE FOLDER"),
    (0, &[0xce, 0x24, 0xb9, 0xa2], "an Acronis backup", ""),
    (0, &[0xfe, 0xef, 0x01], "a Ghost image", ""),
    (0, b"JKCH", "a chunk of Jingku's store", EXPORT),
    (0, b"JKMF", "a manifest of Jingku's store", EXPORT),
    (0, b"LibvirtQemudSave", "the saved memory of a virtual machine", ""),
    (0, b"LibvirtQemudPart", "the saved memory of a virtual machine", ""),
    (0, b"QEVM\0\0\0\x03", "the saved memory of a virtual machine", ""),
    (0, b"KDUMP ", "a memory dump", ""),
    (0, b"SQLite format 3\0", "an SQLite database", ""),
    // Compressed.
    (0, b"\xfd7zXZ\0", "xz", "xz -dk FILE"),
    (0, b"BZh", "bzip2", "bzip2 -dk FILE"),
    (0, b"\x04\x22\x4d\x18", "lz4", "lz4 -d FILE disk.raw"),
    (0, b"\x02\x21\x4c\x18", "lz4", "lz4 -d FILE disk.raw"),
    (0, b"LRZI", "lrzip", "lrzip -d FILE"),
    (0, b"LZIP", "lzip", "lzip -dk FILE"),
    (0, b"\x89LZO\0\x0d\x0a\x1a\x0a", "lzop", "lzop -d FILE"),
    (0, &[0x1f, 0x9d, 0x90], "compress (.Z)", "uncompress FILE"),
    (0, b"\xff\x06\0\0sNaPpY", "snappy", "snzip -d FILE"),
    (0, &[0x5d, 0, 0, 0x80, 0, 0xff, 0xff, 0xff, 0xff], "lzma", "xz -dk --format=lzma FILE"),
    (0, &[0x5d, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff], "lzma", "xz -dk --format=lzma FILE"),
    (0, b"\x27\xb5\x2f\xfd", "zstd of an old version", "zstd -d FILE"),
    // Archives with a magic number.
    (0, b"PK\x03\x04", "a zip archive", "unzip FILE"),
    (0, b"PK\x05\x06", "an empty zip archive", ""),
    (0, b"PK\x07\x08", "a zip archive in parts", "7z x FILE"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", "7z x FILE"),
    (0, b"Rar!\x1a\x07", "a rar archive", "unrar x FILE"),
    (0, b"MSCF\0\0\0\0", "a cabinet archive", "cabextract FILE"),
    (0, b"xar!", "a xar archive", "xar -xf FILE"),
    (0, b"!<arch>\n", "an ar archive, such as a Debian package", "ar x FILE"),
    (0, &[0xed, 0xab, 0xee, 0xdb], "an RPM package", "rpm2cpio FILE | cpio -id"),
    // Encrypted files.
    (0, b"Salted__", "a file encrypted with OpenSSL", "openssl enc -d -in FILE -out disk.raw"),
    (0, b"age-encryption.org/", "a file encrypted with age", "age -d -o disk.raw FILE"),
    // Programs, documents, pictures, sound.
    (0, b"\x7fELF", "a program (ELF)", ""),
    (0, &[0xcf, 0xfa, 0xed, 0xfe], "a program (Mach-O)", ""),
    (0, &[0xca, 0xfe, 0xba, 0xbe, 0, 0], "a program (Java or Mach-O)", ""),
    (0x202, b"HdrS", "a Linux kernel", ""),
    (0, b"%PDF-", "a PDF document", ""),
    (0, b"%!PS-Adobe", "a PostScript document", ""),
    (0, b"{\\rtf", "an RTF document", ""),
    (0, &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1], "a document or installer (OLE)", ""),
    (0, b"\x89PNG\x0d\x0a\x1a\x0a", "a picture (PNG)", ""),
    (0, &[0xff, 0xd8, 0xff], "a picture (JPEG)", ""),
    (0, b"GIF8", "a picture (GIF)", ""),
    (0, b"RIFF", "a picture, sound or film (RIFF)", ""),
    (4, b"ftyp", "a film (MP4)", ""),
    (0, &[0x1a, 0x45, 0xdf, 0xa3], "a film (Matroska)", ""),
    (0, b"\x89HDF\x0d\x0a\x1a\x0a", "an HDF5 file", ""),
    (0, b"OggS\0\x02", "sound or a film (Ogg)", ""),
    (0, b"fLaC\0\0\0\x22", "sound (FLAC)", ""),
    (0, b"II*\0\x08\0\0\0", "a picture (TIFF)", ""),
    (0, b"GGUF", "a model (GGUF)", ""),
    (0, b"\x93NUMPY", "a NumPy array", ""),
    (0, b"\0asm\x01\0\0\0", "a program (WebAssembly)", ""),
];

pub(super) fn by_magic(probe: &Probe<'_>) -> Option<Foreign> {
    let known = MAGICS.iter().find(|(at, magic, ..)| probe.has(*at, magic));
    if let Some((_, _, name, command)) = known {
        return Some(Foreign::new(name, command));
    }
    if probe.has(0, b"TAPE") && probe.bytes(10, 1) == Some(&[14]) {
        return Some(Foreign::new("a Windows backup (BKF)", "mtftar -f FILE | tar -x"));
    }
    if is_windows_program(probe) {
        return Some(Foreign::new("a program (Windows or UEFI)", ""));
    }
    if is_dump(probe) {
        return Some(Foreign::new("a dump of a file system", "restore -rf FILE"));
    }
    is_dar(probe).then_some(Foreign::new("a dar archive", "dar -x FILE"))
}

/// Detects a format by its end. Without the end it is a raw disk, so an image of it would be too long.
pub(super) fn by_footer(probe: &Probe<'_>) -> Option<Foreign> {
    // Old versions of Virtual PC wrote one byte less.
    let vhd = [512, 511].iter().any(|before| {
        probe
            .at_end(*before, 16)
            .is_some_and(|footer| footer.starts_with(b"conectix") && footer[12..16] == [0, 1, 0, 0])
    });
    if vhd {
        return Some(Foreign::new("VHD", "qemu-img convert -f vpc -O qcow2 FILE disk.qcow2"));
    }
    if probe.at_end(512, 12) == Some(b"koly\0\0\0\x04\0\0\x02\0") {
        return Some(Foreign::new("a DMG image", "qemu-img convert -f dmg -O qcow2 FILE disk.qcow2"));
    }
    if probe.at_end(12, 12) == Some(b"MACRIUM_FILE") {
        return Some(Foreign::new("a Macrium Reflect backup", ""));
    }
    is_nrg(probe).then_some(Foreign::new("a Nero image (NRG)", "nrg2iso FILE disk.iso"))
}

/// The footer points to the list of tracks, which follows the tracks.
fn is_nrg(probe: &Probe<'_>) -> bool {
    let new = probe.at_end(12, 12).and_then(|footer| footer.strip_prefix(b"NER5"));
    let old = probe.at_end(8, 8).and_then(|footer| footer.strip_prefix(b"NERO"));
    let begins_at = new.or(old).map(|at| at.iter().fold(0, |at, byte| at << 8 | u64::from(*byte)));
    begins_at.is_some_and(|at| (1..probe.size).contains(&at))
}

/// A DOS header that points to a PE header.
fn is_windows_program(probe: &Probe<'_>) -> bool {
    probe.has(0, b"MZ") && probe.u32_le(0x3c).is_some_and(|at| probe.has(u64::from(at), b"PE\0\0"))
}

/// The header of dump(8): 256 words with a fixed sum.
fn is_dump(probe: &Probe<'_>) -> bool {
    const MAGICS: [u32; 2] = [60_011, 60_012];
    const SUM: u32 = 84_446;
    let Some(header) = probe.bytes(0, 1024) else { return false };
    let is = |word: fn([u8; 4]) -> u32| {
        let words = || header.as_chunks::<4>().0.iter().map(|bytes| word(*bytes));
        words().nth(6).is_some_and(|magic| MAGICS.contains(&magic))
            && words().fold(0, u32::wrapping_add) == SUM
    };
    is(u32::from_le_bytes) || is(u32::from_be_bytes)
}

/// A number, ten bytes that name the archive, whether another slice follows, and whether fields follow.
fn is_dar(probe: &Probe<'_>) -> bool {
    probe.has(0, &[0, 0, 0, 123])
        && probe.bytes(14, 2).is_some_and(|flags| b"TNE".contains(&flags[0]) && b"NST".contains(&flags[1]))
}
