//! An input, read once from start to end.

use bytes::Bytes;
use compshare::{FileHasher, HashKind};
use jingku_library::is_zero;

use super::input::Input;
use super::reader::Reader;
use crate::failure::{Exit, Failure};

/// Bytes that are sent at once and that the server then has for certain. One such piece is read while another is sent.
const SEGMENT_BYTES: usize = 64 << 20;
/// The shortest run of zeros, in bytes, that an import announces instead of sending it.
const ZEROS_MIN: u64 = 8 << 20;
/// The most zeros that a stream gives at once: it may never end.
const STREAM_ZEROS_MAX: u64 = 1 << 30;

pub(super) enum Piece {
    Data(Bytes),
    Zeros(u64),
}

/// An input and the hash of what was read.
pub(super) struct Source {
    pub(super) input: Input,
    hasher: FileHasher,
    /// The plain hash, if the command line states it.
    stated: Option<FileHasher>,
    /// How many bytes were read.
    pub(super) at: u64,
    /// Read but not returned yet: zeros, and then these bytes.
    zeros: u64,
    carried: Vec<u8>,
}

impl Source {
    /// Starts reading. `stated` is whether the plain hash is needed beside the one that is sent.
    pub(super) fn start(input: Input, kind: HashKind, stated: bool) -> Self {
        Self {
            input,
            hasher: FileHasher::new(kind),
            stated: stated.then(|| FileHasher::new(HashKind::Plain)),
            at: 0,
            zeros: 0,
            carried: Vec::new(),
        }
    }

    pub(super) fn hash(&self) -> String {
        self.hasher.hash()
    }

    /// The plain hash of what was read, if it is wanted.
    pub(super) fn stated_hash(&self) -> Option<String> {
        self.stated.as_ref().map(FileHasher::hash)
    }

    /// Reads what the server already has. Returns whether it is the same.
    pub(super) fn skip(&mut self, length: u64, hash: &str, show: impl Fn(u64)) -> Result<bool, Failure> {
        let mut piece = Vec::new();
        while self.at < length {
            piece.clear();
            if self.read(&mut piece, length - self.at)? == 0 {
                return Ok(false);
            }
            show(self.at);
        }
        Ok(self.hash() == hash)
    }

    /// Reads the next part; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Piece>, Failure> {
        let mut segment = Vec::new();
        loop {
            let from = segment.len();
            if self.carried.is_empty() {
                if segment.capacity() == 0 {
                    segment.reserve_exact(SEGMENT_BYTES);
                }
                let read = self.read(&mut segment, u64::MAX)?;
                let data = segment.len() > from;
                if read > 0 && !data {
                    self.zeros += read;
                    let is_file = matches!(self.input.reader, Reader::File { .. });
                    if is_file || self.zeros < STREAM_ZEROS_MAX {
                        continue;
                    }
                }
                if self.zeros >= ZEROS_MIN {
                    self.carried = segment.split_off(from);
                    return Ok(Some(self.before_zeros(segment)));
                }
                // Too few to be announced: they are sent as bytes.
                let zeros = usize::try_from(std::mem::take(&mut self.zeros)).unwrap_or(0);
                segment.splice(from..from, std::iter::repeat_n(0, zeros));
                if read == 0 {
                    return Ok((!segment.is_empty()).then(|| Piece::Data(segment.into())));
                }
            } else {
                if self.zeros > 0 {
                    return Ok(Some(self.before_zeros(segment)));
                }
                segment = std::mem::take(&mut self.carried);
                segment.reserve_exact(SEGMENT_BYTES - segment.len());
            }
            if segment.len() >= SEGMENT_BYTES {
                return Ok(Some(Piece::Data(segment.into())));
            }
        }
    }

    /// Returns the bytes before the zeros, or the zeros if there are none.
    fn before_zeros(&mut self, segment: Vec<u8>) -> Piece {
        if segment.is_empty() {
            Piece::Zeros(std::mem::take(&mut self.zeros))
        } else {
            Piece::Data(segment.into())
        }
    }

    /// Reads up to `limit` bytes and appends them unless they are all zero. Returns how many were read: 0 at the end. A
    /// hole is skipped at once, whatever its length.
    fn read(&mut self, into: &mut Vec<u8>, limit: u64) -> Result<u64, Failure> {
        let from = into.len();
        let read = self.input.reader.read(self.at, into, limit);
        let read = read.map_err(Failure::file(Exit::Fault, self.input.name.as_ref()))?;
        let bytes = &into[from..];
        let hashers = std::iter::once(&mut self.hasher).chain(&mut self.stated);
        if is_zero(bytes) {
            hashers.for_each(|hasher| hasher.zeros(read));
            into.truncate(from);
        } else {
            hashers.for_each(|hasher| hasher.update(bytes));
        }
        self.at += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt;
    use std::path::Path;

    use super::super::reader::READ_BYTES;
    use super::*;

    fn of_file(path: &Path) -> Input {
        Input::open_file(path, None).unwrap()
    }

    /// Every kind of run, in a file with holes and in a stream: the parts add up, and long zeros are returned as zeros.
    #[test]
    fn parts_are_the_whole_and_long_zeros_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk");
        let mut whole = Vec::new();
        for (zeros, bytes) in [(0, 5), (9 << 20, 3 << 20), (2 << 20, 70 << 20), (20 << 20, 1), (8 << 20, 0)] {
            whole.resize(whole.len() + zeros, 0);
            whole.resize(whole.len() + bytes, 7);
        }
        let file = File::create(&path).unwrap();
        file.set_len(whole.len() as u64).unwrap();
        for (index, block) in whole.chunks(4096).enumerate().filter(|(_, block)| block.contains(&7)) {
            file.write_all_at(block, index as u64 * 4096).unwrap();
        }
        let as_stream =
            || Input { reader: Reader::Stream(Box::new(File::open(&path).unwrap())), ..of_file(&path) };
        for (input, kind) in [(of_file(&path), HashKind::Sparse), (as_stream(), HashKind::Plain)] {
            let mut source = Source::start(input, kind, true);
            let (mut found, mut zeros) = (Vec::new(), 0);
            while let Some(piece) = source.next().unwrap() {
                match piece {
                    Piece::Data(bytes) => {
                        assert!(
                            bytes.len() <= SEGMENT_BYTES + usize::try_from(ZEROS_MIN).unwrap() + READ_BYTES
                        );
                        found.extend(bytes);
                    }
                    Piece::Zeros(count) => {
                        found.resize(found.len() + usize::try_from(count).unwrap(), 0);
                        zeros += count;
                    }
                }
            }
            assert!(found == whole);
            // All but the ends of two runs, which are not whole pieces, and one run that is then too short.
            assert!(zeros > 25 << 20, "{zeros}");
            let mut hasher = FileHasher::new(kind);
            hasher.update(&whole);
            assert_eq!(source.hash(), hasher.hash());
            assert_eq!(source.stated_hash(), Some(blake3::hash(&whole).to_hex().to_string()));
            assert_eq!(source.at, whole.len() as u64);
        }
        // Resume in the middle.
        let there = (10 << 20) + 77;
        let hash = blake3::hash(&whole[..there]).to_hex();
        let mut source = Source::start(of_file(&path), HashKind::Plain, false);
        assert!(source.skip(there as u64, &hash, |_| {}).unwrap());
        assert!(matches!(source.next().unwrap(), Some(Piece::Data(_))));
        assert!(!source.skip(u64::MAX, &hash, |_| {}).unwrap());
    }

    /// Almost a terabyte of holes is neither read nor hashed byte by byte.
    #[test]
    fn holes_cost_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk");
        let (length, data) = (900_u64 << 30, 4096_u64);
        let file = File::create(&path).unwrap();
        file.set_len(length).unwrap();
        file.write_all_at(&[7; 4096], length / 2).unwrap();
        let input = of_file(&path);
        assert!(input.data.unwrap() <= 1 << 20, "{:?}", input.data);
        let mut source = Source::start(input, HashKind::Sparse, false);
        let (mut sent, mut pieces) = (0, 0);
        while let Some(piece) = source.next().unwrap() {
            pieces += 1;
            if let Piece::Data(bytes) = piece {
                sent += bytes.len() as u64;
            }
        }
        assert_eq!((source.at, pieces), (length, 3));
        assert!((data..=1 << 20).contains(&sent), "{sent}");
    }
}
