//! Detects what a file is before it is sent, so that nothing is sent in vain.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use compshare::actions::FileFormat;
use jingku_library::{Caution, Content, DiskError, DiskFormat, HEAD_BYTES, TAIL_BYTES, detect};

use super::input::Input;
use super::reader::Reader;
use crate::failure::{Exit, Failure};

/// Refuses a file or device that is recognised as something other than a disk, and returns a caution if nothing is
/// recognised. Read errors are left to the upload.
///
/// The content of compressed and qcow2 files and of streams cannot be examined here; the server examines it.
pub(super) fn at_input(input: &Input, format: Option<DiskFormat>) -> Result<Option<Caution>, Failure> {
    let Reader::File { file, length, .. } = &input.reader else { return Ok(None) };
    if format.is_some() {
        return Ok(None);
    }
    match content(file, *length) {
        Ok(Content::Unknown) => Ok(Some(Caution::NoStructure)),
        Ok(Content::Foreign(foreign)) => {
            let error = DiskError::NotADisk(PathBuf::from(&input.name), foreign);
            Err(Failure { exit: Exit::Refused, ..Failure::from(error) })
        }
        _ => Ok(None),
    }
}

fn content(file: &File, size: u64) -> io::Result<Content> {
    let read = |at: u64, len_max: usize| {
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(len_max).min(len_max)];
        file.read_exact_at(&mut bytes, at).map(|()| bytes)
    };
    let head = read(0, HEAD_BYTES)?;
    let tail = read(size.saturating_sub(TAIL_BYTES as u64), TAIL_BYTES)?;
    Ok(detect(&head, &tail, size))
}

/// The format as the API spells it.
pub(super) fn on_the_wire(format: DiskFormat) -> FileFormat {
    match format {
        DiskFormat::Raw => FileFormat::Raw,
        DiskFormat::Qcow2 => FileFormat::Qcow2,
    }
}
