//! Names of stored objects: BLAKE3 hashes.

use std::fmt;
use std::str::FromStr;

/// A text that is not 64 lowercase hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name is 64 lowercase hexadecimal digits")]
pub struct ParseIdError;

/// Names a chunk: the BLAKE3 hash of its plain bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkId(pub [u8; 32]);

/// Names a manifest: the BLAKE3 hash of its bytes before the trailer, which holds the same hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ManifestId(pub [u8; 32]);

impl ChunkId {
    /// Names the chunk with these plain bytes.
    pub fn of(plain: &[u8]) -> Self {
        Self(blake3::hash(plain).into())
    }

    /// Returns the first eight bytes as a number, which orders names and is uniformly distributed.
    pub(crate) fn rank(self) -> u64 {
        self.0.first_chunk().map_or(0, |start| u64::from_be_bytes(*start))
    }
}

macro_rules! text_is_hex {
    ($id:ident) => {
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($id), "({})"), self)
            }
        }

        impl FromStr for $id {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                // Names have one spelling: they are compared as text in the catalogue and as file names.
                if text.bytes().any(|digit| digit.is_ascii_uppercase()) {
                    return Err(ParseIdError);
                }
                let mut bytes = [0; 32];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| ParseIdError)?;
                Ok(Self(bytes))
            }
        }
    };
}

text_is_hex!(ChunkId);
text_is_hex!(ManifestId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_in_one_spelling() {
        let id = ChunkId::of(b"jingku");
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text.to_uppercase().parse::<ChunkId>(), Err(ParseIdError));
        assert_eq!(text[1..].parse::<ChunkId>(), Err(ParseIdError));
        assert_eq!(format!("{text}00").parse::<ChunkId>(), Err(ParseIdError));
    }
}
