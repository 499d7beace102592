//! Reading a disk through its chain.

use std::fs::File;
use std::io;
use std::ops::Range;

use crate::content::{self, Caution, HEAD_BYTES, TAIL_BYTES, caution, detect, is_zero};
use crate::error::DiskError;
use crate::pattern::Pattern;
use crate::qcow2::{Header, Image, Mapping};
use crate::raw::{next_stored, read_padded};
use crate::source::Source;

/// Read at once where zeros are looked for.
const PIECE_BYTES: usize = 1 << 20;
/// The most that is read to find out that a disk is all zeros.
const ZEROS_READ_MAX: u64 = 64 << 20;

/// A disk opened for reading: which ranges hold data, and the bytes.
///
/// Several threads may read at once. What they read is one state of the disk only if nobody wrote meanwhile: see [`DiskReader::unchanged`].
#[derive(Debug)]
pub struct DiskReader {
    sources: Vec<Source>,
    content: Content,
    len: u64,
}

/// Where the bytes come from.
#[derive(Debug)]
enum Content {
    /// From the sources themselves: one image per source, `None` for a raw one.
    Layers(Vec<Option<Image>>),
    /// From a raw copy of the whole disk which `qemu-img` made of the sources.
    Copy(File),
    /// From a rule.
    Pattern(Pattern),
}

/// A part of the disk that lies in one piece.
struct Run<'a> {
    kind: RunKind<'a>,
    len: u64,
}

enum RunKind<'a> {
    Hole,
    /// As it is, at an offset of a file.
    Stored(&'a Source, &'a File, u64),
    Compressed(&'a Source, &'a Image),
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

    /// Size of the disk in bytes, never zero.
    #[expect(clippy::len_without_is_empty, reason = "no disk is empty")]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Returns the next range at or after `from` that may hold data, or `None` where only zeros follow.
    ///
    /// Everything between `from` and the range reads as zeros. The range ends where data ends or where the file that
    /// holds it is not in one piece, so the next range may start where this one ends.
    pub fn next_data(&self, from: u64) -> Result<Option<Range<u64>>, DiskError> {
        if let Content::Pattern(_) = self.content {
            return Ok(Pattern::next_data(from, self.len));
        }
        let mut at = from;
        while at < self.len {
            let run = self.run(at, self.len - at)?;
            match run.kind {
                RunKind::Hole => {}
                RunKind::Compressed(..) => return Ok(Some(at..at + run.len)),
                RunKind::Stored(source, file, offset) => {
                    let stored = next_stored(file, offset..offset + run.len)
                        .map_err(DiskError::io("find holes in", &source.path))?;
                    if let Some(stored) = stored {
                        return Ok(Some(at + (stored.start - offset)..at + (stored.end - offset)));
                    }
                }
            }
            at += run.len;
        }
        Ok(None)
    }

    /// Fills `buf` with the bytes of the disk from `offset` on, holes as zeros.
    ///
    /// Fastest in pieces of 2 MiB or more at multiples of that: a compressed cluster (at most 2 MiB) is unpacked anew
    /// for every call that touches it. Fails when the range goes past [`DiskReader::len`].
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
            let run = self.run(at, rest.len() as u64)?;
            // A run is never longer than what was asked for, so it fits into memory as the buffer does.
            let (piece, after) = rest.split_at_mut(usize::try_from(run.len).unwrap_or(rest.len()));
            match run.kind {
                RunKind::Hole => piece.fill(0),
                RunKind::Stored(source, file, offset) => {
                    read_padded(file, offset, piece).map_err(DiskError::io("read", &source.path))?;
                }
                RunKind::Compressed(source, image) => image.read_compressed(source, at, piece)?,
            }
            at += run.len;
            rest = after;
        }
        Ok(())
    }

    /// Looks at both ends of the disk, and says what is to be said about it.
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

    /// Whether all of the disk is zero. Of zeros that take room only the first 64 MiB are read.
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

    /// Tells that small reads cost no more than large ones: nothing is unpacked.
    pub fn reads_small(&self) -> bool {
        match &self.content {
            Content::Layers(images) => images.iter().all(Option::is_none),
            Content::Copy(_) | Content::Pattern(_) => true,
        }
    }

    /// Refuses with [`DiskError::Changed`] when a file of the disk was written to or replaced since it was opened.
    ///
    /// Compares size, time of the last change and identity. Call it when everything was read, before the copy is
    /// believed.
    pub fn unchanged(&self) -> Result<(), DiskError> {
        self.sources.iter().try_for_each(Source::unchanged)
    }

    /// Asks layer after layer where the bytes from `at` on lie; `len_max` is not zero and within the disk.
    fn run(&self, at: u64, len_max: u64) -> Result<Run<'_>, DiskError> {
        let images = match &self.content {
            Content::Layers(images) => images,
            Content::Copy(copy) => {
                return Ok(Run { kind: RunKind::Stored(&self.sources[0], copy, at), len: len_max });
            }
            Content::Pattern(_) => return Ok(Run { kind: RunKind::Hole, len: len_max }),
        };
        let mut len = len_max;
        for (source, image) in self.sources.iter().zip(images) {
            let Some(image) = image else {
                return Ok(Run { kind: RunKind::Stored(source, &source.file, at), len });
            };
            let (mapping, mapped_len) = image.mapping(source, at, len)?;
            len = mapped_len;
            let kind = match mapping {
                Mapping::Below => continue,
                Mapping::Hole => RunKind::Hole,
                Mapping::Stored(offset) => RunKind::Stored(source, &source.file, offset),
                Mapping::Compressed => RunKind::Compressed(source, image),
            };
            return Ok(Run { kind, len });
        }
        Ok(Run { kind: RunKind::Hole, len })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn several_threads_may_read_at_once() {
        fn shared<T: Send + Sync>() {}
        shared::<super::DiskReader>();
    }

    #[test]
    fn readers_and_writers_may_move_to_another_thread() {
        fn movable<T: Send>() {}
        movable::<super::DiskReader>();
        movable::<crate::Qcow2Writer>();
    }
}
