//! The compressed file, and the results of reading it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use crate::packing::{PackedFault, Packing};
use crate::raw::read_padded;
use crate::source::Source;

const BUFFER_BYTES: usize = 256 << 10;

/// The content of a compressed file.
pub(super) trait Stream {
    /// Reads the next bytes of content: none at the end, and `None` while another stream uses the memory.
    fn read(&mut self, into: &mut [u8]) -> Result<Option<usize>, Stop>;

    /// Returns the bytes of the file that have been consumed.
    fn position(&self) -> u64;
}

pub(super) enum Stop {
    /// A fault of the file.
    Fault(PackedFault),
    /// A fault of the machine.
    Io(io::Error),
}

impl From<PackedFault> for Stop {
    fn from(fault: PackedFault) -> Self {
        Self::Fault(fault)
    }
}

impl Stop {
    /// Only errors of the operating system have an error number; others are faults of the content.
    pub(super) fn of(packing: Packing, error: &io::Error) -> Self {
        if let Some(number) = error.raw_os_error() {
            return Self::Io(io::Error::from_raw_os_error(number));
        }
        Self::Fault(match error.kind() {
            io::ErrorKind::UnexpectedEof => PackedFault::EndsEarly(packing),
            _ => PackedFault::Damaged(packing, error.to_string()),
        })
    }
}

/// Counts the bytes consumed from a file.
pub(super) struct Input {
    reader: BufReader<File>,
    pub(super) position: u64,
}

impl Input {
    pub(super) fn open(source: &Source) -> io::Result<Self> {
        let reader = BufReader::with_capacity(BUFFER_BYTES, source.file.try_clone()?);
        Ok(Self { reader, position: 0 })
    }

    /// Returns up to `len` next bytes without consuming them.
    pub(super) fn peek(&self, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        let read = read_padded(self.reader.get_ref(), self.position, &mut bytes)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Skips zeros up to the end of the file. Returns the offset of anything else.
    pub(super) fn skip_padding(&mut self) -> io::Result<Option<u64>> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(None);
            }
            let zeros = buffer.iter().take_while(|byte| **byte == 0).count();
            let all = zeros == buffer.len();
            self.consume(zeros);
            if !all {
                return Ok(Some(self.position));
            }
        }
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.position += amount as u64;
        self.reader.consume(amount);
    }
}
