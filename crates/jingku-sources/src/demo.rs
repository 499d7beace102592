//! Small real disks to try Jingku out: a partition table, a FAT16 volume, three files.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::content::is_zero;
use crate::error::DiskError;
use crate::format::DiskFormat;
use crate::noise::noise;
use crate::qcow2::Qcow2Writer;
use crate::sparse::SparseWriter;

/// Size of a demo disk: large enough for FAT16 and for a progress bar, mostly holes.
pub const DEMO_DISK_BYTES: u64 = 64 << 20;

/// The start of every demo disk, compressed with zstd: partition table, FAT16 structures and `README.TXT`.
const HEAD: &[u8] = include_bytes!("demo/head.raw.zst");
/// Size of [`HEAD`] when decompressed. `BASE.BIN` follows it, then `WEIGHTS.BIN`.
const HEAD_BYTES: usize = 0x12_4600;
const BASE_BYTES: usize = 6 << 20;
const WEIGHTS_BYTES: usize = 3 << 20;
/// Serial numbers of the disk and of the volume: the low half of the seed.
const SERIAL_OFFSETS: [usize; 2] = [440, 0x10_0027];
const CLUSTER_BYTES: usize = 64 << 10;

/// Writes a demo disk of [`DEMO_DISK_BYTES`] to `path`, which must not exist.
///
/// The same `seed` gives the same bytes. Disks of different seeds differ in one file, so saving both shows what is
/// shared.
pub fn write_demo_disk(path: &Path, format: DiskFormat, seed: u64) -> Result<(), DiskError> {
    let data = data(seed).map_err(DiskError::io("create", path))?;
    match format {
        DiskFormat::Raw => write_raw(path, &data),
        DiskFormat::Qcow2 => write_qcow2(path, &data),
    }
}

/// The demo disk up to its last byte that is not zero.
fn data(seed: u64) -> io::Result<Vec<u8>> {
    let mut data = zstd::bulk::decompress(HEAD, HEAD_BYTES)?;
    for offset in SERIAL_OFFSETS {
        data[offset..offset + 4].copy_from_slice(&seed.to_le_bytes()[..4]);
    }
    data.extend(noise(0, BASE_BYTES));
    data.extend(noise(seed.wrapping_add(1), WEIGHTS_BYTES));
    Ok(data)
}

fn write_raw(path: &Path, data: &[u8]) -> Result<(), DiskError> {
    let file = File::options().write(true).create_new(true).mode(0o600).open(path);
    let mut writer = SparseWriter::new(file.map_err(DiskError::io("create", path))?, 0);
    let written = writer.append(data).and_then(|()| {
        writer.skip(DEMO_DISK_BYTES - data.len() as u64);
        writer.sync()
    });
    written.map(drop).map_err(DiskError::io("write", path))
}

fn write_qcow2(path: &Path, data: &[u8]) -> Result<(), DiskError> {
    let mut writer = Qcow2Writer::create(path, DEMO_DISK_BYTES)?;
    for (number, cluster) in data.chunks(CLUSTER_BYTES).enumerate().filter(|(_, cluster)| !is_zero(cluster)) {
        writer.write_at((number * CLUSTER_BYTES) as u64, cluster)?;
    }
    writer.finish()
}
