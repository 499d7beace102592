//! Laying out a FAT16 volume: boot sector, two tables, one folder, files in one piece each.
//!
//! After Microsoft's "FAT: General Overview of On-Disk Format", version 1.03.
#![expect(
    clippy::cast_possible_truncation,
    reason = "a volume of 128 MiB at most: every count fits its field"
)]

use super::{Piece, SECTOR_BYTES};

const SECTORS_PER_CLUSTER: u32 = 4;
const CLUSTER_BYTES: usize = SECTORS_PER_CLUSTER as usize * SECTOR_BYTES as usize;
const BOOT_SECTORS: u32 = 1;
const TABLES: u32 = 2;
const ROOT_ENTRIES: u32 = 512;
const ENTRY_BYTES: usize = 32;
const ROOT_SECTORS: u32 = ROOT_ENTRIES * ENTRY_BYTES as u32 / SECTOR_BYTES as u32;
const MEDIA_FIXED_DISK: u8 = 0xf8;
const END_OF_CHAIN: u16 = 0xffff;
const FIRST_CLUSTER: u16 = 2;
const ATTRIBUTE_VOLUME_LABEL: u8 = 0x08;
const ATTRIBUTE_ARCHIVE: u8 = 0x20;
const LABEL: &[u8; 11] = b"JINGKU DEMO";
/// 1 January 2026, as years since 1980, month, day. Fixed, so that the same disk has the same bytes.
const DATE: u16 = (46 << 9) | (1 << 5) | 1;

/// A volume of 16 to 128 MiB, which is FAT16 at clusters of 2 KiB.
pub(super) struct Volume {
    pub(super) sectors: u32,
    /// Sectors of the disk before the volume.
    pub(super) sectors_before: u32,
    pub(super) serial: u32,
}

/// A file for the root folder.
pub(super) struct File {
    /// Eight characters of name and three of extension, upper case, padded with spaces.
    pub(super) name: [u8; 11],
    pub(super) content: Vec<u8>,
}

impl Volume {
    /// Lays out the volume with its files. Offsets are bytes from the start of the volume.
    pub(super) fn layout(&self, files: &[File]) -> Vec<Piece> {
        let mut table = vec![u16::from_le_bytes([MEDIA_FIXED_DISK, 0xff]), END_OF_CHAIN];
        let mut root = entry(LABEL, ATTRIBUTE_VOLUME_LABEL, 0, 0);
        let mut contents = Vec::new();
        for file in files {
            let first = table.len() as u16;
            let clusters = file.content.len().div_ceil(CLUSTER_BYTES) as u16;
            table.extend(first + 1..first + clusters);
            table.push(END_OF_CHAIN);
            root.extend(entry(&file.name, ATTRIBUTE_ARCHIVE, first, file.content.len() as u32));
            let sector = self.data_sector() + u32::from(first - FIRST_CLUSTER) * SECTORS_PER_CLUSTER;
            contents.push(piece(sector, file.content.clone()));
        }
        let table: Vec<u8> = table.iter().flat_map(|cluster| cluster.to_le_bytes()).collect();

        let mut pieces = vec![piece(0, self.boot_sector())];
        pieces.extend((0..TABLES).map(|n| piece(BOOT_SECTORS + n * self.sectors_per_table(), table.clone())));
        pieces.push(piece(self.data_sector() - ROOT_SECTORS, root));
        pieces.extend(contents);
        pieces
    }

    fn boot_sector(&self) -> Vec<u8> {
        let mut sector = vec![0; SECTOR_BYTES as usize];
        let mut put = |at: usize, bytes: &[u8]| sector[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &[0xeb, 0x3c, 0x90]);
        put(3, b"JINGKU  ");
        put(11, &(SECTOR_BYTES as u16).to_le_bytes());
        put(13, &[SECTORS_PER_CLUSTER as u8]);
        put(14, &(BOOT_SECTORS as u16).to_le_bytes());
        put(16, &[TABLES as u8]);
        put(17, &(ROOT_ENTRIES as u16).to_le_bytes());
        put(21, &[MEDIA_FIXED_DISK]);
        put(22, &(self.sectors_per_table() as u16).to_le_bytes());
        // Sectors per track and heads, of no meaning today; programs want them to be there.
        put(24, &[63, 0, 255, 0]);
        put(28, &self.sectors_before.to_le_bytes());
        put(32, &self.sectors.to_le_bytes());
        put(36, &[0x80, 0, 0x29]);
        put(39, &self.serial.to_le_bytes());
        put(43, LABEL);
        put(54, b"FAT16   ");
        put(510, &[0x55, 0xaa]);
        sector
    }

    /// Enough for every cluster, and for the few which the tables themselves take away.
    fn sectors_per_table(&self) -> u32 {
        let clusters = self.sectors / SECTORS_PER_CLUSTER + u32::from(FIRST_CLUSTER);
        (clusters * 2).div_ceil(SECTOR_BYTES as u32)
    }

    fn data_sector(&self) -> u32 {
        BOOT_SECTORS + TABLES * self.sectors_per_table() + ROOT_SECTORS
    }
}

fn piece(sector: u32, bytes: Vec<u8>) -> Piece {
    Piece { offset: u64::from(sector) * SECTOR_BYTES, bytes }
}

/// One entry of the root folder.
fn entry(name: &[u8; 11], attributes: u8, first_cluster: u16, len: u32) -> Vec<u8> {
    let mut entry = vec![0; ENTRY_BYTES];
    entry[..11].copy_from_slice(name);
    entry[11] = attributes;
    entry[16..18].copy_from_slice(&DATE.to_le_bytes());
    entry[18..20].copy_from_slice(&DATE.to_le_bytes());
    entry[24..26].copy_from_slice(&DATE.to_le_bytes());
    entry[26..28].copy_from_slice(&first_cluster.to_le_bytes());
    entry[28..32].copy_from_slice(&len.to_le_bytes());
    entry
}
