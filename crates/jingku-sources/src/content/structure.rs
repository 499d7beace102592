//! Structures that only disks have: partition tables, file systems, volume managers, swap.
//!
//! A magic number of two bytes is not sufficient: one in 65,536 compressed files has it. Such formats must have other
//! plausible fields.

use super::probe::Probe;

/// Magic numbers of at least four bytes at a fixed offset.
const MAGICS: &[(u64, &[u8], &str)] = &[
    (512, b"EFI PART\0\0\x01\0", "a GPT partition table"),
    (2048, b"EFI PART\0\0\x01\0", "a GPT partition table"),
    (4096, b"EFI PART\0\0\x01\0", "a GPT partition table"),
    (0, &[0x0b, 0xe5, 0xa9, 0x41], "an SGI disk label"),
    (512, &[0x57, 0x45, 0x56, 0x82], "a BSD disk label"),
    (3, b"NTFS    ", "an NTFS file system"),
    (3, b"EXFAT   ", "an exFAT file system"),
    (3, b"ReFS\0\0\0\0", "a ReFS file system"),
    (3, b"-FVE-FS-", "a BitLocker volume"),
    (0, b"LUKS\xba\xbe", "a LUKS volume"),
    (0x1_0040, b"_BHRfS_M", "a Btrfs file system"),
    (1024, &[0x10, 0x20, 0xf5, 0xf2], "an F2FS file system"),
    (1024, &[0xe2, 0xe1, 0xf5, 0xe0], "an EROFS file system"),
    (0, b"hsqs", "a SquashFS file system"),
    (0, b"sqsh", "a SquashFS file system"),
    (0, &[0x45, 0x3d, 0xcd, 0x28], "a cramfs file system"),
    (0, b"-rom1fs-", "a ROMFS file system"),
    (0x8001, b"CD001", "an ISO 9660 file system"),
    (0x8001, b"BEA01", "a UDF file system"),
    (0x8801, b"NSR0", "a UDF file system"),
    (0x9001, b"NSR0", "a UDF file system"),
    (0x1_0034, b"ReIsErFs", "a ReiserFS file system"),
    (0x1_0034, b"ReIsEr2Fs", "a ReiserFS file system"),
    (0x1_0034, b"ReIsEr3Fs", "a ReiserFS file system"),
    (0x2034, b"ReIsErFs", "a ReiserFS file system"),
    (0x1_0000, b"ReIsEr4", "a Reiser4 file system"),
    (0x8000, b"JFS1", "a JFS file system"),
    (1024, b"H+\0\x04", "an HFS+ file system"),
    (1024, b"HX\0\x05", "an HFS+ file system"),
    (32, b"NXSB", "an APFS container"),
    (8192 + 1372, &[0x54, 0x19, 0x01, 0x00], "a UFS file system"),
    (8192 + 1372, &[0x00, 0x01, 0x19, 0x54], "a UFS file system"),
    (65536 + 1372, &[0x19, 0x01, 0x54, 0x19], "a UFS file system"),
    (65536 + 1372, &[0x19, 0x54, 0x01, 0x19], "a UFS file system"),
    (0x1_0000, &[0x01, 0x16, 0x19, 0x70], "a GFS2 file system"),
    (0x400, b"OCFSV2", "an OCFS2 file system"),
    (0x2000, b"OCFSV2", "an OCFS2 file system"),
    (
        4096 + 24,
        &[0xc6, 0x85, 0x73, 0xf6, 0x4e, 0x1a, 0x45, 0xca, 0x82, 0x65, 0xf5, 0x7f, 0x48, 0xba, 0x6d, 0x81],
        "a bcache or bcachefs device",
    ),
    (
        4096 + 24,
        &[0xc6, 0x85, 0x73, 0xf6, 0x66, 0xce, 0x90, 0xa9, 0xd9, 0x6a, 0x60, 0xcf, 0x80, 0x3d, 0xf7, 0xef],
        "a bcachefs file system",
    ),
    (0, &[0xfc, 0x4e, 0x2b, 0xa9, 1, 0, 0, 0], "a Linux software RAID member"),
    (4096, &[0xfc, 0x4e, 0x2b, 0xa9, 1, 0, 0, 0], "a Linux software RAID member"),
    (0, b"bluestore block device", "a Ceph BlueStore device"),
    (0, b"dmvdo001", "a VDO volume"),
    (0, b"verity\0\0", "a dm-verity volume"),
    (512, b"!Stra0tis\x86\xff\x02^", "a Stratis device"),
];

/// The mark is in the last ten bytes of the first page.
const SWAP_PAGES: [u64; 5] = [4096, 8192, 16384, 32768, 65536];
const SWAP_MARKS: [&[u8; 10]; 4] = [b"SWAPSPACE2", b"SWAP-SPACE", b"S1SUSPEND\0", b"LINHIB0001"];

pub(super) fn find(probe: &Probe<'_>) -> Option<&'static str> {
    type Look = fn(&Probe<'_>) -> bool;
    let validated: [(Look, &str); 15] = [
        (has_mbr, "an MBR partition table"),
        (has_backup_gpt, "a GPT partition table"),
        (has_apple_map, "an Apple partition map"),
        (has_sun_label, "a Sun disk label"),
        (has_ext, "an ext2, ext3 or ext4 file system"),
        (has_xfs, "an XFS file system"),
        (has_fat, "a FAT file system"),
        (has_hfs, "an HFS file system"),
        (has_nilfs, "a NILFS2 file system"),
        (has_zfs, "a ZFS pool member"),
        (has_swap, "a swap area"),
        (has_lvm, "an LVM physical volume"),
        (has_md_at_end, "a Linux software RAID member"),
        (has_firmware_raid, "a firmware RAID member"),
        (has_late_udf, "a UDF file system"),
    ];
    let by_magic = MAGICS.iter().find(|(at, magic, _)| probe.has(*at, magic)).map(|(_, _, name)| *name);
    by_magic.or_else(|| validated.iter().find(|(look, _)| look(probe)).map(|(_, name)| *name))
}

/// The signature and four plausible partitions, at least one in use.
fn has_mbr(probe: &Probe<'_>) -> bool {
    if !probe.has(510, &[0x55, 0xaa]) {
        return false;
    }
    let sectors = probe.size.div_ceil(512);
    let mut partitions = 0;
    for at in (446..510).step_by(16) {
        let [active, _, _, _, kind] = probe.field(at).unwrap_or_default();
        let (start, length) = (probe.u32_le(at + 8).unwrap_or(0), probe.u32_le(at + 12).unwrap_or(0));
        if active & 0x7f != 0 {
            return false;
        }
        if kind == 0 && length == 0 {
            continue;
        }
        if kind == 0 || length == 0 || u64::from(start) >= sectors {
            return false;
        }
        partitions += 1;
    }
    partitions > 0
}

/// The backup in the last sector, if the first copy was overwritten.
fn has_backup_gpt(probe: &Probe<'_>) -> bool {
    [512, 4096].iter().any(|sector| probe.at_end(*sector, 12) == Some(b"EFI PART\0\0\x01\0"))
}

fn has_apple_map(probe: &Probe<'_>) -> bool {
    probe.has(0, b"ER") && [512, 1024, 2048].iter().any(|sector| probe.has(*sector, b"PM\0\0"))
}

/// Its magic number and checksum.
fn has_sun_label(probe: &Probe<'_>) -> bool {
    let Some(label) = probe.bytes(0, 512).filter(|label| label[508..510] == [0xda, 0xbe]) else {
        return false;
    };
    label.as_chunks::<2>().0.iter().fold(0, |sum, word| sum ^ u16::from_be_bytes(*word)) == 0
}

fn has_ext(probe: &Probe<'_>) -> bool {
    let at = 1024;
    let field = |offset| probe.u32_le(at + offset);
    probe.u16_le(at + 56) == Some(0xef53)
        && field(0).is_some_and(|inodes| inodes > 0)
        && field(4).is_some_and(|blocks| blocks > 0)
        && field(24).is_some_and(|block_size| block_size <= 6)
        && probe.u16_le(at + 58).is_some_and(|state| state <= 7)
        && field(72).is_some_and(|creator| creator <= 4)
        && field(76).is_some_and(|revision| revision <= 1)
}

fn has_xfs(probe: &Probe<'_>) -> bool {
    let block_size = probe.field(4).map(u32::from_be_bytes).filter(|_| probe.has(0, b"XFSB"));
    block_size.is_some_and(|size| (512..=65536).contains(&size) && size.is_power_of_two())
}

/// Fields that every FAT has in its first sector.
fn has_fat(probe: &Probe<'_>) -> bool {
    let Some(sector) = probe.bytes(0, 512) else { return false };
    let word = |at: usize| u16::from_le_bytes([sector[at], sector[at + 1]]);
    let jump = matches!(sector[..3], [0xeb, _, 0x90] | [0xe9, ..]);
    let named = &sector[54..57] == b"FAT" || &sector[82..87] == b"FAT32";
    (named || jump && sector[510..512] == [0x55, 0xaa])
        && matches!(word(11), 512 | 1024 | 2048 | 4096)
        && sector[13].is_power_of_two()
        && word(14) > 0
        && matches!(sector[16], 1 | 2)
        && matches!(sector[21], 0xf0 | 0xf8..=0xff)
}

fn has_hfs(probe: &Probe<'_>) -> bool {
    let block_size = probe.field(1024 + 20).map(u32::from_be_bytes).filter(|_| probe.has(1024, b"BD"));
    block_size.is_some_and(|size| size > 0 && size.is_multiple_of(512))
        && probe.bytes(1024 + 36, 1).is_some_and(|length| (1..=27).contains(&length[0]))
}

fn has_nilfs(probe: &Probe<'_>) -> bool {
    probe.has(1024 + 6, &[0x34, 0x34]) && probe.u32_le(1024) == Some(2)
}

/// One of the uberblocks of the first label.
fn has_zfs(probe: &Probe<'_>) -> bool {
    const UBERBLOCK: u64 = 0x00ba_b10c;
    (128..256)
        .filter_map(|kib| probe.field(kib << 10).map(u64::from_le_bytes))
        .any(|magic| magic == UBERBLOCK || magic.swap_bytes() == UBERBLOCK)
}

fn has_swap(probe: &Probe<'_>) -> bool {
    SWAP_PAGES.iter().any(|page| SWAP_MARKS.iter().any(|mark| probe.has(page - 10, *mark)))
}

/// A label in one of the first four sectors.
fn has_lvm(probe: &Probe<'_>) -> bool {
    (0..4).map(|sector| sector * 512).any(|at| probe.has(at, b"LABELONE") && probe.has(at + 24, b"LVM2 001"))
}

/// Versions 0.90 and 1.0 are at the end.
fn has_md_at_end(probe: &Probe<'_>) -> bool {
    const MAGIC: u32 = 0xa92b_4efc;
    let old = (probe.size & !0xffff).checked_sub(0x1_0000);
    let new = (probe.size / 512).checked_sub(16).map(|sector| (sector & !7) * 512);
    let is = |at: Option<u64>, version: u32| {
        at.is_some_and(|at| probe.u32_le(at) == Some(MAGIC) && probe.u32_le(at + 4) == Some(version))
    };
    is(old, 0) || is(new, 1)
}

fn has_firmware_raid(probe: &Probe<'_>) -> bool {
    probe.at_end(1024, 24) == Some(b"Intel Raid ISM Cfg Sig. ")
        || probe.at_end(512, 4) == Some(&[0xde, 0x11, 0xde, 0x11])
}

/// The volume recognition sequence may follow that of an ISO, in sectors of 2 KiB or 4 KiB.
fn has_late_udf(probe: &Probe<'_>) -> bool {
    (16..32).map(|sector| sector * 2048 + 1).any(|at| probe.has(at, b"NSR02") || probe.has(at, b"NSR03"))
}
