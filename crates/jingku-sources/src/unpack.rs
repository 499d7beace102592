//! Unpacking a compressed file from a stranger, up to a limit of bytes and of memory.

mod gzip;
mod input;
mod zstd;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use self::gzip::GzipMembers;
use self::input::{Input, Step, Stop};
use self::zstd::ZstdFrames;
use crate::content::Content;
use crate::error::DiskError;
use crate::packing::{PackedFault, Packing};
use crate::source::Source;
use crate::sparse::SparseWriter;

/// Unpacked at once.
const PIECE_BYTES: usize = 1 << 20;
/// How often a stream that waits for memory asks whether to stop.
const WAIT: Duration = Duration::from_millis(200);

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

/// A file being unpacked.
enum Stream {
    Gzip(GzipMembers),
    Zstd(Box<ZstdFrames>),
}

impl Stream {
    fn start(source: &Source, packing: Packing) -> Result<Self, Stop> {
        let input = Input::open(source).map_err(Stop::Io)?;
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
