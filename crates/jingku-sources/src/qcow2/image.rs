//! One qcow2 file without its backing files: where each part of the disk is.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use imago::file::File as ImagoFile;
use imago::qcow2::Qcow2;
use imago::{FormatAccess, ShallowMapping};

use super::header::Header;
use super::tables::OFFSET_MASK;
use crate::error::DiskError;
use crate::raw::read_padded;
use crate::source::Source;

/// An open qcow2 file.
///
/// It opens without its backing file, so imago does not follow the chain: unallocated parts are reported as
/// [`Mapping::Below`], and the reader asks the next layer. imago caches up to 128 L2 tables of one cluster each: 8 MiB
/// at the usual 64 KiB.
#[derive(Debug)]
pub(crate) struct Image {
    access: FormatAccess<ImagoFile>,
    path: PathBuf,
    file_len: u64,
    cluster_bytes: u64,
}

/// Where one layer stores a part of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mapping {
    /// Uncompressed, at this offset of the file.
    Stored(u64),
    Compressed,
    Hole,
    /// In the backing files.
    Below,
}

impl Image {
    /// Opens a file whose header was parsed.
    pub(crate) fn open(source: &Source, header: &Header) -> Result<Image, DiskError> {
        check_l1_entries(source, header)?;
        let open = |file: File| {
            let mut qcow2: Qcow2<ImagoFile> = Qcow2::open_image(ImagoFile::try_from(file)?, false)?;
            qcow2.set_data_file(None);
            qcow2.set_backing(None);
            Ok(FormatAccess::new(qcow2))
        };
        let access = source.file.try_clone().and_then(open).map_err(|err| fault(&source.path, err))?;
        let (path, file_len) = (source.path.clone(), source.len());
        Ok(Image { access, path, file_len, cluster_bytes: header.cluster_bytes() })
    }

    /// Returns where the disk's bytes from `offset` are, and how many of at most `len_max` (not zero) are there.
    pub(crate) fn mapping(&self, offset: u64, len_max: u64) -> Result<(Mapping, u64), DiskError> {
        let mapped = self.access.get_shallow_mapping(offset, len_max);
        let (mapping, len) = mapped.map_err(|err| fault(&self.path, err))?;
        let mapping = match mapping {
            // QEMU may leave the last cluster of a file short; `qemu-img check` draws the same line. Otherwise the file
            // was truncated, and missing data must not read as zeros.
            ShallowMapping::Raw { offset, .. }
                if offset.saturating_add(len) >= self.file_len.saturating_add(self.cluster_bytes) =>
            {
                return Err(DiskError::damaged(&self.path, "a table leads to data past the end of the file"));
            }
            ShallowMapping::Raw { offset, .. } => Mapping::Stored(offset),
            ShallowMapping::Special { .. } => Mapping::Compressed,
            ShallowMapping::Zero { explicit: true, .. } => Mapping::Hole,
            ShallowMapping::Zero { explicit: false, .. } => Mapping::Below,
            // An overlay may be larger than its backing file, which reads as zeros beyond its end.
            ShallowMapping::Eof { .. } => return Ok((Mapping::Hole, len_max)),
            other => return Err(DiskError::damaged(&self.path, format!("unexpected mapping {other:?}"))),
        };
        if len == 0 {
            return Err(DiskError::damaged(&self.path, format!("nothing is mapped at offset {offset}")));
        }
        Ok((mapping, len))
    }

    pub(crate) fn read_compressed(&self, offset: u64, buf: &mut [u8]) -> Result<(), DiskError> {
        self.access.read(buf, offset).map_err(|err| fault(&self.path, err))
    }
}

/// Checks that all L2 tables are inside the file, so that a truncated file does not look like an empty disk.
///
/// Unlike data, tables always occupy whole clusters.
fn check_l1_entries(source: &Source, header: &Header) -> Result<(), DiskError> {
    let mut table = vec![0; header.l1_entries as usize * 8];
    read_padded(&source.file, header.l1_offset, &mut table).map_err(DiskError::io("read", &source.path))?;
    for entry in table.as_chunks().0 {
        let l2_offset = u64::from_be_bytes(*entry) & OFFSET_MASK;
        if l2_offset != 0 && l2_offset + header.cluster_bytes() > source.len() {
            return Err(DiskError::damaged(&source.path, "its first table leads past the end of the file"));
        }
    }
    Ok(())
}

/// Only errors of the operating system have an error number; others are faults of the image.
fn fault(path: &Path, err: io::Error) -> DiskError {
    match err.raw_os_error() {
        Some(_) => DiskError::io("read", path)(err),
        None => DiskError::damaged(path, err.to_string()),
    }
}
