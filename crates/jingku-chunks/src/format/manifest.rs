//! A manifest, version 1 of a disk and version 2 of a stream: `docs/format/manifest.md`.

mod decoder;
mod encoder;

use super::{CHUNK_SIZE_MAX, CHUNK_SIZE_MIN, LOGICAL_SIZE_MAX, Malformed};

pub(crate) use self::decoder::{DecodeError, Decoder};
pub(crate) use self::encoder::Encoder;

const MAGIC: [u8; 4] = *b"JKMF";
/// What every version begins with: magic, version, reserved.
const START_BYTES: usize = 8;
/// What follows in version 1.
const SHAPE_BYTES: usize = 12;
const TAG_ZEROS: u8 = 0;
const TAG_CHUNK: u8 = 1;
/// In version 2 only: a stream's length is not known before its end.
const TAG_END: u8 = 2;

/// How what a manifest lists was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A disk, at fixed offsets.
    Fixed(Shape),
    /// A stream, into chunks of any size.
    ByContent,
}

/// What the version says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Fixed = 1,
    ByContent = 2,
}

impl Layout {
    fn encode(self) -> Vec<u8> {
        let version = match self {
            Self::Fixed(_) => Version::Fixed,
            Self::ByContent => Version::ByContent,
        };
        let mut bytes = vec![0; START_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = version as u8;
        if let Self::Fixed(shape) = self {
            bytes.extend(shape.encode());
        }
        bytes
    }
}

/// Reads what every version begins with.
fn version(start: [u8; START_BYTES]) -> Result<Version, Malformed> {
    let [m0, m1, m2, m3, version, reserved @ ..] = start;
    if [m0, m1, m2, m3] != MAGIC {
        return Err("it does not begin like a manifest");
    }
    if reserved != [0; 3] {
        return Err("its reserved bytes are not zero");
    }
    match version {
        1 => Ok(Version::Fixed),
        2 => Ok(Version::ByContent),
        _ => Err("its version is unknown"),
    }
}

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

    fn encode(self) -> [u8; SHAPE_BYTES] {
        let mut bytes = [0; SHAPE_BYTES];
        bytes[..8].copy_from_slice(&self.logical_size.to_le_bytes());
        // The field has four bytes; the upper four of a checked size are zero.
        bytes[8..].copy_from_slice(&self.chunk_size.to_le_bytes()[..4]);
        bytes
    }

    fn decode(bytes: [u8; SHAPE_BYTES]) -> Result<Self, Malformed> {
        let [l0, l1, l2, l3, l4, l5, l6, l7, c0, c1, c2, c3] = bytes;
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

    const HEADER_BYTES: usize = START_BYTES + SHAPE_BYTES;

    fn encode(layout: Layout, runs: &[Extent]) -> (Vec<u8>, ManifestId) {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(layout);
        for run in runs {
            match *run {
                Extent::Zero { len } => encoder.zeros(len),
                Extent::Chunk { id, len } => encoder.chunk(id, u32::try_from(len).unwrap()),
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

    const SHAPE: Layout = Layout::Fixed(Shape { logical_size: 5 * 4096 + 1, chunk_size: 4096 });
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
        for layout in [SHAPE, Layout::ByContent] {
            refuses_damage(layout);
        }
    }

    fn refuses_damage(layout: Layout) {
        let (bytes, _) = encode(layout, &[Extent::Zero { len: 12288 }, CHUNK, Extent::Zero { len: 4097 }]);
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
    fn a_stream_has_chunks_of_any_size() {
        let id = ChunkId([3; 32]);
        let extents =
            [Extent::Chunk { id, len: 1 }, Extent::Zero { len: 7 }, Extent::Chunk { id, len: 4 << 20 }];
        let (bytes, name) = encode(Layout::ByContent, &extents);
        assert_eq!(bytes.len(), START_BYTES + 37 + 9 + 37 + 9 + 32);
        assert_eq!(decode(&bytes).unwrap(), (extents.to_vec(), name));
        let (empty, name) = encode(Layout::ByContent, &[]);
        assert_eq!(decode(&empty).unwrap(), (vec![], name));
    }

    #[test]
    fn refuses_a_stream_that_does_not_add_up() {
        for (len, reason) in [
            (0, "the length of a chunk is out of range"),
            ((4 << 20) + 1, "the length of a chunk is out of range"),
        ] {
            let (bytes, _) = encode(Layout::ByContent, &[Extent::Chunk { id: ChunkId([3; 32]), len }]);
            assert!(matches!(decode(&bytes), Err(DecodeError::Malformed(found)) if found == reason));
        }
        let (bytes, _) = encode(Layout::ByContent, &[CHUNK, Extent::Zero { len: LOGICAL_SIZE_MAX }]);
        assert!(matches!(decode(&bytes), Err(DecodeError::Malformed("the stream is larger than 1 PiB"))));
    }

    #[test]
    fn refuses_a_second_spelling_of_the_same_disk() {
        let (mut bytes, _) = encode(
            Layout::Fixed(Shape { logical_size: 8192, chunk_size: 4096 }),
            &[Extent::Zero { len: 8192 }],
        );
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
            for layout in [SHAPE, Layout::ByContent] {
                let header = layout.encode();
                let mut bytes = header[..head.min(header.len())].to_vec();
                bytes.extend(&tail);
                prop_assert!(decode(&bytes).is_err());
            }
        }
    }
}
