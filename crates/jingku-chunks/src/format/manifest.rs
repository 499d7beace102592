//! A manifest as a stream, version 1 of a disk and version 2 of a stream: `docs/format/manifest.md`.

mod decoder;
mod encoder;

pub(crate) use self::decoder::Decoder;
pub(crate) use self::encoder::Encoder;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::{Error, Result};
    use crate::format::layout::{Extent, LOGICAL_SIZE_MAX, Layout, Shape, TAG_ZEROS};
    use crate::id::{ChunkId, ManifestId};

    /// Common start of all versions: magic, version, reserved.
    const START_BYTES: usize = 8;
    /// The header of version 1.
    const HEADER_BYTES: usize = START_BYTES + 12;

    fn encode(layout: Layout, runs: &[Extent]) -> (Vec<u8>, ManifestId) {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(layout);
        for run in runs {
            match *run {
                Extent::Zero { len } => encoder.zeros(len),
                Extent::Chunk { id, len } => encoder.chunk(id, u32::try_from(len).unwrap()),
            }
            bytes.append(&mut encoder.bytes);
        }
        let id = encoder.finish();
        bytes.append(&mut encoder.bytes);
        (bytes, id)
    }

    fn decode(bytes: &[u8]) -> Result<(Vec<Extent>, ManifestId)> {
        let id = ManifestId(*bytes.last_chunk().unwrap_or(&[0; 32]));
        Ok((Decoder::new(bytes, id)?.collect::<Result<_>>()?, id))
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
    fn stream_has_chunks_of_any_size() {
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
    fn refuses_a_stream_with_wrong_lengths() {
        for (len, reason) in [
            (0, "the length of a chunk is out of range"),
            ((4 << 20) + 1, "the length of a chunk is out of range"),
        ] {
            let (bytes, _) = encode(Layout::ByContent, &[Extent::Chunk { id: ChunkId([3; 32]), len }]);
            assert!(matches!(decode(&bytes), Err(Error::Damaged { reason: found, .. }) if found == reason));
        }
        let (bytes, _) = encode(Layout::ByContent, &[CHUNK, Extent::Zero { len: LOGICAL_SIZE_MAX }]);
        let reason = "the stream is larger than 1 PiB";
        assert!(matches!(decode(&bytes), Err(Error::Damaged { reason: found, .. }) if found == reason));
    }

    #[test]
    fn refuses_a_non_canonical_encoding() {
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
        let reason = "it splits a run of zeros";
        assert!(matches!(decode(&bytes), Err(Error::Damaged { reason: found, .. }) if found == reason));
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
