//! Small real disks for trying Jingku out: a partition table, a FAT16 volume, three files.
#![expect(
    clippy::cast_possible_truncation,
    reason = "a disk of 64 MiB; a serial number is the lower half of a seed"
)]

mod fat16;

use std::fs::File;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use crate::{DiskError, DiskFormat, Qcow2Writer};

/// Size of a demo disk: large enough for FAT16 and for a progress bar, mostly holes.
pub const DEMO_DISK_BYTES: u64 = 64 << 20;

const SECTOR_BYTES: u64 = 512;
/// Where partitions start on every disk made since 2010: aligned for flash.
const PARTITION_START_SECTOR: u64 = 2048;
/// Partition type of FAT16 addressed by sector number.
const PARTITION_TYPE_FAT16: u8 = 0x0e;
const BASE_BYTES: usize = 6 << 20;
const WEIGHTS_BYTES: usize = 3 << 20;

const README: &str = "\
This is a demo disk of Jingku.\r\n\
\r\n\
BASE.BIN is the same on every demo disk, as a system is on every machine made\r\n\
from it: saved twice, it is stored once. WEIGHTS.BIN is this machine's own work.\r\n";

/// Bytes that lie at an offset, between which everything is zero.
struct Piece {
    offset: u64,
    bytes: Vec<u8>,
}

/// Writes a demo disk of [`DEMO_DISK_BYTES`] to `path`, which must not exist.
///
/// The same `seed` gives the same bytes. Two seeds give disks which differ in one of their files, so that saving
/// both shows what is shared.
pub fn write_demo_disk(path: &Path, format: DiskFormat, seed: u64) -> Result<(), DiskError> {
    let pieces = layout(seed);
    match format {
        DiskFormat::Raw => write_raw(path, &pieces),
        DiskFormat::Qcow2 => {
            let mut writer = Qcow2Writer::create(path, DEMO_DISK_BYTES)?;
            for piece in &pieces {
                writer.write_at(piece.offset, &piece.bytes)?;
            }
            writer.finish()
        }
    }
}

fn write_raw(path: &Path, pieces: &[Piece]) -> Result<(), DiskError> {
    let file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(DiskError::io("create", path))?;
    let write = || {
        file.set_len(DEMO_DISK_BYTES)?;
        pieces.iter().try_for_each(|piece| file.write_all_at(&piece.bytes, piece.offset))?;
        file.sync_all()
    };
    write().map_err(DiskError::io("write", path))
}

fn layout(seed: u64) -> Vec<Piece> {
    let sectors = DEMO_DISK_BYTES / SECTOR_BYTES - PARTITION_START_SECTOR;
    let volume = fat16::Volume {
        sectors: sectors as u32,
        sectors_before: PARTITION_START_SECTOR as u32,
        serial: seed as u32,
    };
    let files = [
        fat16::File { name: *b"README  TXT", content: README.as_bytes().to_vec() },
        fat16::File { name: *b"BASE    BIN", content: noise(0, BASE_BYTES as u64) },
        fat16::File { name: *b"WEIGHTS BIN", content: noise(seed.wrapping_add(1), WEIGHTS_BYTES as u64) },
    ];
    let mut pieces = vec![Piece { offset: 0, bytes: partition_table(&volume) }];
    pieces.extend(
        volume
            .layout(&files)
            .into_iter()
            .map(|piece| Piece { offset: piece.offset + PARTITION_START_SECTOR * SECTOR_BYTES, ..piece }),
    );
    pieces
}

/// A master boot record with one partition.
fn partition_table(volume: &fat16::Volume) -> Vec<u8> {
    let mut sector = vec![0; SECTOR_BYTES as usize];
    // Addresses by cylinder, head and sector: "too far to say", which every reader takes as "use the numbers".
    let beyond_chs = [0xfe, 0xff, 0xff];
    sector[440..444].copy_from_slice(&volume.serial.to_le_bytes());
    sector[447..450].copy_from_slice(&beyond_chs);
    sector[450] = PARTITION_TYPE_FAT16;
    sector[451..454].copy_from_slice(&beyond_chs);
    sector[454..458].copy_from_slice(&volume.sectors_before.to_le_bytes());
    sector[458..462].copy_from_slice(&volume.sectors.to_le_bytes());
    sector[510..].copy_from_slice(&[0x55, 0xaa]);
    sector
}

/// Bytes that do not compress, the same for the same seed (`SplitMix64`).
pub(crate) fn noise(seed: u64, len: u64) -> Vec<u8> {
    let len = len as usize;
    let mut state = seed;
    let mut bytes = Vec::with_capacity(len);
    while bytes.len() < len {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}
