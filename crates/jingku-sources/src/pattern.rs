//! A generated disk: a hole with a little data. Temporary servers make images of it.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::noise::noise;

/// Number of pieces of data, evenly spread.
const PIECES: u64 = 8;
const PIECE_BYTES: u64 = 4096;

/// Generates a disk of any size from a number.
///
/// The first piece is the same for all seeds, like the system on machines made from one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pattern {
    /// Different seeds give different disks.
    pub seed: u64,
}

impl Pattern {
    /// Returns the next range at or after `from` of a disk of `len` bytes that holds data.
    pub(crate) fn next_data(from: u64, len: u64) -> Option<Range<u64>> {
        let next = pieces(len).find(|(_, piece)| piece.end > from)?.1;
        Some(next.start.max(from)..next.end)
    }

    /// Fills `buf` with the bytes from `offset` on of a disk of `len` bytes.
    pub(crate) fn read(self, len: u64, offset: u64, buf: &mut [u8]) {
        buf.fill(0);
        let end = offset + buf.len() as u64;
        for (number, piece) in pieces(len).filter(|(_, piece)| piece.start < end && piece.end > offset) {
            let seed = if number == 0 { 0 } else { self.seed.wrapping_add(number << 48) };
            let bytes = noise(seed, usize::try_from(PIECE_BYTES).expect("a small constant"));
            let shared = piece.start.max(offset)..piece.end.min(end);
            let place = |at: u64| usize::try_from(at).expect("within a buffer");
            let within = |base: u64| place(shared.start - base)..place(shared.end - base);
            buf[within(offset)].copy_from_slice(&bytes[within(piece.start)]);
        }
    }
}

/// The pieces of a disk in order, with their numbers. A disk that is too small has fewer.
fn pieces(len: u64) -> impl Iterator<Item = (u64, Range<u64>)> {
    let step = (len / PIECES).next_multiple_of(PIECE_BYTES);
    (0..PIECES)
        .map(move |number| (number, number * step..(number * step + PIECE_BYTES).min(len)))
        .filter(|(_, piece)| piece.start < piece.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_read_matches_the_whole_pattern() {
        let pattern = Pattern { seed: 7 };
        for len in [1, 4095, 4096, 10_000, 1 << 20] {
            let mut whole = vec![9; usize::try_from(len).unwrap()];
            pattern.read(len, 0, &mut whole);
            for (offset, size) in [(0, 1), (0, 100), (4000, 200), (131_000, 5000), (9_999, 1)] {
                if offset + size <= whole.len() {
                    let mut part = vec![9; size];
                    pattern.read(len, offset as u64, &mut part);
                    assert_eq!(part, whole[offset..offset + size], "{len} {offset}");
                }
            }
            let (mut at, mut data) = (0, vec![0; whole.len()]);
            while let Some(range) = Pattern::next_data(at, len) {
                assert!(range.start >= at && range.end > range.start);
                let range_of = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
                data[range_of.clone()].copy_from_slice(&whole[range_of]);
                at = range.end;
            }
            assert_eq!(data, whole, "what is not named is zero");
        }
    }

    #[test]
    fn seeds_share_their_first_piece_only() {
        let read = |seed| {
            let mut bytes = vec![0; 1 << 20];
            Pattern { seed }.read(1 << 20, 0, &mut bytes);
            bytes
        };
        let (one, other) = (read(1), read(2));
        assert_eq!(one[..4096], other[..4096]);
        assert_ne!(one[131_072..135_168], other[131_072..135_168]);
    }
}
