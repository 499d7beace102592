//! Decodes a manifest from a stream.

use std::io::{self, BufReader, Read};

use crate::format::chunk::{CHUNK_SIZE_MAX, Malformed};
use crate::format::layout::{
    Extent, LOGICAL_SIZE_MAX, Layout, Shape, TAG_CHUNK, TAG_END, TAG_ZEROS, Version, version,
};
use crate::id::{ChunkId, ManifestId};

const BUFFER_BYTES: usize = 64 << 10;

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

/// Reads a manifest from start to end. Validates every field, and the hash at the end.
pub(crate) struct Decoder<R> {
    source: BufReader<R>,
    hasher: blake3::Hasher,
    /// Hashes the entries since the last segment began, for the index.
    segment: Option<blake3::Hasher>,
    layout: Layout,
    /// Bytes of the manifest read so far.
    offset: u64,
    /// Bytes of the disk covered so far.
    position: u64,
    after_zeros: bool,
}

impl<R: Read> Decoder<R> {
    pub(crate) fn new(source: R) -> Result<Self, DecodeError> {
        let source = BufReader::with_capacity(BUFFER_BYTES, source);
        let mut decoder = Self {
            source,
            hasher: blake3::Hasher::new(),
            segment: None,
            layout: Layout::ByContent,
            offset: 0,
            position: 0,
            after_zeros: false,
        };
        decoder.layout = match version(decoder.field()?)? {
            Version::Fixed => Layout::Fixed(Shape::decode(decoder.field()?)?),
            Version::ByContent => Layout::ByContent,
        };
        Ok(decoder)
    }

    /// Begins a segment and returns the hash of the previous one.
    pub(crate) fn begin_segment(&mut self) -> Option<blake3::Hash> {
        self.segment.replace(blake3::Hasher::new()).map(|segment| segment.finalize())
    }

    /// Returns the bytes of the manifest read so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    pub(crate) fn layout(&self) -> Layout {
        self.layout
    }

    /// Returns the bytes of the disk covered so far; all of them after the last entry.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Reads the next entry; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Extent>, DecodeError> {
        match self.layout {
            Layout::Fixed(shape) => self.next_of_disk(shape),
            Layout::ByContent => self.next_of_stream(),
        }
    }

    fn next_of_disk(&mut self, shape: Shape) -> Result<Option<Extent>, DecodeError> {
        let left = shape.logical_size - self.position;
        if left == 0 {
            return Ok(None);
        }
        match self.field()? {
            [TAG_ZEROS] => {
                let count = u64::from_le_bytes(self.field()?);
                if count > left.div_ceil(shape.chunk_size) {
                    return Err("a run of zeros goes past the end".into());
                }
                // Exceeds the disk by less than a chunk.
                self.zeros((count * shape.chunk_size).min(left)).map(Some)
            }
            [TAG_CHUNK] => {
                let id = ChunkId(self.field()?);
                Ok(Some(self.chunk(id, shape.chunk_size.min(left))))
            }
            _ => Err("an entry is neither zeros nor a chunk".into()),
        }
    }

    fn next_of_stream(&mut self) -> Result<Option<Extent>, DecodeError> {
        let left = LOGICAL_SIZE_MAX - self.position;
        match self.field()? {
            [TAG_ZEROS] => {
                let len = u64::from_le_bytes(self.field()?);
                if len > left {
                    return Err("the stream is larger than 1 PiB".into());
                }
                self.zeros(len).map(Some)
            }
            [TAG_CHUNK] => {
                let len = u32::from_le_bytes(self.field()?).into();
                if len == 0 || len > CHUNK_SIZE_MAX {
                    return Err("the length of a chunk is out of range".into());
                }
                if len > left {
                    return Err("the stream is larger than 1 PiB".into());
                }
                let id = ChunkId(self.field()?);
                Ok(Some(self.chunk(id, len)))
            }
            [TAG_END] => {
                if u64::from_le_bytes(self.field()?) != self.position {
                    return Err("its entries are not as long together as it says".into());
                }
                Ok(None)
            }
            _ => Err("an entry is neither zeros, nor a chunk, nor the end".into()),
        }
    }

    fn zeros(&mut self, len: u64) -> Result<Extent, DecodeError> {
        if self.after_zeros {
            return Err("it splits a run of zeros".into());
        }
        if len == 0 {
            return Err("a run of zeros is empty".into());
        }
        self.after_zeros = true;
        self.position += len;
        Ok(Extent::Zero { len })
    }

    fn chunk(&mut self, id: ChunkId, len: u64) -> Extent {
        self.after_zeros = false;
        self.position += len;
        Extent::Chunk { id, len }
    }

    /// Reads and verifies the trailer after the last entry, and returns the manifest's name.
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

    fn field<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let bytes = read_array(&mut self.source)?;
        self.hasher.update(&bytes);
        if let Some(segment) = &mut self.segment {
            segment.update(&bytes);
        }
        self.offset += N as u64;
        Ok(bytes)
    }
}

impl<'a> Decoder<&'a [u8]> {
    /// Reads entries from the middle of a verified manifest. They cover the disk from `position` on.
    pub(crate) fn resume(entries: &'a [u8], layout: Layout, position: u64) -> Self {
        Self {
            source: BufReader::with_capacity(BUFFER_BYTES.min(entries.len()), entries),
            hasher: blake3::Hasher::new(),
            segment: None,
            layout,
            offset: 0,
            position,
            after_zeros: false,
        }
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
