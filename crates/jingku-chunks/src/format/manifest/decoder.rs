//! Reading a manifest as a stream.

use std::io::{self, BufReader, Read};

use super::{HEADER_BYTES, Shape, TAG_CHUNK, TAG_ZEROS};
use crate::format::Malformed;
use crate::id::{ChunkId, ManifestId};
use crate::manifest::Extent;

/// Bytes of a manifest held in memory while reading it.
const BUFFER_BYTES: usize = 64 << 10;

/// Why a manifest could not be read.
#[derive(Debug)]
pub(crate) enum DecodeError {
    Io(io::Error),
    Malformed(Malformed),
}

impl From<Malformed> for DecodeError {
    fn from(reason: Malformed) -> Self {
        Self::Malformed(reason)
    }
}

/// Reads a manifest from its start to its end, checking every field on the way and the hash at the end.
pub(crate) struct Decoder<R> {
    source: BufReader<R>,
    hasher: blake3::Hasher,
    shape: Shape,
    /// Chunks covered so far.
    position: u64,
    after_zeros: bool,
}

impl<R: Read> Decoder<R> {
    /// Reads the header.
    pub(crate) fn new(source: R) -> Result<Self, DecodeError> {
        let mut source = BufReader::with_capacity(BUFFER_BYTES, source);
        let mut hasher = blake3::Hasher::new();
        let header: [u8; HEADER_BYTES] = read_array(&mut source)?;
        hasher.update(&header);
        Ok(Self { source, hasher, shape: Shape::decode(header)?, position: 0, after_zeros: false })
    }

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// Reads the next entry, or nothing when the disk is covered.
    pub(crate) fn next(&mut self) -> Result<Option<Extent>, DecodeError> {
        let left = self.shape.chunk_count() - self.position;
        if left == 0 {
            return Ok(None);
        }
        match self.field()? {
            [TAG_ZEROS] => {
                let count = u64::from_le_bytes(self.field()?);
                if self.after_zeros {
                    return Err("it splits a run of zeros".into());
                }
                if count == 0 || count > left {
                    return Err("a run of zeros is empty or goes past the end".into());
                }
                self.after_zeros = true;
                Ok(Some(Extent::Zero { len: self.advance(count) }))
            }
            [TAG_CHUNK] => {
                let id = ChunkId(self.field()?);
                self.after_zeros = false;
                Ok(Some(Extent::Chunk { id, len: self.advance(1) }))
            }
            _ => Err("an entry is neither zeros nor a chunk".into()),
        }
    }

    /// Reads the trailer, checks it, and returns the name the manifest must have. Called after the last entry.
    pub(crate) fn finish(&mut self) -> Result<ManifestId, DecodeError> {
        let hash = self.hasher.finalize();
        let trailer: [u8; 32] = read_array(&mut self.source)?;
        if hash != trailer {
            return Err("its hash does not match its bytes".into());
        }
        if self.source.read(&mut [0]).map_err(DecodeError::Io)? != 0 {
            return Err("something follows its end".into());
        }
        Ok(ManifestId(trailer))
    }

    fn advance(&mut self, count: u64) -> u64 {
        let length = self.shape.length(self.position, count);
        self.position += count;
        length
    }

    fn field<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let bytes = read_array(&mut self.source)?;
        self.hasher.update(&bytes);
        Ok(bytes)
    }
}

fn read_array<const N: usize>(source: &mut impl Read) -> Result<[u8; N], DecodeError> {
    let mut bytes = [0; N];
    source.read_exact(&mut bytes).map_err(|e| match e.kind() {
        io::ErrorKind::UnexpectedEof => DecodeError::Malformed("it ends too early"),
        _ => DecodeError::Io(e),
    })?;
    Ok(bytes)
}
