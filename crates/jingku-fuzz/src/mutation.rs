//! Changes to bytes, the same for the same seed.

/// Values at which formats end, begin or overflow.
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

/// Longest input that is made, in bytes.
const INPUT_BYTES_MAX: usize = 256 << 10;

/// Makes changes to bytes: generator `SplitMix64`, so that a number names every case.
pub struct Mutations(u64);

impl Mutations {
    /// The changes of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// One input of these, changed in one to eight places.
    pub fn next(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = self.pick(corpus).cloned().unwrap_or_default();
        for _ in 0..=self.below(8) {
            self.change(&mut bytes, corpus);
        }
        bytes.truncate(INPUT_BYTES_MAX);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.place(bytes.len());
        match self.below(10) {
            0 | 1 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            2 if at < bytes.len() => bytes[at] = self.random().to_le_bytes()[0],
            3 | 4 => {
                let edge = EDGES[self.below(EDGES.len())];
                // One beside the edge is as good as the edge.
                let edge = edge.wrapping_add(self.below(3) as u64).wrapping_sub(1);
                let width = 1 << self.below(4);
                let field = if self.below(2) == 0 { edge.to_le_bytes() } else { edge.to_be_bytes() };
                let field = if edge.to_le_bytes() == field { &field[..width] } else { &field[8 - width..] };
                let aligned = at / width * width;
                if let Some(place) = bytes.get_mut(aligned..aligned + width) {
                    place.copy_from_slice(field);
                }
            }
            5 => bytes.truncate(at),
            6 => {
                let end = (at + self.below(64)).min(bytes.len());
                bytes.drain(at..end);
            }
            7 => {
                let end = (at + self.below(64)).min(bytes.len());
                let copied = bytes[at..end].to_vec();
                let to = self.place(bytes.len());
                bytes.splice(to..to, copied);
            }
            8 => {
                let end = (at + self.below(64)).min(bytes.len());
                let to = self.place(bytes.len()).min(bytes.len() - (end - at));
                bytes.copy_within(at..end, to);
            }
            _ => {
                if let Some(other) = self.pick(corpus) {
                    let from = self.place(other.len());
                    bytes.truncate(at);
                    bytes.extend(&other[from..]);
                }
            }
        }
    }

    /// A place up to the end; mostly near the start, where formats keep what counts.
    fn place(&mut self, length: usize) -> usize {
        let within = if self.below(2) == 0 { length.min(128) } else { length };
        self.below(within + 1)
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() { None } else { Some(&of[self.below(of.len())]) }
    }

    fn below(&mut self, end: usize) -> usize {
        #[allow(clippy::cast_possible_truncation, reason = "only some bits are wanted")]
        let random = self.random() as usize;
        random % end
    }

    fn random(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_names_a_case_and_another_seed_another() {
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
