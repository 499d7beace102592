//! Disks to create images from.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

/// The server cuts disks into chunks of this many bytes.
pub(crate) const CHUNK: usize = 256 << 10;

/// A disk of `chunks` chunks: every third is a hole, the others differ, and the last is not full.
pub(crate) fn bytes(chunks: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; chunks * CHUNK - 5 * 512];
    for (index, chunk) in bytes.chunks_mut(CHUNK).enumerate() {
        if index % 3 != 1 {
            noise(seed * 1_000_003 + index as u64, chunk);
        }
    }
    // One partition and a boot signature, as on a real disk.
    bytes[446..512].fill(0);
    bytes[450] = 0x83;
    bytes[455] = 1;
    bytes[459] = 1;
    bytes[510..512].copy_from_slice(&[0x55, 0xaa]);
    bytes
}

/// Fills with bytes that do not compress.
pub(crate) fn noise(seed: u64, bytes: &mut [u8]) {
    fastrand::Rng::with_seed(seed).fill(bytes);
}

/// Packs bytes as gzip without compressing them, so that the size stays.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Writes a disk; zeros become holes.
pub(crate) fn write(path: &Path, bytes: &[u8]) {
    let file = File::create_new(path).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    for (index, chunk) in bytes.chunks(CHUNK).enumerate() {
        if chunk.iter().any(|byte| *byte != 0) {
            file.write_all_at(chunk, (index * CHUNK) as u64).unwrap();
        }
    }
}
