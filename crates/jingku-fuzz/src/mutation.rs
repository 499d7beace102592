//! Random changes to bytes, the same for the same seed.

use fastrand::Rng;

/// Boundary values of formats.
const EDGES: [u64; 14] = [
    0,
    1,
    7,
    0xff,
    0x1000,
    0xffff,
    1 << 16,
    (4 << 20) + 1,
    0x7fff_ffff,
    0xffff_ffff,
    1 << 50,
    (1 << 50) + 1,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// Longest generated input, in bytes.
const INPUT_BYTES_MAX: usize = 256 << 10;

/// Generates changed inputs; a seed names a case.
pub struct Mutations {
    random: Rng,
}

impl Mutations {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Self {
        Self { random: Rng::with_seed(seed) }
    }

    /// Returns one of these inputs with one to eight changes.
    pub fn next(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = self.random.choice(corpus).cloned().unwrap_or_default();
        for _ in 0..self.random.u8(1..=8) {
            self.change(&mut bytes, corpus);
        }
        bytes.truncate(INPUT_BYTES_MAX);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.place(bytes.len());
        match self.random.usize(..10) {
            0 | 1 if at < bytes.len() => bytes[at] ^= 1 << self.random.usize(..8),
            2 if at < bytes.len() => bytes[at] = self.random.u8(..),
            3 | 4 => {
                let edge = EDGES[self.random.usize(..EDGES.len())];
                // Or a value next to it.
                let edge = edge.wrapping_add(self.random.u64(..3)).wrapping_sub(1);
                let width = 1 << self.random.usize(..4);
                let field = if self.random.bool() { edge.to_le_bytes() } else { edge.to_be_bytes() };
                let field = if edge.to_le_bytes() == field { &field[..width] } else { &field[8 - width..] };
                let aligned = at / width * width;
                if let Some(place) = bytes.get_mut(aligned..aligned + width) {
                    place.copy_from_slice(field);
                }
            }
            5 => bytes.truncate(at),
            6 => {
                let end = (at + self.random.usize(..64)).min(bytes.len());
                bytes.drain(at..end);
            }
            7 => {
                let end = (at + self.random.usize(..64)).min(bytes.len());
                let copied = bytes[at..end].to_vec();
                let to = self.place(bytes.len());
                bytes.splice(to..to, copied);
            }
            8 => {
                let end = (at + self.random.usize(..64)).min(bytes.len());
                let to = self.place(bytes.len()).min(bytes.len() - (end - at));
                bytes.copy_within(at..end, to);
            }
            _ => {
                if let Some(other) = self.random.choice(corpus) {
                    let from = self.place(other.len());
                    bytes.truncate(at);
                    bytes.extend(&other[from..]);
                }
            }
        }
    }

    /// A position up to the end; mostly near the start, where formats have their headers.
    fn place(&mut self, length: usize) -> usize {
        let within = if self.random.bool() { length.min(128) } else { length };
        self.random.usize(..=within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_determines_the_sequence() {
        let corpus = [b"jingku".repeat(40), vec![0; 20]];
        let cases = |seed| -> Vec<_> {
            let mut mutations = Mutations::new(seed);
            (0..200).map(|_| mutations.next(&corpus)).collect()
        };
        assert_eq!(cases(7), cases(7));
        assert_ne!(cases(7), cases(8));
        let changed = cases(7).iter().filter(|case| !corpus.contains(case)).count();
        assert!(changed > 180, "{changed}");
    }
}
