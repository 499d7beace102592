//! Untrusted files: their content decides what they are, and they cannot cause other files to be read.
//!
//! A qcow2 with a backing file is refused, and its tables are checked before the first read: see `qcow2/tables.rs`.
//! Compressed files are decompressed first, within a limit. QEMU's tools never read them.

use std::path::Path;

use crate::content::Content;
use crate::disk::read_header;
use crate::error::DiskError;
use crate::format::DiskFormat;
use crate::qcow2::{Header, check_tables};
use crate::reader::DiskReader;
use crate::source::Source;

/// Opens the raw or qcow2 disk in a file, of at most `size_max` bytes.
///
/// Without a `format`, the content decides, and recognised other formats are refused. Compressed files are always
/// refused: decompress them first.
///
/// Time is bounded by the length of the file and `size_max`, memory by 64 MiB.
pub fn open_untrusted(
    path: &Path,
    size_max: u64,
    format: Option<DiskFormat>,
) -> Result<DiskReader, DiskError> {
    let source = Source::open(path)?;
    let content = source.content()?;
    if let Content::Packed(_) = content {
        return Err(DiskError::unusable(path, "it is compressed twice; unpack it once"));
    }
    let format = format.map_or_else(|| DiskFormat::of(content, path), Ok)?;
    let header = read_header(&source, format)?;
    if let Some(header) = &header {
        check_self_contained(path, header)?;
    }
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

fn check_self_contained(path: &Path, header: &Header) -> Result<(), DiskError> {
    if header.backing.is_some() {
        let why = "it needs another file (a backing file), which is not read; make one file of both with \
                   `qemu-img convert -O qcow2`";
        return Err(DiskError::unusable(path, why));
    }
    let Some(feature) = header.qemu_only else { return Ok(()) };
    let why = format!("it uses {feature}, which is not read; rewrite it with `qemu-img convert -O qcow2`");
    Err(DiskError::unusable(path, why))
}
