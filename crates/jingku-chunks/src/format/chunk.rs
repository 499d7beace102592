//! A chunk object, version 1: `docs/format/chunk.md`.

use std::io;

use zstd::bulk::{Compressor, Decompressor};

/// The smallest chunk size of a manifest, in bytes.
pub const CHUNK_SIZE_MIN: u64 = 4 << 10;

/// The largest chunk size of a manifest, in bytes. Also bounds what a corrupted chunk can make a reader allocate.
pub const CHUNK_SIZE_MAX: u64 = 4 << 20;

const MAGIC: [u8; 4] = *b"JKCH";
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 16;

pub(crate) type Malformed = &'static str;

/// The longest chunk object, in bytes: compression never exceeds the plain bytes and a header.
pub(crate) const OBJECT_BYTES_MAX: u64 = HEADER_BYTES as u64 + CHUNK_SIZE_MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Plain = 0,
    Zstd = 1,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    codec: Codec,
    pub(crate) plain_length: u32,
    payload_length: u32,
}

impl Header {
    pub(crate) fn decode(object: &[u8]) -> Result<Self, Malformed> {
        let header: &[u8; HEADER_BYTES] = object.first_chunk().ok_or("it is shorter than a header")?;
        let [m0, m1, m2, m3, version, codec, r0, r1, lengths @ ..] = *header;
        let [p0, p1, p2, p3, q0, q1, q2, q3] = lengths;
        if [m0, m1, m2, m3] != MAGIC {
            return Err("it does not begin like a chunk");
        }
        if version != VERSION {
            return Err("its version is unknown");
        }
        if [r0, r1] != [0, 0] {
            return Err("its reserved bytes are not zero");
        }
        let plain_length = u32::from_le_bytes([p0, p1, p2, p3]);
        let payload_length = u32::from_le_bytes([q0, q1, q2, q3]);
        if plain_length == 0 || u64::from(plain_length) > CHUNK_SIZE_MAX {
            return Err("its plain length is out of range");
        }
        let codec = match codec {
            0 if payload_length == plain_length => Codec::Plain,
            1 if payload_length < plain_length => Codec::Zstd,
            0 | 1 => return Err("its lengths contradict each other"),
            _ => return Err("its codec is unknown"),
        };
        Ok(Self { codec, plain_length, payload_length })
    }

    fn encode(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = VERSION;
        bytes[5] = self.codec as u8;
        bytes[8..12].copy_from_slice(&self.plain_length.to_le_bytes());
        bytes[12..].copy_from_slice(&self.payload_length.to_le_bytes());
        bytes
    }

    pub(crate) fn object_length(&self) -> u64 {
        HEADER_BYTES as u64 + u64::from(self.payload_length)
    }
}

/// Encodes 1 to [`CHUNK_SIZE_MAX`] plain bytes into `object`, compressed if that is smaller, replacing its content.
///
/// Reusing the buffer matters: allocating one for every chunk costs more than claiming and looking it up.
pub(crate) fn encode(plain: &[u8], compressor: &mut Compressor<'_>, object: &mut Vec<u8>) -> io::Result<()> {
    let plain_length = u32::try_from(plain.len()).map_err(io::Error::other)?;
    object.resize(HEADER_BYTES + zstd::zstd_safe::compress_bound(plain.len()), 0);
    let compressed = compressor.compress_to_buffer(plain, &mut object[HEADER_BYTES..])?;
    let (codec, payload_length) = if compressed < plain.len() {
        object.truncate(HEADER_BYTES + compressed);
        // Less than a length that fits.
        (Codec::Zstd, u32::try_from(compressed).map_err(io::Error::other)?)
    } else {
        object.truncate(HEADER_BYTES);
        object.extend_from_slice(plain);
        (Codec::Plain, plain_length)
    };
    object[..HEADER_BYTES].copy_from_slice(&Header { codec, plain_length, payload_length }.encode());
    Ok(())
}

/// Decodes an object to its plain bytes. Does not verify them against a name.
pub(crate) fn decode(object: &[u8], decompressor: &mut Decompressor<'_>) -> Result<Vec<u8>, Malformed> {
    let header = Header::decode(object)?;
    if object.len() as u64 != header.object_length() {
        return Err("its length is not what its header says");
    }
    let payload = &object[HEADER_BYTES..];
    match header.codec {
        Codec::Plain => Ok(payload.to_vec()),
        Codec::Zstd => {
            // At most CHUNK_SIZE_MAX, whatever the frame declares.
            let plain = decompressor
                .decompress(payload, header.plain_length as usize)
                .map_err(|_| "it does not decompress")?;
            if plain.len() != header.plain_length as usize {
                return Err("it decompresses to another length");
            }
            Ok(plain)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(plain: &[u8]) -> Vec<u8> {
        let mut object = vec![7; 50];
        encode(plain, &mut Compressor::new(1).unwrap(), &mut object).unwrap();
        object
    }

    fn decoded(object: &[u8]) -> Result<Vec<u8>, Malformed> {
        decode(object, &mut Decompressor::new().unwrap())
    }

    #[test]
    fn stores_incompressible_bytes_plain() {
        assert_eq!(encoded(b"x"), b"JKCH\x01\0\0\0\x01\0\0\0\x01\0\0\0x");
        assert!(encoded(&[7; 4096]).len() < 100);
    }

    #[test]
    fn refuses_a_frame_longer_than_declared() {
        let mut object = encoded(&vec![7; 100_000]);
        object[8..12].copy_from_slice(&99_999_u32.to_le_bytes());
        assert_eq!(decoded(&object), Err("it does not decompress"));
        object[8..12].copy_from_slice(&100_001_u32.to_le_bytes());
        assert_eq!(decoded(&object), Err("it decompresses to another length"));
    }

    proptest! {
        #[test]
        fn decodes_what_it_encodes(plain in prop::collection::vec(any::<u8>(), 1..5000)) {
            prop_assert_eq!(decoded(&encoded(&plain)), Ok(plain));
        }

        #[test]
        fn survives_hostile_bytes(tail in prop::collection::vec(any::<u8>(), 0..200), head in 0..17_usize) {
            let mut object = encoded(&[7; 4096])[..head].to_vec();
            object.extend(tail);
            let _ = decoded(&object);
        }
    }
}
