//! Plain bytes of a file, and its holes.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

/// Returns the first part of `range` that may hold data, or `None` if all of it is a hole.
///
/// File systems without hole detection have data everywhere. Beyond the end of the file is a hole.
pub fn next_stored(file: &File, range: Range<u64>) -> io::Result<Option<Range<u64>>> {
    let start = match seek(file, SeekFrom::Data(range.start)) {
        Ok(start) => start,
        Err(Errno::NXIO) => return Ok(None),
        Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(Some(range)),
        Err(err) => return Err(err.into()),
    };
    if start >= range.end {
        return Ok(None);
    }
    let end = match seek(file, SeekFrom::Hole(start)) {
        Ok(end) => end.min(range.end),
        // The file was truncated between the two calls; `unchanged` reports it.
        Err(Errno::NXIO) => return Ok(None),
        Err(err) => return Err(err.into()),
    };
    Ok(Some(start..end))
}

/// Fills `buf` from the file at `offset`, with zeros beyond its end. Returns the bytes read from the file.
pub(crate) fn read_padded(file: &File, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buf.len() {
        match file.read_at(&mut buf[filled..], offset + filled as u64) {
            Ok(0) => {
                buf[filled..].fill(0);
                break;
            }
            Ok(len) => filled += len,
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_skipped_and_the_end_is_padded() {
        let file = tempfile::tempfile().unwrap();
        file.set_len(4 << 20).unwrap();
        file.write_all_at(&[7; 4096], 1 << 20).unwrap();
        let found = next_stored(&file, 0..4 << 20).unwrap().unwrap();
        assert!(found.start <= 1 << 20 && found.end >= (1 << 20) + 4096, "{found:?}");
        assert_eq!(next_stored(&file, 3 << 20..4 << 20).unwrap(), None);
        assert_eq!(next_stored(&file, 5 << 20..6 << 20).unwrap(), None);

        let mut buf = [1; 8];
        read_padded(&file, (4 << 20) - 4, &mut buf).unwrap();
        assert_eq!(buf, [0; 8]);
    }
}
