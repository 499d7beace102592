//! Writing a stream of unknown length, cut by content.

use std::io::{self, Read};
use std::sync::Arc;

use fastcdc::v2020::FastCDC;

use super::assembler::Assembler;
use super::ingest::Job;
use super::sealed::Sealed;
use crate::backend::Backend;
use crate::cut::ZSTD_LEVEL;
use crate::error::{Error, Result};
use crate::format::layout::{LOGICAL_SIZE_MAX, Layout};
use crate::id::ManifestId;
use crate::known;

/// The shortest chunk of a stream but its last, in bytes.
const CHUNK_BYTES_MIN: usize = 64 << 10;
/// The size that `FastCDC` aims at, in bytes; chunks are half as long again on average. `docs/format/choices.md` says why.
const CHUNK_BYTES_AVERAGE: usize = 128 << 10;
/// The longest chunk of a stream, in bytes.
const CHUNK_BYTES_MAX: usize = 512 << 10;
/// Larger than a chunk, so that leftovers are rarely moved to the front.
const BUFFER_BYTES: usize = 4 * CHUNK_BYTES_MAX;

pub(crate) fn write(
    backend: &Arc<dyn Backend>,
    source: impl Read,
    known_manifests: &[ManifestId],
    mut on_known: impl FnMut(u64),
) -> Result<Sealed> {
    let mut assembler = Assembler::start(backend, Layout::ByContent, CHUNK_BYTES_MAX, ZSTD_LEVEL)?;
    assembler.compare_with(known::read(backend, known_manifests)?);
    let mut cutter = Cutter::new(source);
    let mut length = 0;
    while let Some(chunk) = cutter.next_chunk().map_err(|e| Error::Source(e.into()))? {
        let chunk_length = chunk.len() as u64;
        if chunk_length > LOGICAL_SIZE_MAX - length {
            let what = "the stream is larger than 1 PiB";
            return Err(Error::Length { what, offset: length, length: chunk_length });
        }
        length += chunk_length;
        assembler.submit(Job::Chunk(chunk))?;
        on_known(assembler.totals.known_plain_bytes);
    }
    assembler.finish(length)
}

/// Cuts a stream as [`Store::write_stream`](crate::Store::write_stream) does. Stores nothing.
pub fn cut(source: impl Read) -> impl Iterator<Item = io::Result<Vec<u8>>> {
    let mut cutter = Cutter::new(source);
    std::iter::from_fn(move || cutter.next_chunk().transpose())
}

/// Cuts a stream into chunks.
///
/// A cut depends only on the bytes since the previous cut. So equal streams are cut equally, and after a change the
/// cuts soon coincide again.
struct Cutter<R> {
    source: R,
    buffer: Vec<u8>,
    /// Where the unread bytes of the buffer begin.
    start: usize,
    ended: bool,
}

impl<R: Read> Cutter<R> {
    fn new(source: R) -> Self {
        Self { source, buffer: Vec::with_capacity(BUFFER_BYTES), start: 0, ended: false }
    }

    /// Returns the next chunk; `None` at the end.
    fn next_chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.buffer.len() - self.start < CHUNK_BYTES_MAX && !self.ended {
            self.buffer.drain(..self.start);
            self.start = 0;
            let room = BUFFER_BYTES - self.buffer.len();
            let read = self.source.by_ref().take(room as u64).read_to_end(&mut self.buffer)?;
            self.ended = read < room;
        }
        let unread = &self.buffer[self.start..];
        let cut = FastCDC::new(unread, CHUNK_BYTES_MIN, CHUNK_BYTES_AVERAGE, CHUNK_BYTES_MAX).next();
        let chunk = cut.map(|cut| unread[..cut.length].to_vec());
        self.start += chunk.as_ref().map_or(0, Vec::len);
        Ok(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns few bytes at a time, and is interrupted now and then.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1.is_multiple_of(3) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let length = buf.len().min(10_007);
            self.0.read(&mut buf[..length])
        }
    }

    fn cuts(source: impl Read) -> Vec<Vec<u8>> {
        let mut cutter = Cutter::new(source);
        std::iter::from_fn(|| cutter.next_chunk().unwrap()).collect()
    }

    fn noise(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        blake3::Hasher::new().finalize_xof().fill(&mut bytes);
        bytes
    }

    #[test]
    fn cuts_do_not_depend_on_read_sizes() {
        let stream = noise(9 << 20);
        let chunks = cuts(&stream[..]);
        assert_eq!(chunks.concat(), stream);
        assert_eq!(cuts(Trickle(&stream, 0)), chunks);
        let (_, all_but_last) = chunks.split_last().unwrap();
        assert!(all_but_last.iter().all(|chunk| (CHUNK_BYTES_MIN..=CHUNK_BYTES_MAX).contains(&chunk.len())));
        assert_eq!(cuts(&[][..]), Vec::<Vec<u8>>::new());
    }

    /// Chunks are only found again if cuts never change.
    #[test]
    fn cuts_never_change() {
        let lengths: Vec<usize> = cuts(&noise(2 << 20)[..]).iter().map(Vec::len).collect();
        let expected = [
            149_670, 381_545, 93_777, 200_647, 305_508, 145_656, 170_656, 147_664, 182_647, 168_964, 67_744,
            82_674,
        ];
        assert_eq!(lengths, expected);
    }
}
