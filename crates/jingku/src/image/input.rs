//! The input of an import: a file, a device or a pipe; and whether truncation would be noticed.

use std::fs::{File, OpenOptions};
use std::io::{self, Cursor, IsTerminal, PipeReader, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use jingku_library::{DiskFormat, Packing, is_written, next_stored};
use rustix::fs::{OFlags, SeekFrom, seek};

use super::fingerprint::Fingerprint;
use super::reader::Reader;
use crate::failure::{Exit, Failure};
use crate::messages::tr;

pub(super) const STDIN: &str = "-";
/// Bytes that identify a stream's format.
const HEAD_BYTES: u64 = 8;

/// An open input that is not empty.
pub(super) struct Input {
    pub(super) name: String,
    pub(super) reader: Reader,
    /// Its length in bytes, if known in advance.
    pub(super) size: Option<u64>,
    /// Bytes outside holes, if known in advance.
    pub(super) data: Option<u64>,
    /// Whether a truncated input is detected, whatever happens to its writer.
    pub(super) ends_itself: bool,
}

impl Input {
    /// Opens the input that the command line names. Blocks while a pipe is silent.
    pub(super) fn open(path: &Path, format: Option<DiskFormat>) -> Result<Self, Failure> {
        if path == Path::new(STDIN) { Self::open_stdin(format) } else { Self::open_file(path, format) }
    }

    fn open_stdin(format: Option<DiskFormat>) -> Result<Self, Failure> {
        let failed = Failure::file(Exit::Fault, Path::new(STDIN));
        let file: File = io::stdin().as_fd().try_clone_to_owned().map_err(&failed)?.into();
        let kind = file.metadata().map_err(&failed)?.file_type();
        // A file that was partly read is like a pipe.
        let at_start = seek(&file, SeekFrom::Current(0)).is_ok_and(|at| at == 0);
        if at_start && (kind.is_file() || kind.is_block_device()) {
            return Self::of_file(STDIN, file, None);
        }
        Self::of_stream(STDIN, file, format)
    }

    pub(super) fn open_file(path: &Path, format: Option<DiskFormat>) -> Result<Self, Failure> {
        let failed = Failure::file(Exit::NotThere, path);
        let kind = path.metadata().map_err(&failed)?.file_type();
        if kind.is_dir() {
            return Err(failed(io::ErrorKind::IsADirectory.into()));
        }
        // Fails while a device is mounted or part of another one, and prevents mounting meanwhile.
        let flags = if kind.is_block_device() { OFlags::EXCL.bits().cast_signed() } else { 0 };
        let name = path.display().to_string();
        let file =
            OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| {
                match error.kind() {
                    io::ErrorKind::ResourceBusy => in_use(&name),
                    _ => failed(error),
                }
            })?;
        let kind = file.metadata().map_err(&failed)?.file_type();
        if kind.is_file() || kind.is_block_device() {
            return Self::of_file(&name, file, Some(path));
        }
        Self::of_stream(&name, file, format)
    }

    pub(super) fn of_command(name: &str, output: PipeReader) -> Result<Self, Failure> {
        let input = Self::of_stream(name, OwnedFd::from(output).into(), None)?;
        // Its exit status shows whether it is complete.
        Ok(Self { ends_itself: true, ..input })
    }

    fn of_file(name: &str, file: File, path: Option<&Path>) -> Result<Self, Failure> {
        let failed = Failure::file(Exit::Fault, Path::new(name));
        if is_written(&file) {
            return Err(in_use(name));
        }
        let fingerprint = Fingerprint::take(&file, path).map_err(&failed)?;
        let length = fingerprint.length();
        if length == 0 {
            return Err(empty(name));
        }
        let data = count_data(&file, length).map_err(&failed)?;
        Ok(Self {
            name: name.to_owned(),
            reader: Reader::File { file, length, fingerprint },
            size: Some(length),
            data: Some(data),
            ends_itself: true,
        })
    }

    fn of_stream(name: &str, mut stream: File, format: Option<DiskFormat>) -> Result<Self, Failure> {
        if stream.is_terminal() {
            return Err(Failure::new(Exit::Usage, tr!("import-terminal")));
        }
        let mut head = Vec::new();
        let read = stream.by_ref().take(HEAD_BYTES).read_to_end(&mut head);
        read.map_err(Failure::file(Exit::Fault, Path::new(name)))?;
        if head.is_empty() {
            return Err(empty(name));
        }
        Ok(Self {
            name: name.to_owned(),
            ends_itself: ends_itself(&head, format),
            reader: Reader::Stream(Box::new(Cursor::new(head).chain(stream))),
            size: None,
            data: None,
        })
    }

    /// Refuses a file or device that was modified or replaced since it was opened.
    pub(super) fn unchanged(&self) -> Result<(), Failure> {
        match &self.reader {
            Reader::File { file, fingerprint, .. } if !fingerprint.is_of(file) => {
                Err(refused(tr!("import-changed", name = self.name)))
            }
            _ => Ok(()),
        }
    }
}

/// Whether data with this head marks its own end: the server refuses truncated gzip, zstd and qcow2, unless it treats
/// the qcow2 file as a raw disk.
fn ends_itself(head: &[u8], format: Option<DiskFormat>) -> bool {
    Packing::of(head).is_some() || (head.starts_with(b"QFI\xfb") && format != Some(DiskFormat::Raw))
}

fn count_data(file: &File, length: u64) -> io::Result<u64> {
    let (mut at, mut count) = (0, 0);
    while at < length
        && let Some(data) = next_stored(file, at..length)?
    {
        count += data.end - data.start;
        at = data.end;
    }
    Ok(count)
}

pub(super) fn empty(name: &str) -> Failure {
    refused(tr!("import-empty", name))
}

fn in_use(name: &str) -> Failure {
    refused(tr!("import-in-use", name))
}

pub(super) fn refused(message: String) -> Failure {
    Failure::new(Exit::Refused, message)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_says_where_it_ends_is_known_by_its_head() {
        for head in [
            &b"\x1f\x8b\x08\0"[..],
            b"\x28\xb5\x2f\xfd\x24",
            b"\x50\x2a\x4d\x18",
            b"\x5f\x2a\x4d\x18",
            b"QFI\xfb\0\0\0\x03",
        ] {
            assert!(ends_itself(head, None), "{head:?}");
            let packed = !head.starts_with(b"QFI");
            assert_eq!(ends_itself(head, Some(DiskFormat::Raw)), packed, "{head:?}");
        }
        for head in [&b"\x1f\x8b"[..], b"\x1f\x8b\x07\0", b"QFI", b"KDMV", b"\xeb\x63\x90", b"\0\0\0\0", b"x"]
        {
            assert!(!ends_itself(head, None), "{head:?}");
        }
    }

    #[test]
    fn a_pipe_is_no_file_and_nothing_of_it_is_lost() {
        let pipe = |text: &[u8]| {
            let (reader, mut writer) = io::pipe().unwrap();
            writer.write_all(text).unwrap();
            reader
        };
        let mut input = Input::of_stream("pipe", OwnedFd::from(pipe(b"QFI")).into(), None).unwrap();
        assert_eq!((input.size, input.ends_itself), (None, false));
        let Reader::Stream(stream) = &mut input.reader else { panic!("a file") };
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert_eq!(text, "QFI");
        assert!(Input::of_command("true", pipe(b"")).is_err(), "it is empty");
        assert!(Input::of_command("cat", pipe(b"raw")).unwrap().ends_itself);
    }
}
