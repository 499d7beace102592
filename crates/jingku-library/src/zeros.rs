//! Zeros to send, in pieces. In memory, because a constant of them would be as large in the binary.

use std::sync::LazyLock;

use bytes::Bytes;

/// The largest piece.
const PIECE_BYTES: usize = 256 << 10;

/// Returns the first piece of so many zeros.
pub fn zeros(length: u64) -> Bytes {
    static ZEROS: LazyLock<Bytes> = LazyLock::new(|| vec![0; PIECE_BYTES].into());
    ZEROS.slice(..usize::try_from(length).unwrap_or(PIECE_BYTES).min(PIECE_BYTES))
}
