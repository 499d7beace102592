//! Fields in the head and the tail of a file.

/// The head and the tail of a file.
pub(super) struct Probe<'a> {
    pub(super) head: &'a [u8],
    pub(super) tail: &'a [u8],
    pub(super) size: u64,
}

impl<'a> Probe<'a> {
    /// Bytes at an offset of the file, if they are in its head or its tail.
    pub(super) fn bytes(&self, at: u64, len: usize) -> Option<&'a [u8]> {
        let within = |from: u64, end: &'a [u8]| {
            let start = usize::try_from(at.checked_sub(from)?).ok()?;
            end.get(start..start.checked_add(len)?)
        };
        within(0, self.head).or_else(|| within(self.size.checked_sub(self.tail.len() as u64)?, self.tail))
    }

    /// Bytes that begin `before` the end.
    pub(super) fn at_end(&self, before: u64, len: usize) -> Option<&'a [u8]> {
        self.bytes(self.size.checked_sub(before)?, len)
    }

    pub(super) fn has(&self, at: u64, magic: &[u8]) -> bool {
        self.bytes(at, magic.len()) == Some(magic)
    }

    pub(super) fn field<const N: usize>(&self, at: u64) -> Option<[u8; N]> {
        self.bytes(at, N)?.try_into().ok()
    }

    pub(super) fn u16_le(&self, at: u64) -> Option<u16> {
        self.field(at).map(u16::from_le_bytes)
    }

    pub(super) fn u32_le(&self, at: u64) -> Option<u32> {
        self.field(at).map(u32::from_le_bytes)
    }
}

/// Whether all bytes are zero. Here, because this crate is compiled for speed.
pub fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<64>();
    words.iter().all(|word| *word == [0; 64]) && rest.iter().all(|byte| *byte == 0)
}
