//! Reading a disk through its backing chain.

use std::fs::File;
use std::io;
use std::ops::Range;

use crate::content::{self, Caution, HEAD_BYTES, TAIL_BYTES, caution, detect, is_zero};
use crate::error::DiskError;
use crate::pattern::Pattern;
use crate::qcow2::{Header, Image, Mapping};
use crate::raw::{next_stored, read_padded};
use crate::source::Source;

const PIECE_BYTES: usize = 1 << 20;
/// The most bytes read to find out whether a disk is all zeros.
const ZEROS_READ_MAX: u64 = 64 << 20;

/// An open disk: the ranges that hold data, and the bytes.
///
/// Several threads may read at once. The bytes are one state of the disk only if nobody wrote meanwhile: see
/// [`DiskReader::unchanged`].
#[derive(Debug)]
pub struct DiskReader {
    sources: Vec<Source>,
    content: Content,
    len: u64,
}

#[derive(Debug)]
enum Content {
    /// The sources themselves: an image per source, `None` for raw ones.
    Layers(Vec<Option<Image>>),
    /// A raw copy of the whole disk, made by `qemu-img`.
    Copy(File),
    Pattern(Pattern),
}

enum Run<'a> {
    Hole,
    /// Uncompressed, at an offset of a file.
    Stored(&'a Source, &'a File, u64),
    Compressed(&'a Image),
}

impl DiskReader {
    pub(crate) fn of_layers(parts: Vec<(Source, Option<Header>)>, len: u64) -> Result<DiskReader, DiskError> {
        let mut sources = Vec::with_capacity(parts.len());
        let mut images = Vec::with_capacity(parts.len());
        for (source, header) in parts {
            images.push(header.map(|header| Image::open(&source, &header)).transpose()?);
            sources.push(source);
        }
        Ok(DiskReader { sources, content: Content::Layers(images), len })
    }

    pub(crate) fn of_copy(sources: Vec<Source>, copy: File, len: u64) -> DiskReader {
        DiskReader { sources, content: Content::Copy(copy), len }
    }

    pub(crate) fn of_pattern(pattern: Pattern, len: u64) -> DiskReader {
        DiskReader { sources: Vec::new(), content: Content::Pattern(pattern), len }
    }

    /// Returns the size of the disk in bytes, never zero.
    #[expect(clippy::len_without_is_empty, reason = "no disk is empty")]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Returns the next range at or after `from` that may hold data, or `None` if only zeros follow.
    ///
    /// Everything between `from` and the range is zero. Ranges may be adjacent.
    pub fn next_data(&self, from: u64) -> Result<Option<Range<u64>>, DiskError> {
        if let Content::Pattern(_) = self.content {
            return Ok(Pattern::next_data(from, self.len));
        }
        let mut at = from;
        while at < self.len {
            let (run, len) = self.run(at, self.len - at)?;
            match run {
                Run::Hole => {}
                Run::Compressed(_) => return Ok(Some(at..at + len)),
                Run::Stored(source, file, offset) => {
                    let stored = next_stored(file, offset..offset + len)
                        .map_err(DiskError::io("find holes in", &source.path))?;
                    if let Some(stored) = stored {
                        return Ok(Some(at + (stored.start - offset)..at + (stored.end - offset)));
                    }
                }
            }
            at += len;
        }
        Ok(None)
    }

    /// Fills `buf` with the bytes from `offset` on, holes as zeros.
    ///
    /// Fastest in multiples of 2 MiB, aligned: every call decompresses the clusters (at most 2 MiB) that it touches.
    /// Fails beyond [`DiskReader::len`].
    pub fn read_exact_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        if offset.checked_add(buf.len() as u64).is_none_or(|end| end > self.len) {
            let path = self.sources.first().map_or_else(|| "a pattern".into(), |source| source.path.clone());
            return Err(DiskError::Io {
                action: "read past the end of",
                path,
                source: io::ErrorKind::UnexpectedEof.into(),
            });
        }
        if let Content::Pattern(pattern) = self.content {
            pattern.read(self.len, offset, buf);
            return Ok(());
        }
        let (mut at, mut rest) = (offset, buf);
        while !rest.is_empty() {
            let (run, len) = self.run(at, rest.len() as u64)?;
            // A run is at most as long as requested, so it fits in memory.
            let (piece, after) = rest.split_at_mut(usize::try_from(len).unwrap_or(rest.len()));
            match run {
                Run::Hole => piece.fill(0),
                Run::Stored(source, file, offset) => {
                    read_padded(file, offset, piece).map_err(DiskError::io("read", &source.path))?;
                }
                Run::Compressed(image) => image.read_compressed(at, piece)?,
            }
            at += len;
            rest = after;
        }
        Ok(())
    }

    /// Inspects both ends of the disk and returns a warning, if any.
    pub fn caution(&self) -> Result<Option<Caution>, DiskError> {
        let end = |bytes: usize| vec![0; usize::try_from(self.len).unwrap_or(usize::MAX).min(bytes)];
        let (mut head, mut tail) = (end(HEAD_BYTES), end(TAIL_BYTES));
        self.read_exact_at(0, &mut head)?;
        self.read_exact_at(self.len - tail.len() as u64, &mut tail)?;
        let found = detect(&head, &tail, self.len);
        let is_qcow2 =
            matches!(&self.content, Content::Layers(images) if images.first().is_some_and(Option::is_some));
        let zero = found == content::Content::Zeros && self.is_zero()?;
        Ok(caution(found, is_qcow2, zero))
    }

    /// Whether the whole disk is zero. Reads at most 64 MiB of allocated zeros.
    fn is_zero(&self) -> Result<bool, DiskError> {
        let (mut at, mut read, mut piece) = (0, 0, vec![0; PIECE_BYTES]);
        while let Some(data) = self.next_data(at)? {
            at = data.start;
            while at < data.end && read < ZEROS_READ_MAX {
                let len = usize::try_from(data.end - at).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
                self.read_exact_at(at, &mut piece[..len])?;
                if !is_zero(&piece[..len]) {
                    return Ok(false);
                }
                at += len as u64;
                read += len as u64;
            }
            at = data.end;
        }
        Ok(true)
    }

    /// Whether small reads cost no more than large ones: nothing is compressed.
    pub fn reads_small(&self) -> bool {
        match &self.content {
            Content::Layers(images) => images.iter().all(Option::is_none),
            Content::Copy(_) | Content::Pattern(_) => true,
        }
    }

    /// Fails with [`DiskError::Changed`] if a file of the disk was written to or replaced since it was opened.
    ///
    /// Compares size, times and identity. Call it after reading everything, before trusting the copy.
    pub fn unchanged(&self) -> Result<(), DiskError> {
        self.sources.iter().try_for_each(Source::unchanged)
    }

    /// Asks layer by layer where the bytes from `at` on are, and how many of at most `len` are there. `len` is not zero
    /// and within the disk.
    fn run(&self, at: u64, mut len: u64) -> Result<(Run<'_>, u64), DiskError> {
        let images = match &self.content {
            Content::Layers(images) => images,
            Content::Copy(copy) => return Ok((Run::Stored(&self.sources[0], copy, at), len)),
            Content::Pattern(_) => return Ok((Run::Hole, len)),
        };
        for (source, image) in self.sources.iter().zip(images) {
            let Some(image) = image else { return Ok((Run::Stored(source, &source.file, at), len)) };
            let mapping;
            (mapping, len) = image.mapping(at, len)?;
            match mapping {
                Mapping::Below => {}
                Mapping::Hole => return Ok((Run::Hole, len)),
                Mapping::Stored(offset) => return Ok((Run::Stored(source, &source.file, offset), len)),
                Mapping::Compressed => return Ok((Run::Compressed(image), len)),
            }
        }
        Ok((Run::Hole, len))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn readers_are_sync() {
        fn shared<T: Send + Sync>() {}
        shared::<super::DiskReader>();
    }

    #[test]
    fn readers_and_writers_are_send() {
        fn movable<T: Send>() {}
        movable::<super::DiskReader>();
        movable::<crate::Qcow2Writer>();
    }
}
