//! Unpacking a compressed file from a stranger, up to a limit of bytes and of memory.

mod gzip;
mod zstd;

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use crate::content::Content;
use crate::source::Source;
use crate::{DiskError, SparseWriter};
use gzip::GzipMembers;
use zstd::ZstdFrames;

pub use zstd::WINDOW_BYTES_MAX as ZSTD_WINDOW_BYTES_MAX;

/// Unpacked at once.
const PIECE_BYTES: usize = 1 << 20;
/// Read at once from the compressed file.
const BUFFER_BYTES: usize = 256 << 10;
/// How often a stream that waits for memory asks whether to stop.
const WAIT: Duration = Duration::from_millis(200);

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// RFC 1952, one member or several.
    Gzip,
    /// RFC 8878, one frame or several.
    Zstd,
}

impl Packing {
    /// Says by the first bytes of a file how it is compressed, if it is. Eight bytes are enough.
    pub fn of(head: &[u8]) -> Option<Self> {
        match *head {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            // A frame, or one that holds nothing of the content, which may stand first.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// The name that its programs have.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// The command that unpacks it.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::Gzip => "gzip -dk FILE",
            Self::Zstd => "zstd -d FILE",
        }
    }
}

/// What is wrong with a compressed file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackedFault {
    /// The file is shorter than its content needs: it was cut, or is not complete yet.
    EndsEarly(Packing),
    /// The content is whole, and something that is no more of it follows at this offset of the file.
    Followed(Packing, u64),
    /// The content contradicts itself.
    Damaged(Packing, String),
    /// A zstd frame needs a dictionary, which is not in the file; with its id.
    NeedsDictionary(u32),
    /// A zstd frame needs so many bytes of memory.
    NeedsMemory(u64),
    /// Nothing is in it.
    Empty,
    /// It holds more than so many bytes.
    TooLarge(u64),
}

impl fmt::Display for PackedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EndsEarly(packing) => write!(
                f,
                "it ends early: its {} content is cut off. Compare its size with that of the original, and copy it again",
                packing.name()
            ),
            Self::Followed(packing, at) => write!(
                f,
                "something else follows its {} content at byte {at}. Unpack it with `{}` and check what comes out",
                packing.name(),
                packing.command()
            ),
            Self::Damaged(Packing::Gzip, why) => {
                write!(f, "its gzip content is damaged ({why}). Copy it again, or make it again")
            }
            Self::Damaged(Packing::Zstd, why) => write!(
                f,
                "its zstd content is damaged ({why}). Copy it again, or make it again, without `-D` and `--patch-from`"
            ),
            Self::NeedsDictionary(id) => write!(
                f,
                "its zstd content needs a dictionary ({id}), which is not in the file. Unpack it with `zstd -d -D DICTIONARY FILE` first"
            ),
            Self::NeedsMemory(bytes) => write!(
                f,
                "its zstd content needs a window of {} MB, and at most {} MB are supported. Unpack it with \
                 `zstd -d --long=31 FILE` first, or compress it with a smaller window",
                bytes.div_ceil(1 << 20),
                ZSTD_WINDOW_BYTES_MAX >> 20
            ),
            Self::Empty => f.write_str("nothing is in it"),
            Self::TooLarge(bytes) => write!(f, "it holds more than {} GB when unpacked", bytes >> 30),
        }
    }
}

/// Says how a file is compressed, if it is: a disk may begin with the remains of something compressed.
pub fn packing(path: &Path) -> Result<Option<Packing>, DiskError> {
    match Source::open(path)?.content()? {
        Content::Packed(packing) => Ok(Some(packing)),
        _ => Ok(None),
    }
}

/// How far the unpacking of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unpacked {
    /// Bytes of the file that have been read.
    pub packed_bytes: u64,
    /// Bytes of the content that are written. Runs of zeros are not.
    pub data_bytes: u64,
}

/// Unpacks a file into another, which is replaced, and makes it durable.
///
/// Stops with [`DiskError::Packed`] where the content is longer than `size_max` bytes, breaks off, or something else
/// follows. Zeros that follow are padding, and are passed over. `proceed` is called with
/// the progress, at least for every MiB of the content; its error ends the work.
///
/// Memory is bounded by 130 MiB, and by 520 MiB for one file at a time: one that needs so much waits for another.
pub fn unpack<E: From<DiskError>>(
    path: &Path,
    packing: Packing,
    into: &Path,
    size_max: u64,
    mut proceed: impl FnMut(Unpacked) -> Result<(), E>,
) -> Result<(), E> {
    let source = Source::open(path)?;
    let writing = |error| DiskError::io("write", into)(error);
    let failed = |stop| match stop {
        Stop::Fault(fault) => DiskError::packed(path, fault),
        Stop::Io(error) => DiskError::io("read", path)(error),
    };
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(into).map_err(writing)?;
    let mut writer = SparseWriter::new(file, 0);
    let mut stream = Stream::start(&source, packing).map_err(failed)?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match stream.read(&mut piece).map_err(failed)? {
            Step::Bytes(0) => break,
            Step::Bytes(read) => {
                if writer.len() + read as u64 > size_max {
                    return Err(DiskError::packed(path, PackedFault::TooLarge(size_max)).into());
                }
                writer.append(&piece[..read]).map_err(writing)?;
            }
            Step::Wait => std::thread::sleep(WAIT),
        }
        proceed(Unpacked { packed_bytes: stream.position(), data_bytes: writer.data_bytes() })?;
    }
    if writer.is_empty() {
        return Err(DiskError::packed(path, PackedFault::Empty).into());
    }
    writer.sync().map_err(writing)?;
    Ok(())
}

/// What one call gave.
enum Step {
    /// So many bytes of the content; none at its end.
    Bytes(usize),
    /// Nothing: the memory that is needed is another's just now.
    Wait,
}

/// Why unpacking stops.
enum Stop {
    /// Because of the file.
    Fault(PackedFault),
    /// Because of the machine.
    Io(io::Error),
}

impl From<PackedFault> for Stop {
    fn from(fault: PackedFault) -> Self {
        Self::Fault(fault)
    }
}

impl Stop {
    /// Separates errors of the machine, which have an error number, from faults of the content.
    fn of(packing: Packing, error: &io::Error) -> Self {
        if let Some(number) = error.raw_os_error() {
            return Self::Io(io::Error::from_raw_os_error(number));
        }
        Self::Fault(match error.kind() {
            io::ErrorKind::UnexpectedEof => PackedFault::EndsEarly(packing),
            _ => PackedFault::Damaged(packing, error.to_string()),
        })
    }
}

/// A file being unpacked.
enum Stream {
    Gzip(GzipMembers),
    Zstd(Box<ZstdFrames>),
}

impl Stream {
    fn start(source: &Source, packing: Packing) -> Result<Self, Stop> {
        let file = source.file.try_clone().map_err(Stop::Io)?;
        let input = Counted { reader: BufReader::with_capacity(BUFFER_BYTES, file), position: 0 };
        Ok(match packing {
            Packing::Gzip => Self::Gzip(GzipMembers::start(input)),
            Packing::Zstd => Self::Zstd(Box::new(ZstdFrames::start(input)?)),
        })
    }

    fn read(&mut self, into: &mut [u8]) -> Result<Step, Stop> {
        match self {
            Self::Gzip(members) => members.read(into).map(Step::Bytes),
            Self::Zstd(frames) => frames.read(into),
        }
    }

    fn position(&self) -> u64 {
        match self {
            Self::Gzip(members) => members.position(),
            Self::Zstd(frames) => frames.position(),
        }
    }
}

/// Counts what is taken of a file.
struct Counted {
    reader: BufReader<File>,
    position: u64,
}

impl Counted {
    /// The next bytes, up to `len`, without taking them.
    fn peek(&self, len: usize) -> io::Result<Vec<u8>> {
        use std::os::unix::fs::FileExt;
        let (mut bytes, mut filled) = (vec![0; len], 0);
        while filled < len {
            match self.reader.get_ref().read_at(&mut bytes[filled..], self.position + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Takes zeros to the end of the file. Tells where something else is, if there is.
    fn skip_padding(&mut self) -> io::Result<Option<u64>> {
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

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl BufRead for Counted {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.position += amount as u64;
        self.reader.consume(amount);
    }
}
