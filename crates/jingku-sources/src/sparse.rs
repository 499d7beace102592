//! Writing a file from start to end, with holes for zeros.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use crate::content::is_zero;

/// Zeros become holes in aligned blocks of this size.
const PIECE_BYTES: u64 = 64 << 10;
/// The unit in which file systems report allocation.
const BLOCK_BYTES: u64 = 512;

/// A file that grows at its end. Zeros take no space.
#[derive(Debug)]
pub struct SparseWriter {
    file: File,
    at: u64,
    data_bytes: u64,
}

impl SparseWriter {
    /// Continues a file that is `at` bytes long.
    pub fn new(file: File, at: u64) -> Self {
        Self { file, at, data_bytes: 0 }
    }

    /// Returns the length in bytes.
    pub fn len(&self) -> u64 {
        self.at
    }

    /// Returns whether the file is empty.
    pub fn is_empty(&self) -> bool {
        self.at == 0
    }

    /// Returns the bytes written by this writer, without skipped zeros.
    pub fn data_bytes(&self) -> u64 {
        self.data_bytes
    }

    /// Appends bytes. After an error, none of them count.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        // The part to write in one call.
        let (mut from, mut to, mut left_out) = (0, 0, 0);
        while to < bytes.len() {
            let within = (self.at + to as u64) % PIECE_BYTES;
            let piece = usize::try_from(PIECE_BYTES - within).unwrap_or(usize::MAX).min(bytes.len() - to);
            let zero = is_zero(&bytes[to..to + piece]);
            if zero {
                self.file.write_all_at(&bytes[from..to], self.at + from as u64)?;
                from = to + piece;
                left_out += piece as u64;
            }
            to += piece;
        }
        self.file.write_all_at(&bytes[from..to], self.at + from as u64)?;
        self.at += bytes.len() as u64;
        self.data_bytes += bytes.len() as u64 - left_out;
        Ok(())
    }

    /// Appends zeros, at no cost.
    pub fn skip(&mut self, count: u64) {
        self.at += count;
    }

    /// Makes the file durable, including zeros at its end. Returns its allocated bytes.
    pub fn sync(&mut self) -> io::Result<u64> {
        self.file.set_len(self.at)?;
        self.file.sync_data()?;
        Ok(self.file.metadata()?.blocks() * BLOCK_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn zeros_become_holes() {
        let mut expected = vec![0_u8; 3 << 20];
        expected[..100_000].fill(1);
        expected[1_000_000] = 7;
        expected[2 << 20] = 9;
        for step in [4096, 65_536, 100_003, 3 << 20] {
            let mut file = tempfile::tempfile().unwrap();
            let mut writer = SparseWriter::new(file.try_clone().unwrap(), 0);
            for piece in expected.chunks(step) {
                writer.append(piece).unwrap();
            }
            let stored = writer.sync().unwrap();
            assert_eq!(stored, file.metadata().unwrap().blocks() * 512);
            let mut found = Vec::new();
            std::io::Seek::rewind(&mut file).unwrap();
            file.read_to_end(&mut found).unwrap();
            assert!(found == expected, "{step}");
            assert!(file.metadata().unwrap().blocks() * 512 < 512 << 10, "{step}");
        }
    }
}
