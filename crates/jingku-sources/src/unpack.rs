//! Decompresses an untrusted file within limits of size and memory.

mod gzip;
mod input;
mod zstd;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use self::gzip::GzipMembers;
use self::input::{Input, Stop, Stream};
use self::zstd::ZstdFrames;
use crate::content::Content;
use crate::error::DiskError;
use crate::packing::{PackedFault, Packing};
use crate::source::Source;
use crate::sparse::SparseWriter;

const PIECE_BYTES: usize = 1 << 20;
/// How often a stream that waits for memory checks whether to stop.
const WAIT: Duration = Duration::from_millis(200);

/// Detects the compression of a file, if any. Leftovers of compressed data at the start of a disk do not count.
pub fn packing(path: &Path) -> Result<Option<Packing>, DiskError> {
    match Source::open(path)?.content()? {
        Content::Packed(packing) => Ok(Some(packing)),
        _ => Ok(None),
    }
}

/// The progress of decompressing a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unpacked {
    /// Bytes of the file that have been read.
    pub packed_bytes: u64,
    /// Bytes of content that have been written, without runs of zeros.
    pub data_bytes: u64,
}

/// Decompresses a file into another, which is replaced, and makes it durable.
///
/// Fails with [`DiskError::Packed`] if the content exceeds `size_max` bytes, is truncated, or is followed by anything
/// but zeros. `proceed` receives the progress at least once per MiB of content; its error ends the work.
///
/// Memory is at most 130 MiB, or 520 MiB for one file at a time: another such file waits.
pub fn unpack<E: From<DiskError>>(
    path: &Path,
    packing: Packing,
    into: &Path,
    size_max: u64,
    mut proceed: impl FnMut(Unpacked) -> Result<(), E>,
) -> Result<(), E> {
    let source = Source::open(path)?;
    let writing = |error| DiskError::io("write", into)(error);
    let reading = |error| DiskError::io("read", path)(error);
    let failed = |stop| match stop {
        Stop::Fault(fault) => DiskError::packed(path, fault),
        Stop::Io(error) => reading(error),
    };
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(into).map_err(writing)?;
    let mut writer = SparseWriter::new(file, 0);
    let input = Input::open(&source).map_err(reading)?;
    let mut stream: Box<dyn Stream> = match packing {
        Packing::Gzip => Box::new(GzipMembers::start(input)),
        Packing::Zstd => Box::new(ZstdFrames::start(input).map_err(reading)?),
    };
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match stream.read(&mut piece).map_err(failed)? {
            Some(0) => break,
            Some(read) => {
                if writer.len() + read as u64 > size_max {
                    return Err(DiskError::packed(path, PackedFault::TooLarge(size_max)).into());
                }
                writer.append(&piece[..read]).map_err(writing)?;
            }
            None => std::thread::sleep(WAIT),
        }
        proceed(Unpacked { packed_bytes: stream.position(), data_bytes: writer.data_bytes() })?;
    }
    if writer.is_empty() {
        return Err(DiskError::packed(path, PackedFault::Empty).into());
    }
    writer.sync().map_err(writing)?;
    Ok(())
}
