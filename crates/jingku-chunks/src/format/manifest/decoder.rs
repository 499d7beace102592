//! Decodes a manifest from a stream.

use std::io::{self, BufReader, Read};

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::format::chunk::{CHUNK_SIZE_MAX, Malformed};
use crate::format::layout::{
    Extent, LOGICAL_SIZE_MAX, Layout, MAGIC, Shape, TAG_CHUNK, TAG_END, TAG_ZEROS, VERSION_BY_CONTENT,
    VERSION_FIXED,
};
use crate::id::{ChunkId, ManifestId};
use crate::key::Key;

const BUFFER_BYTES: usize = 64 << 10;

/// Reads the extents of a manifest from start to end. Validates every field.
///
/// If the manifest does not match its name, the last extent is followed by an error. Nothing follows an error.
pub(crate) struct Decoder<R> {
    id: ManifestId,
    source: BufReader<R>,
    hasher: blake3::Hasher,
    /// Hashes the entries since the last segment began, for the index.
    segment: Option<blake3::Hasher>,
    pub(crate) layout: Layout,
    /// Bytes of the manifest read so far.
    pub(crate) offset: u64,
    /// Bytes of the disk covered so far; after the last entry, the size of the disk or stream.
    pub(crate) position: u64,
    after_zeros: bool,
    ended: bool,
}

impl Decoder<Box<dyn Read + Send>> {
    pub(crate) fn open(backend: &dyn Backend, id: ManifestId) -> Result<Self> {
        Self::new(backend.read(Key::Manifest(id))?.body, id)
    }
}

impl<R: Read> Decoder<R> {
    pub(super) fn new(source: R, id: ManifestId) -> Result<Self> {
        let mut decoder = Self::resume(source, id, Layout::ByContent, 0);
        decoder.layout = decoder.header()?;
        Ok(decoder)
    }

    /// Reads entries from the middle of a verified manifest. They cover the disk from `position` on.
    pub(crate) fn resume(source: R, id: ManifestId, layout: Layout, position: u64) -> Self {
        Self {
            id,
            source: BufReader::with_capacity(BUFFER_BYTES, source),
            hasher: blake3::Hasher::new(),
            segment: None,
            layout,
            offset: 0,
            position,
            after_zeros: false,
            ended: false,
        }
    }

    /// Begins a segment and returns the hash of the previous one.
    pub(crate) fn begin_segment(&mut self) -> Option<blake3::Hash> {
        self.segment.replace(blake3::Hasher::new()).map(|segment| segment.finalize())
    }

    fn header(&mut self) -> Result<Layout> {
        let [m0, m1, m2, m3, version, reserved @ ..]: [u8; 8] = self.field()?;
        if [m0, m1, m2, m3] != MAGIC {
            return self.refuse("it does not begin like a manifest");
        }
        if reserved != [0; 3] {
            return self.refuse("its reserved bytes are not zero");
        }
        match version {
            VERSION_FIXED => {
                let logical_size = u64::from_le_bytes(self.field()?);
                let chunk_size = u32::from_le_bytes(self.field()?).into();
                let shape = Shape { logical_size, chunk_size }.check();
                shape.map(Layout::Fixed).or_else(|reason| self.refuse(reason))
            }
            VERSION_BY_CONTENT => Ok(Layout::ByContent),
            _ => self.refuse("its version is unknown"),
        }
    }

    /// Reads the next entry; `None` at the end, after verifying the trailer.
    fn entry(&mut self) -> Result<Option<Extent>> {
        match self.layout {
            Layout::Fixed(shape) => self.entry_of_disk(shape),
            Layout::ByContent => self.entry_of_stream(),
        }
    }

    fn entry_of_disk(&mut self, shape: Shape) -> Result<Option<Extent>> {
        let left = shape.logical_size - self.position;
        if left == 0 {
            return self.finish();
        }
        match self.field()? {
            [TAG_ZEROS] => {
                let count = u64::from_le_bytes(self.field()?);
                if count > left.div_ceil(shape.chunk_size) {
                    return self.refuse("a run of zeros goes past the end");
                }
                // Exceeds the disk by less than a chunk.
                self.zeros((count * shape.chunk_size).min(left))
            }
            [TAG_CHUNK] => self.chunk(shape.chunk_size.min(left)),
            _ => self.refuse("an entry is neither zeros nor a chunk"),
        }
    }

    fn entry_of_stream(&mut self) -> Result<Option<Extent>> {
        let left = LOGICAL_SIZE_MAX - self.position;
        match self.field()? {
            [TAG_ZEROS] => match u64::from_le_bytes(self.field()?) {
                len if len > left => self.refuse("the stream is larger than 1 PiB"),
                len => self.zeros(len),
            },
            [TAG_CHUNK] => match u32::from_le_bytes(self.field()?).into() {
                len if len == 0 || len > CHUNK_SIZE_MAX => {
                    self.refuse("the length of a chunk is out of range")
                }
                len if len > left => self.refuse("the stream is larger than 1 PiB"),
                len => self.chunk(len),
            },
            [TAG_END] => {
                if u64::from_le_bytes(self.field()?) != self.position {
                    return self.refuse("its entries are not as long together as it says");
                }
                self.finish()
            }
            _ => self.refuse("an entry is neither zeros, nor a chunk, nor the end"),
        }
    }

    fn zeros(&mut self, len: u64) -> Result<Option<Extent>> {
        if self.after_zeros {
            return self.refuse("it splits a run of zeros");
        }
        if len == 0 {
            return self.refuse("a run of zeros is empty");
        }
        self.after_zeros = true;
        self.position += len;
        Ok(Some(Extent::Zero { len }))
    }

    fn chunk(&mut self, len: u64) -> Result<Option<Extent>> {
        let id = ChunkId(self.field()?);
        self.after_zeros = false;
        self.position += len;
        Ok(Some(Extent::Chunk { id, len }))
    }

    /// Verifies the trailer after the last entry.
    fn finish(&mut self) -> Result<Option<Extent>> {
        let hash = self.hasher.finalize();
        let trailer: [u8; 32] = self.bytes()?;
        if hash != trailer {
            return self.refuse("its hash does not match its bytes");
        }
        if self.source.read(&mut [0]).map_err(|e| self.io(e))? != 0 {
            return self.refuse("something follows its end");
        }
        if ManifestId(trailer) != self.id {
            return self.refuse("it is another manifest");
        }
        Ok(None)
    }

    fn field<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.bytes()?;
        self.hasher.update(&bytes);
        if let Some(segment) = &mut self.segment {
            segment.update(&bytes);
        }
        self.offset += N as u64;
        Ok(bytes)
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        match self.source.read_exact(&mut bytes) {
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => self.refuse("it ends too early"),
            read => read.map(|()| bytes).map_err(|e| self.io(e)),
        }
    }

    fn io(&self, error: io::Error) -> Error {
        Error::io(format!("read {}", Key::Manifest(self.id)), error)
    }

    fn refuse<T>(&self, reason: Malformed) -> Result<T> {
        Err(Error::Damaged { key: Key::Manifest(self.id), reason })
    }
}

impl<R: Read> Iterator for Decoder<R> {
    type Item = Result<Extent>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let extent = self.entry().transpose();
        self.ended = !matches!(extent, Some(Ok(_)));
        extent
    }
}
