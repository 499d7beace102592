//! Where the bytes of an import come from.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

use jingku_library::next_stored;

/// The most bytes that are read at once.
pub(super) const READ_BYTES: usize = 1 << 20;

/// An open input.
pub(super) enum Reader {
    /// It has a length, and may have holes.
    File {
        file: File,
        length: u64,
    },
    Stream(Box<dyn Read + Send>),
}

impl Reader {
    /// Reads up to `limit` bytes at `at`, which a stream has reached, and appends them. A hole appends nothing. Returns how
    /// many bytes were read or skipped: 0 at the end.
    pub(super) fn read(&mut self, at: u64, into: &mut Vec<u8>, limit: u64) -> io::Result<u64> {
        let from = into.len();
        let length_of = |most: u64| usize::try_from(most).map_or(READ_BYTES, |most| most.min(READ_BYTES));
        let read = match self {
            Self::File { file, length } => {
                let left = length.saturating_sub(at).min(limit);
                let data = if left == 0 { None } else { next_stored(file, at..at + left)? };
                let hole = data.as_ref().map_or(left, |data| data.start - at);
                if hole > 0 || left == 0 {
                    return Ok(hole);
                }
                into.resize(from + length_of(data.map_or(0, |data| data.end - at)), 0);
                fill(|piece, filled| file.read_at(piece, at + filled), &mut into[from..])?
            }
            Self::Stream(stream) => {
                into.resize(from + length_of(limit), 0);
                fill(|piece, _| stream.read(piece), &mut into[from..])?
            }
        };
        into.truncate(from + read);
        Ok(read as u64)
    }
}

/// Fills a buffer until the input ends. `read` gets the rest of the buffer and how many bytes are filled.
pub(super) fn fill(
    mut read: impl FnMut(&mut [u8], u64) -> io::Result<usize>,
    into: &mut [u8],
) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match read(&mut into[filled..], filled as u64) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
