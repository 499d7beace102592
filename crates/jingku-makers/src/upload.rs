//! A file that came from a stranger: what it holds is told by its content, and it makes nothing else be read.
//!
//! Nothing in it is believed. A qcow2 that names another file is refused, and its tables are gone through before the
//! first byte is read: see `qcow2/tables.rs`. A compressed file is unpacked first, up to a limit. QEMU's tools see none
//! of it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::format::detect;
use crate::qcow2::{Header, check_tables};
use crate::source::Source;
use crate::{DiskError, DiskFormat, DiskReader, SparseWriter};

/// Unpacked at once.
const PIECE_BYTES: usize = 1 << 20;
/// Read at once from the compressed file.
const BUFFER_BYTES: usize = 256 << 10;
/// The largest window of a zstd stream, as a power of two: 128 MiB, which `zstd` writes without being told that memory
/// does not count.
const ZSTD_WINDOW_BITS_MAX: u32 = 27;

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// RFC 1952, one member or several.
    Gzip,
    /// RFC 8878, one frame or several.
    Zstd,
}

/// What a file looks like that holds no disk we read. Saved as raw it would give an image that no machine can boot.
const FOREIGN_MAGICS: &[(&[u8], &str)] = &[
    (b"\xfd7zXZ\0", "xz"),
    (b"BZh", "bzip2"),
    (b"PK\x03\x04", "a zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a rar archive"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"LRZI", "lrzip"),
    (b"LZIP", "lzip"),
];

/// How far the unpacking of a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unpacked {
    /// Bytes of the file that have been read.
    pub packed_bytes: u64,
    /// Bytes of the content that are written. Runs of zeros are not.
    pub data_bytes: u64,
}

/// Says how a file is compressed, if it is.
pub fn packing(path: &Path) -> Result<Option<Packing>, DiskError> {
    let head = Source::open(path)?.head(512)?;
    Ok(match *head {
        [0x1f, 0x8b, 8, ..] => Some(Packing::Gzip),
        // A frame, or one that holds nothing of the content, which may stand first.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Packing::Zstd),
        _ => None,
    })
}

/// Unpacks a file into another, which is replaced, and makes it durable.
///
/// Stops with [`DiskError::Unusable`] where the content is longer than `size_max` bytes, and with
/// [`DiskError::Damaged`] where it breaks off or something else follows. `proceed` is called with
/// the progress, at least for every MiB of the content; its error ends the work.
pub fn unpack<E: From<DiskError>>(
    path: &Path,
    packing: Packing,
    into: &Path,
    size_max: u64,
    mut proceed: impl FnMut(Unpacked) -> Result<(), E>,
) -> Result<(), E> {
    let source = Source::open(path)?;
    let writing = |error| DiskError::io("write", into)(error);
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(into).map_err(writing)?;
    let mut writer = SparseWriter::new(file, 0);
    let mut unpacking = Unpacking::start(&source, packing).map_err(|error| unreadable(path, &error))?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = unpacking.read(&mut piece).map_err(|error| unreadable(path, &error))?;
        if read == 0 {
            break;
        }
        if writer.len() + read as u64 > size_max {
            let why = format!("it holds more than {} GB when unpacked", size_max >> 30);
            return Err(DiskError::unusable(path, why).into());
        }
        writer.append(&piece[..read]).map_err(writing)?;
        proceed(Unpacked { packed_bytes: unpacking.position(), data_bytes: writer.data_bytes() })?;
    }
    if writer.is_empty() {
        return Err(DiskError::unusable(path, "nothing is in it").into());
    }
    writer.sync().map_err(writing)?;
    Ok(())
}

/// Opens the disk that a file is, which is raw or qcow2 and has `size_max` bytes at most.
///
/// The time it takes is bounded by the length of the file and `size_max`, memory by 64 MiB.
pub fn open_alone(path: &Path, size_max: u64) -> Result<DiskReader, DiskError> {
    if packing(path)?.is_some() {
        return Err(DiskError::unusable(path, "it is compressed twice; unpack it once"));
    }
    let source = Source::open(path)?;
    let head = source.head(512)?;
    let foreign = FOREIGN_MAGICS.iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, name)| *name);
    let format = match foreign {
        Some(name) => Err(name),
        None => detect(&head),
    };
    let format = format.map_err(|name| {
        let why =
            format!("it looks like {name}; give a raw or qcow2 disk, plain or compressed with gzip or zstd");
        DiskError::unusable(path, why)
    })?;
    let header = match format {
        DiskFormat::Raw => None,
        DiskFormat::Qcow2 => Some(open_qcow2(&source)?),
    };
    let size_bytes = header.as_ref().map_or(source.len(), |header| header.size_bytes);
    if size_bytes == 0 {
        return Err(DiskError::unusable(path, "its disk has a size of zero"));
    }
    if size_bytes > size_max {
        let why = format!("its disk has {} GB; an image may have {}", size_bytes >> 30, size_max >> 30);
        return Err(DiskError::unusable(path, why));
    }
    if let Some(header) = &header {
        check_tables(&source, header)?;
    }
    DiskReader::of_layers(vec![(source, header)], size_bytes)
}

fn open_qcow2(source: &Source) -> Result<Header, DiskError> {
    let head = source.head(Header::HEAD_BYTES_MAX)?;
    let header = Header::parse(&source.path, &head, source.len())?;
    if header.backing.is_some() {
        let why = "it needs another file (a backing file), which is not read; make one file of both with \
                   `qemu-img convert -O qcow2`";
        return Err(DiskError::unusable(&source.path, why));
    }
    if let Some(feature) = header.qemu_only {
        let why =
            format!("it uses {feature}, which is not read; rewrite it with `qemu-img convert -O qcow2`");
        return Err(DiskError::unusable(&source.path, why));
    }
    Ok(header)
}

/// What the decompressors say is about the file, what has an error number is about the machine.
fn unreadable(path: &Path, error: &io::Error) -> DiskError {
    if let Some(number) = error.raw_os_error() {
        return DiskError::io("read", path)(io::Error::from_raw_os_error(number));
    }
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return DiskError::damaged(path, "its compressed content breaks off, or something else follows it");
    }
    DiskError::damaged(path, "its compressed content is damaged, or something else follows it")
}

/// A file being unpacked.
struct Unpacking(Stream);

enum Stream {
    Gzip(Box<MultiGzDecoder<Counted>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, Counted>>),
}

impl Unpacking {
    fn start(source: &Source, packing: Packing) -> io::Result<Self> {
        let file = source.file.try_clone()?;
        let counted = Counted { reader: BufReader::with_capacity(BUFFER_BYTES, file), position: 0 };
        Ok(Self(match packing {
            Packing::Gzip => Stream::Gzip(Box::new(MultiGzDecoder::new(counted))),
            Packing::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(counted)?;
                decoder.window_log_max(ZSTD_WINDOW_BITS_MAX)?;
                Stream::Zstd(Box::new(decoder))
            }
        }))
    }

    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Stream::Gzip(decoder) => decoder.read(into),
            Stream::Zstd(decoder) => decoder.read(into),
        }
    }

    fn position(&self) -> u64 {
        match &self.0 {
            Stream::Gzip(decoder) => decoder.get_ref().position,
            Stream::Zstd(decoder) => decoder.get_ref().position,
        }
    }
}

/// Counts what is taken of a file.
struct Counted {
    reader: BufReader<File>,
    position: u64,
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
