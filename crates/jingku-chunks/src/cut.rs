//! How disks are cut into chunks.

/// Default chunk size: 256 KiB. `docs/format/README.md` has the measurement.
pub const CHUNK_SIZE: u64 = 256 << 10;

/// Default zstd level. `docs/format/README.md` has the measurement.
pub const ZSTD_LEVEL: i32 = 1;

/// How a disk is cut and compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Size of every chunk but the last, in bytes: a power of two from 4 KiB to 4 MiB. Only disks of equal chunk size
    /// share chunks.
    pub chunk_size: u64,
    /// Compression level. Reading does not depend on it.
    pub zstd_level: i32,
}

impl Default for Cut {
    fn default() -> Self {
        Self { chunk_size: CHUNK_SIZE, zstd_level: ZSTD_LEVEL }
    }
}
