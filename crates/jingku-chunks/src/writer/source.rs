//! A disk that a writer reads itself.

use std::error::Error;

/// A disk that several threads read at once.
pub trait Source: Send + Sync + 'static {
    /// Fills `buf` with the bytes from `offset` on, holes as zeros. Its errors reach the writer's caller as
    /// [`Error::Source`](crate::Error::Source).
    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), Box<dyn Error + Send + Sync>>;

    /// Whether small reads cost no more than large ones. If so, each chunk is read right before it is hashed, while it
    /// is in the core's cache.
    fn reads_small(&self) -> bool {
        false
    }
}
