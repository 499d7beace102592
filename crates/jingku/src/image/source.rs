//! A file that is imported, read once from its start to its end.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use blake3::Hasher;
use bytes::Bytes;
use rustix::fs::{SeekFrom, seek};

use crate::failure::{Exit, Failure};
use crate::lang::tr;

/// What the command line calls standard input.
pub(super) const STDIN: &str = "-";
/// Bytes that are sent at once and that the server then has for certain. One such piece is read while another is sent.
const SEGMENT_BYTES: usize = 64 << 20;
/// Bytes that are read and hashed at once.
const READ_BYTES: usize = 1 << 20;
/// So many zeros are not sent as bytes.
const ZEROS_MIN: u64 = 8 << 20;
static ZEROS: [u8; READ_BYTES] = [0; READ_BYTES];

/// A part of a file.
pub(super) enum Piece {
    Data(Bytes),
    Zeros(u64),
}

/// A file and the hash of what was read of it.
pub(super) struct Source {
    path: PathBuf,
    input: Input,
    hasher: Hasher,
    at: u64,
    /// Read and not given yet: zeros, and then these bytes.
    zeros: u64,
    carried: Vec<u8>,
}

enum Input {
    /// It has a size, and may have holes.
    File(File),
    Stream(Box<dyn Read + Send>),
}

impl Source {
    /// Opens the file and tells its size, if it has one yet.
    pub(super) fn open(path: &Path) -> Result<(Self, Option<u64>), Failure> {
        let failed = |error: io::Error| Failure::file(Exit::NotThere, path, &error);
        let (input, size) = if path == Path::new(STDIN) {
            if io::stdin().is_terminal() {
                let message = tr(
                    "A disk does not come from a terminal: lead a program or a file to it.",
                    "磁盘内容不能从终端输入：请用管道或重定向。",
                );
                return Err(Failure::new(Exit::Usage, message));
            }
            (Input::Stream(Box::new(io::stdin())), None)
        } else {
            let file = File::open(path).map_err(failed)?;
            let metadata = file.metadata().map_err(failed)?;
            if metadata.is_dir() {
                return Err(failed(io::ErrorKind::IsADirectory.into()));
            }
            if metadata.is_file() {
                (Input::File(file), Some(metadata.len()))
            } else {
                (Input::Stream(Box::new(file)), None)
            }
        };
        if size == Some(0) {
            return Err(empty(path));
        }
        let (path, hasher) = (path.to_owned(), Hasher::new());
        Ok((Self { path, input, hasher, at: 0, zeros: 0, carried: Vec::new() }, size))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes were read.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The hash of what was read, in hexadecimal.
    pub(super) fn hash(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }

    /// Reads what the server has already. Tells whether it is the same.
    pub(super) fn skip(&mut self, length: u64, blake3: &str, show: impl Fn(u64)) -> Result<bool, Failure> {
        let mut piece = Vec::new();
        while self.at < length {
            piece.clear();
            let limit = usize::try_from(length - self.at).unwrap_or(READ_BYTES).min(READ_BYTES);
            if self.read(&mut piece, limit)? == 0 {
                return Ok(false);
            }
            show(self.at);
        }
        Ok(self.hash() == blake3)
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
                let read = self.read(&mut segment, READ_BYTES)?;
                let data = segment.len() > from;
                if read > 0 && !data {
                    self.zeros += read;
                    continue;
                }
                if self.zeros >= ZEROS_MIN {
                    self.carried = segment.split_off(from);
                    return Ok(Some(self.before_zeros(segment)));
                }
                // So few are bytes like others.
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

    /// The bytes before many zeros, or the zeros when they are next.
    fn before_zeros(&mut self, segment: Vec<u8>) -> Piece {
        if segment.is_empty() {
            Piece::Zeros(std::mem::take(&mut self.zeros))
        } else {
            Piece::Data(segment.into())
        }
    }

    /// Reads up to `limit` bytes and appends them, unless they are zeros alone. Tells how many were read: 0 at the end.
    fn read(&mut self, into: &mut Vec<u8>, limit: usize) -> Result<u64, Failure> {
        let from = into.len();
        let read = match &mut self.input {
            Input::File(file) if is_hole(file, self.at, limit) => Ok(limit),
            Input::File(file) => {
                into.resize(from + limit, 0);
                read_whole(|piece, at| file.read_at(piece, self.at + at), &mut into[from..])
            }
            Input::Stream(stream) => {
                into.resize(from + limit, 0);
                read_whole(|piece, _| stream.read(piece), &mut into[from..])
            }
        };
        let read = read.map_err(|error| Failure::file(Exit::Fault, &self.path, &error))?;
        into.truncate(from + read);
        if into.len() == from {
            self.hasher.update(&ZEROS[..read]);
        } else {
            self.hasher.update(&into[from..]);
            if into[from..] == ZEROS[..read] {
                into.truncate(from);
            }
        }
        self.at += read as u64;
        Ok(read as u64)
    }
}

/// Whether the next `length` bytes of a file are a hole. Where nobody can tell, they are not.
fn is_hole(file: &File, at: u64, length: usize) -> bool {
    seek(file, SeekFrom::Data(at)).is_ok_and(|data| data >= at + length as u64)
}

/// Fills a buffer as far as there is something. `read` is told how much of it is there.
fn read_whole(
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

pub(super) fn empty(path: &Path) -> Failure {
    let file = path.display();
    let message =
        tr(format!("{file} is empty: no image can be made of it."), format!("{file} 是空的，无法制作镜像。"));
    Failure::new(Exit::Refused, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kind of run, in a file with holes and as a stream: the parts are the whole, and long zeros are told as such.
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
        let as_stream = || Source {
            input: Input::Stream(Box::new(File::open(&path).unwrap())),
            ..Source::open(&path).unwrap().0
        };
        for mut source in [Source::open(&path).unwrap().0, as_stream()] {
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
            // All but the ends of two runs, which are not whole pieces, and one that is too short then.
            assert!(zeros > 25 << 20, "{zeros}");
            assert_eq!(source.hash(), blake3::hash(&whole).to_hex().to_string());
            assert_eq!(source.at(), whole.len() as u64);
        }
        // Going on in the middle of anything.
        let there = (10 << 20) + 77;
        let (mut source, _) = Source::open(&path).unwrap();
        let hash = blake3::hash(&whole[..there]).to_hex();
        assert!(source.skip(there as u64, &hash, |_| {}).unwrap());
        assert!(matches!(source.next().unwrap(), Some(Piece::Data(_))));
        assert!(!source.skip(u64::MAX, &hash, |_| {}).unwrap());
    }
}
