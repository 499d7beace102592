//! Where a writer finds bytes that it reads itself.

use std::error::Error;

/// A disk that several threads read from at once.
pub trait Source: Send + Sync + 'static {
    /// Fills `buf` with the bytes from `offset` on, holes as zeros. What it fails with comes back to the writer's caller
    /// in [`Error::Source`](crate::Error::Source).
    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), Box<dyn Error + Send + Sync>>;

    /// Tells that reading chunk by chunk costs no more than reading many at once. Then each is read right before it is
    /// hashed, and is in the core's cache yet.
    fn reads_small(&self) -> bool {
        false
    }
}
