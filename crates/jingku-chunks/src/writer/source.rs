//! Where a writer finds bytes that it reads itself.

use std::error::Error;

/// A disk that several threads read from at once.
pub trait Source: Send + Sync + 'static {
    /// Fills `buf` with the bytes from `offset` on, holes as zeros. What it fails with comes back to the writer's caller
    /// in [`Error::Source`](crate::Error::Source).
    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), Box<dyn Error + Send + Sync>>;
}

impl Source for Vec<u8> {
    fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let start = usize::try_from(offset)?;
        let bytes = start.checked_add(buf.len()).and_then(|end| self.get(start..end));
        buf.copy_from_slice(bytes.ok_or("it ends too early")?);
        Ok(())
    }
}
