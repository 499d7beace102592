//! The extended headers of an entry.

use std::io::{self, Read};

use tar::Header;

use super::block::{BLOCK, damaged, invalid, read_onto};
use super::pax;

/// The most bytes of the extended headers of one entry. A path has at most 4 KiB, and Linux limits each extended
/// attribute to 64 KiB.
const EXTENDED_BYTES_MAX: u64 = 1 << 20;
/// The beginning of the keys of a sparse file.
pub(super) const SPARSE_KEYS: &[u8] = b"GNU.sparse.";

/// What the extended headers of an entry say.
#[derive(Default)]
pub(super) struct Extended {
    /// As they were read.
    pub(super) bytes: Vec<u8>,
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    has_pax: bool,
    /// Whether the content of the entry lists the parts of a sparse file.
    pub(super) has_pax_map: bool,
}

impl Extended {
    /// Reads one extended header.
    pub(super) fn read(&mut self, source: &mut impl Read, header: &Header) -> io::Result<()> {
        let kind = header.entry_type();
        let length = header.entry_size().map_err(|_| damaged())?;
        if length > EXTENDED_BYTES_MAX.saturating_sub(self.bytes.len() as u64) {
            return Err(invalid("an entry has extended headers of more than 1 MiB"));
        }
        let padded = length.next_multiple_of(BLOCK as u64);
        if kind.is_pax_global_extensions() {
            // Left out: engines ignore it, and other programs apply it to all that follows.
            if !self.bytes.is_empty() {
                return Err(damaged());
            }
            return read_onto(source, &mut Vec::new(), padded);
        }
        self.bytes.extend_from_slice(header.as_bytes());
        let start = self.bytes.len();
        read_onto(source, &mut self.bytes, padded)?;
        let content = self.bytes[start..][..usize::try_from(length).map_err(io::Error::other)?].to_vec();
        if kind.is_gnu_longname() {
            set_once(&mut self.path, until_zero(&content))
        } else if kind.is_gnu_longlink() {
            set_once(&mut self.link, until_zero(&content))
        } else if std::mem::replace(&mut self.has_pax, true) {
            Err(damaged())
        } else {
            self.read_pax(&content)
        }
    }

    fn read_pax(&mut self, content: &[u8]) -> io::Result<()> {
        let mut sparse_name = None;
        for (key, value) in pax::read(content)? {
            match key {
                b"path" => set_once(&mut self.path, value)?,
                b"linkpath" => set_once(&mut self.link, value)?,
                b"size" if !value.is_empty() => {
                    let size = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
                    self.size = Some(size.ok_or_else(|| invalid("the size of an entry is not a number"))?);
                }
                b"GNU.sparse.name" => set_once(&mut sparse_name, value)?,
                _ => {}
            }
            self.has_pax_map |= key.starts_with(SPARSE_KEYS);
        }
        // The path is then made up.
        if sparse_name.is_some() {
            self.path = sparse_name;
        }
        Ok(())
    }
}

/// An empty value counts as none. Which of two values counts, programs disagree.
fn set_once(place: &mut Option<Vec<u8>>, value: &[u8]) -> io::Result<()> {
    if place.is_some() {
        return Err(invalid("an entry has two paths"));
    }
    if !value.is_empty() {
        *place = Some(value.to_vec());
    }
    Ok(())
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}
