//! Small disks with incompressible data, text, holes, and an end that is not aligned to a chunk.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use jingku_library::{DiskFormat, Qcow2Writer, Random, SeededRandom};

use super::Service;

/// Size of a small disk: 4 MiB and three sectors.
pub(crate) const DISK_BYTES: usize = (4 << 20) + 3 * 512;
const BLOCK: usize = 64 << 10;
/// Size of a large disk, which takes a while to read: 64 MiB without holes or equal chunks.
pub(crate) const LARGE_BYTES: u64 = 64 << 20;

/// The end of the first sector: a partition table with one entry, and the boot signature.
const PARTITION: [u8; 66] = {
    let mut table = [0; 66];
    table[4] = 0x83;
    table[9] = 8;
    table[13] = 8;
    table[64] = 0x55;
    table[65] = 0xaa;
    table
};

/// The content of the small disk with this seed.
pub(crate) fn disk_bytes(seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; DISK_BYTES];
    SeededRandom::new(seed).fill(&mut bytes[..700 << 10]);
    bytes[446..512].copy_from_slice(&PARTITION);
    // Text in the middle of a chunk after a hole, and a copy of the first chunk.
    bytes[2 << 20..][..11].copy_from_slice(b"hello world");
    bytes.copy_within(..256 << 10, 3 << 20);
    bytes[DISK_BYTES - 5..].copy_from_slice(b"tail!");
    bytes
}

/// Writes the small disk with this seed as a sparse file.
pub(crate) fn write_disk(path: &Path, format: DiskFormat, seed: u64) {
    let bytes = disk_bytes(seed);
    let blocks = bytes.chunks(BLOCK).enumerate().filter(|(_, block)| block.iter().any(|byte| *byte != 0));
    let blocks = blocks.map(|(index, block)| ((index * BLOCK) as u64, block));
    match format {
        DiskFormat::Raw => {
            let file = File::create_new(path).unwrap();
            file.set_len(DISK_BYTES as u64).unwrap();
            blocks.for_each(|(offset, block)| file.write_all_at(block, offset).unwrap());
        }
        DiskFormat::Qcow2 => {
            let mut writer = Qcow2Writer::create(path, DISK_BYTES as u64).unwrap();
            blocks.for_each(|(offset, block)| writer.write_at(offset, block).unwrap());
            writer.finish().unwrap();
        }
    }
}

/// The content of a large disk.
pub(crate) fn large_disk_bytes() -> Vec<u8> {
    let mut block = vec![0; BLOCK];
    SeededRandom::new(0).fill(&mut block);
    let blocks = (0..LARGE_BYTES / BLOCK as u64).flat_map(|number| {
        block[..8].copy_from_slice(&number.to_le_bytes());
        block.clone()
    });
    blocks.collect()
}

/// Writes a large raw disk.
pub(crate) fn write_large_disk(path: &Path) {
    std::fs::write(path, large_disk_bytes()).unwrap();
}

impl Service {
    /// Makes an image that is larger than all socket and channel buffers.
    pub(crate) async fn large_image(&self) -> String {
        let disk = self.folder.path().join("large.raw");
        write_large_disk(&disk);
        self.instance("uhost-large", &disk).await;
        self.make("uhost-large", "large").await
    }
}
