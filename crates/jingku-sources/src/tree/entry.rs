//! One entry of a tar archive, with its headers as they were read.

use std::borrow::Cow;
use std::io::{self, Read};

use tar::{Builder, EntryType, Header, PaxExtensions};

/// The size of a header, and what contents are padded to.
pub(crate) const BLOCK: usize = 512;

/// The most bytes of the extended headers of one entry. A path has at most 4 KiB, and Linux limits each extended
/// attribute to 64 KiB.
const EXTENDED_BYTES_MAX: u64 = 1 << 20;

/// An entry, without its content.
pub(crate) struct Entry {
    /// The extended headers before the header, as they were read.
    extended: Vec<u8>,
    header: Header,
    /// The blocks after the header that list the parts of a sparse file.
    sparse: Vec<u8>,
    /// Its path below the root: no `/` or `./` at the start, no `/` at the end.
    pub(crate) path: Vec<u8>,
    /// The target of a link, as it was read.
    pub(crate) link: Vec<u8>,
    /// Bytes of content.
    pub(crate) size: u64,
}

impl Entry {
    /// Reads the headers of the next entry; `None` at the end of the archive.
    pub(crate) fn read(source: &mut impl Read) -> io::Result<Option<Self>> {
        let mut extended = Vec::new();
        let (mut path, mut link, mut size) = (None, None, None);
        while let Some(header) = read_header(source)? {
            let kind = header.entry_type();
            let is_extended = kind.is_pax_global_extensions()
                || kind.is_pax_local_extensions()
                || kind.is_gnu_longname()
                || kind.is_gnu_longlink();
            if !is_extended {
                let path = path.unwrap_or_else(|| header.path_bytes().into_owned());
                let link = link.or_else(|| header.link_name_bytes().map(Cow::into_owned)).unwrap_or_default();
                let size = if has_no_content(kind) { Some(0) } else { size };
                let size = size.map_or_else(|| header.entry_size().map_err(|_| damaged()), Ok)?;
                let sparse = read_sparse_map(source, &header)?;
                return Ok(Some(Self { extended, sparse, path: clean(&path).to_vec(), link, size, header }));
            }
            let length = header.entry_size().map_err(|_| damaged())?;
            if length > EXTENDED_BYTES_MAX.saturating_sub(extended.len() as u64) {
                return Err(invalid("an entry has extended headers of more than 1 MiB"));
            }
            extended.extend_from_slice(header.as_bytes());
            let start = extended.len();
            read_onto(source, &mut extended, length.next_multiple_of(BLOCK as u64))?;
            let content = &extended[start..][..usize::try_from(length).map_err(io::Error::other)?];
            if kind.is_gnu_longname() {
                path = Some(until_zero(content).to_vec());
            } else if kind.is_gnu_longlink() {
                link = Some(until_zero(content).to_vec());
            } else if kind.is_pax_local_extensions() {
                for record in PaxExtensions::new(content) {
                    let record = record?;
                    match record.key_bytes() {
                        b"path" => path = Some(record.value_bytes().to_vec()),
                        b"linkpath" => link = Some(record.value_bytes().to_vec()),
                        b"size" => {
                            let value = record.value().ok().and_then(|value| value.parse().ok());
                            size =
                                Some(value.ok_or_else(|| invalid("the size of an entry is not a number"))?);
                        }
                        _ => {}
                    }
                }
            }
        }
        if extended.is_empty() { Ok(None) } else { Err(invalid("the archive is cut off")) }
    }

    pub(crate) fn kind(&self) -> EntryType {
        self.header.entry_type()
    }

    /// Whether it is a file with content of its own, not a link, directory or device.
    pub(crate) fn is_file(&self) -> bool {
        let kind = self.kind();
        kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()
    }

    /// Its header blocks.
    pub(crate) fn headers(&self) -> Vec<u8> {
        [&self.extended, &self.header.as_bytes()[..], &self.sparse].concat()
    }

    /// Bytes of all header blocks.
    pub(crate) fn header_bytes(&self) -> u64 {
        (self.extended.len() + BLOCK + self.sparse.len()) as u64
    }

    /// Bytes of content with padding.
    pub(crate) fn padded_size(&self) -> u64 {
        self.size.next_multiple_of(BLOCK as u64)
    }

    /// The same file, with the same owner, times and attributes, as another kind with another content.
    pub(crate) fn changed(self, kind: EntryType, link: &[u8], size: u64) -> io::Result<Self> {
        let mut records: Vec<(String, Vec<u8>)> = Vec::new();
        for record in self.pax_records() {
            let record = record?;
            if !matches!(record.key_bytes(), b"path" | b"linkpath" | b"size") {
                let key = record.key().map_err(io::Error::other)?;
                records.push((key.to_owned(), record.value_bytes().to_vec()));
            }
        }
        let mut header = self.header.clone();
        header.set_entry_type(kind);
        header.set_size(size);
        if header.set_link_name_literal(link).is_err() {
            header.set_link_name_literal(b"")?;
            records.push(("linkpath".to_owned(), link.to_vec()));
        }
        if !self.extended.is_empty() {
            records.push(("path".to_owned(), self.path.clone()));
        }
        header.set_cksum();
        let mut extended = Builder::new(Vec::new());
        extended.append_pax_extensions(records.iter().map(|(key, value)| (&**key, &**value)))?;
        // Without the end of an archive, which `into_inner` would append.
        let extended = std::mem::take(extended.get_mut());
        Ok(Self { extended, header, sparse: Vec::new(), path: self.path, link: link.to_vec(), size })
    }

    fn pax_records(&self) -> impl Iterator<Item = io::Result<tar::PaxExtension<'_>>> {
        let mut rest = &self.extended[..];
        std::iter::from_fn(move || {
            let (header, tail) = rest.split_at_checked(BLOCK)?;
            let header = Header::from_byte_slice(header);
            let length = usize::try_from(header.entry_size().ok()?).ok()?;
            let content = &tail[..length];
            rest = &tail[length.next_multiple_of(BLOCK)..];
            let local = header.entry_type().is_pax_local_extensions();
            Some(PaxExtensions::new(if local { content } else { b"" }))
        })
        .flatten()
    }
}

/// Kinds that are only a header, whatever their size says.
fn has_no_content(kind: EntryType) -> bool {
    kind.is_hard_link()
        || kind.is_symlink()
        || kind.is_character_special()
        || kind.is_block_special()
        || kind.is_dir()
        || kind.is_fifo()
}

/// Reads a header block; `None` for the block of zeros that ends an archive. An archive without it was cut off: an engine
/// that fails half way ends its answer like that.
fn read_header(source: &mut impl Read) -> io::Result<Option<Header>> {
    let mut block = Vec::with_capacity(BLOCK);
    read_onto(source, &mut block, BLOCK as u64)?;
    if block.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let header = Header::from_byte_slice(&block).clone();
    let sum = block.iter().enumerate().map(|(at, byte)| {
        // The field of the sum itself counts as blanks.
        u32::from(if (148..156).contains(&at) { b' ' } else { *byte })
    });
    let said = header.cksum().map_err(|_| damaged())?;
    if said == sum.sum::<u32>() { Ok(Some(header)) } else { Err(damaged()) }
}

fn damaged() -> io::Error {
    invalid("a header is damaged")
}

fn read_sparse_map(source: &mut impl Read, header: &Header) -> io::Result<Vec<u8>> {
    let mut map = Vec::new();
    let is_sparse = header.entry_type().is_gnu_sparse();
    let mut more = is_sparse && header.as_gnu().is_some_and(tar::GnuHeader::is_extended);
    while more {
        if map.len() as u64 >= EXTENDED_BYTES_MAX {
            return Err(invalid("a sparse file has too many parts"));
        }
        read_onto(source, &mut map, BLOCK as u64)?;
        // The byte after the 21 parts of a block: whether another block follows.
        more = map[map.len() - BLOCK + 21 * 24] != 0;
    }
    Ok(map)
}

/// Reads the file that is the first entry of an archive; `None` if that is no file. Fails if it is larger than
/// `bytes_max`.
pub fn read_one_file(mut archive: impl Read, bytes_max: u64) -> io::Result<Option<Vec<u8>>> {
    let Some(file) = Entry::read(&mut archive)?.filter(Entry::is_file) else { return Ok(None) };
    if file.size > bytes_max {
        return Err(invalid("the file is too large"));
    }
    let mut content = Vec::new();
    read_onto(&mut archive, &mut content, file.size)?;
    Ok(Some(content))
}

/// Appends exactly `length` bytes.
pub(crate) fn read_onto(source: &mut impl Read, bytes: &mut Vec<u8>, length: u64) -> io::Result<()> {
    let read = source.by_ref().take(length).read_to_end(bytes)?;
    if read as u64 == length { Ok(()) } else { Err(invalid("the archive is cut off")) }
}

pub(crate) fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// A path below the root, without what does not change its meaning.
pub(crate) fn clean(path: &[u8]) -> &[u8] {
    let mut path = path;
    while let Some(rest) = path.strip_prefix(b"./").or_else(|| path.strip_prefix(b"/")) {
        path = rest;
    }
    while let Some(rest) = path.strip_suffix(b"/") {
        path = rest;
    }
    if path == b"." { b"" } else { path }
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}
