//! A manifest, version 1: `docs/format/manifest.md`.

mod decoder;
mod encoder;

use super::{CHUNK_SIZE_MAX, CHUNK_SIZE_MIN, LOGICAL_SIZE_MAX, Malformed};

pub(crate) use self::decoder::{DecodeError, Decoder};
pub(crate) use self::encoder::Encoder;

const MAGIC: [u8; 4] = *b"JKMF";
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 20;
const TAG_ZEROS: u8 = 0;
const TAG_CHUNK: u8 = 1;

/// How a disk is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Size of the disk, in bytes.
    pub(crate) logical_size: u64,
    /// Size of every chunk but the last, in bytes.
    pub(crate) chunk_size: u64,
}

impl Shape {
    /// Checks the limits that docs/format sets.
    pub(crate) fn check(self) -> Result<Self, Malformed> {
        if self.logical_size > LOGICAL_SIZE_MAX {
            return Err("the disk is larger than 1 PiB");
        }
        if !self.chunk_size.is_power_of_two() || !(CHUNK_SIZE_MIN..=CHUNK_SIZE_MAX).contains(&self.chunk_size)
        {
            return Err("the chunk size is not a power of two from 4 KiB to 4 MiB");
        }
        Ok(self)
    }

    /// Number of chunks that cover the disk, zeros included.
    pub(crate) fn chunk_count(self) -> u64 {
        self.logical_size.div_ceil(self.chunk_size)
    }

    /// Length in bytes of `count` chunks from chunk `first` on, the last of which may be short.
    pub(crate) fn length(self, first: u64, count: u64) -> u64 {
        let start = first * self.chunk_size;
        (start + count * self.chunk_size).min(self.logical_size) - start
    }

    fn encode(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = VERSION;
        bytes[8..16].copy_from_slice(&self.logical_size.to_le_bytes());
        // The field has four bytes; the upper four of a checked size are zero.
        bytes[16..].copy_from_slice(&self.chunk_size.to_le_bytes()[..4]);
        bytes
    }

    fn decode(bytes: [u8; HEADER_BYTES]) -> Result<Self, Malformed> {
        let [m0, m1, m2, m3, version, r0, r1, r2, l0, l1, l2, l3, l4, l5, l6, l7, c0, c1, c2, c3] = bytes;
        if [m0, m1, m2, m3] != MAGIC {
            return Err("it does not begin like a manifest");
        }
        if version != VERSION {
            return Err("its version is unknown");
        }
        if [r0, r1, r2] != [0; 3] {
            return Err("its reserved bytes are not zero");
        }
        let logical_size = u64::from_le_bytes([l0, l1, l2, l3, l4, l5, l6, l7]);
        let chunk_size = u32::from_le_bytes([c0, c1, c2, c3]).into();
        Self { logical_size, chunk_size }.check()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::{ChunkId, ManifestId};
    use crate::manifest::Extent;

    fn encode(shape: Shape, runs: &[Extent]) -> (Vec<u8>, ManifestId) {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(shape);
        for run in runs {
            match *run {
                Extent::Zero { len } => encoder.zeros(len.div_ceil(shape.chunk_size)),
                Extent::Chunk { id, .. } => encoder.chunk(id),
            }
            bytes.extend(encoder.take());
        }
        let id = encoder.finish();
        bytes.extend(encoder.take());
        (bytes, id)
    }

    fn decode(bytes: &[u8]) -> Result<(Vec<Extent>, ManifestId), DecodeError> {
        let mut decoder = Decoder::new(bytes)?;
        let mut extents = Vec::new();
        while let Some(extent) = decoder.next()? {
            extents.push(extent);
        }
        Ok((extents, decoder.finish()?))
    }

    const SHAPE: Shape = Shape { logical_size: 5 * 4096 + 1, chunk_size: 4096 };
    const CHUNK: Extent = Extent::Chunk { id: ChunkId([9; 32]), len: 4096 };

    #[test]
    fn merges_runs_of_zeros() {
        let parts =
            [Extent::Zero { len: 4096 }, Extent::Zero { len: 8192 }, CHUNK, Extent::Zero { len: 4097 }];
        let whole = [Extent::Zero { len: 12288 }, CHUNK, Extent::Zero { len: 4097 }];
        let (bytes, id) = encode(SHAPE, &parts);
        assert_eq!((bytes.clone(), id), encode(SHAPE, &whole));
        assert_eq!(bytes.len(), HEADER_BYTES + 9 + 33 + 9 + 32);
        assert_eq!(decode(&bytes).unwrap(), (whole.to_vec(), id));
    }

    #[test]
    fn refuses_every_flipped_bit_and_every_cut() {
        let (bytes, _) = encode(SHAPE, &[Extent::Zero { len: 12288 }, CHUNK, Extent::Zero { len: 4097 }]);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&flipped).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "length {length}");
        }
        assert!(decode(&[&bytes[..], b"x"].concat()).is_err(), "a byte too many");
    }

    #[test]
    fn refuses_a_second_spelling_of_the_same_disk() {
        let (mut bytes, _) =
            encode(Shape { logical_size: 8192, chunk_size: 4096 }, &[Extent::Zero { len: 8192 }]);
        bytes.truncate(HEADER_BYTES);
        for _ in 0..2 {
            bytes.push(TAG_ZEROS);
            bytes.extend(1_u64.to_le_bytes());
        }
        let hash = blake3::hash(&bytes);
        bytes.extend(hash.as_bytes());
        assert!(matches!(decode(&bytes), Err(DecodeError::Malformed("it splits a run of zeros"))));
    }

    proptest! {
        #[test]
        fn survives_hostile_bytes(tail in prop::collection::vec(0..3_u8, 0..200), head in 0..=HEADER_BYTES) {
            let mut bytes = SHAPE.encode()[..head].to_vec();
            bytes.extend(tail);
            prop_assert!(decode(&bytes).is_err());
        }
    }
}
