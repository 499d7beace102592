//! One entry of a tar archive, with its headers as they were read.
//!
//! Where programs read an archive differently, this does as the engines do, which use Go's `archive/tar`, or refuses it.

use std::borrow::Cow;
use std::io::{self, Read};

use tar::{EntryType, Header};

use super::block::{BLOCK, Block, cut_off, damaged, invalid, read_header, read_onto, read_sparse_map};
use super::extended::{Extended, SPARSE_KEYS};
use super::pax;

/// The longest path or target of a link, in bytes: that of Linux.
pub(crate) const PATH_BYTES_MAX: usize = 4095;
/// The most bytes that an entry may say it has: far from where sums overflow.
const CONTENT_BYTES_MAX: u64 = 1 << 60;

/// An entry, without its content.
pub(crate) struct Entry {
    /// The extended headers before the header, as they were read.
    extended: Vec<u8>,
    header: Header,
    /// The blocks after the header that list the parts of a sparse file.
    sparse: Vec<u8>,
    /// Whether its content lists the parts of a sparse file.
    has_pax_map: bool,
    /// Its path below the root: no `/` or `./` at the start, no `/` at the end.
    pub(crate) path: Vec<u8>,
    /// The target of a link, as it was read.
    pub(crate) link: Vec<u8>,
    /// Bytes of content.
    pub(crate) size: u64,
}

impl Entry {
    /// Reads the headers of the next entry; `None` at the end mark of the archive. An archive without the mark was cut
    /// off: an engine that fails half way ends its answer like that.
    pub(crate) fn read(source: &mut impl Read) -> io::Result<Option<Self>> {
        match Self::read_any(source)? {
            Next::Entry(entry) => Ok(Some(*entry)),
            Next::Mark => Ok(None),
            Next::Nothing => Err(cut_off()),
        }
    }

    /// The same for an archive whose digest is checked, and which may therefore end without the mark.
    pub(crate) fn read_of_layer(source: &mut impl Read) -> io::Result<Option<Self>> {
        match Self::read_any(source)? {
            Next::Entry(entry) => Ok(Some(*entry)),
            Next::Mark | Next::Nothing => Ok(None),
        }
    }

    fn read_any(source: &mut impl Read) -> io::Result<Next> {
        let mut extended = Extended::default();
        loop {
            let header = match read_header(source)? {
                Block::Header(header) => header,
                _ if !extended.bytes.is_empty() => return Err(cut_off()),
                Block::Zeros => return Ok(Next::Mark),
                Block::Nothing => return Ok(Next::Nothing),
            };
            let kind = header.entry_type();
            let is_extended = kind.is_pax_global_extensions()
                || kind.is_pax_local_extensions()
                || kind.is_gnu_longname()
                || kind.is_gnu_longlink();
            if !is_extended {
                return Ok(Next::Entry(Box::new(Self::new(source, header, extended)?)));
            }
            extended.read(source, &header)?;
        }
    }

    fn new(source: &mut impl Read, header: Box<Header>, extended: Extended) -> io::Result<Self> {
        let header = *header;
        let path = extended.path.unwrap_or_else(|| header.path_bytes().into_owned());
        let link =
            extended.link.or_else(|| header.link_name_bytes().map(Cow::into_owned)).unwrap_or_default();
        if path.len() > PATH_BYTES_MAX || link.len() > PATH_BYTES_MAX {
            return Err(invalid("an entry has a path of more than 4095 bytes"));
        }
        let kind = header.entry_type();
        if kind.is_file() && path.ends_with(b"/") {
            return Err(invalid("a file has the name of a directory"));
        }
        let said = extended.size.map_or_else(|| header.entry_size().map_err(|_| damaged()), Ok);
        let entry = Self {
            sparse: read_sparse_map(source, &header)?,
            path: clean(&path).to_vec(),
            size: 0,
            extended: extended.bytes,
            has_pax_map: extended.has_pax_map,
            header,
            link,
        };
        if is_only_header(kind) {
            // Some programs take the size of a link or directory seriously, engines do not.
            let is_plain = said.is_ok_and(|size| size == 0);
            let link = entry.link.clone();
            return if is_plain { Ok(entry) } else { entry.changed(kind, &link, 0) };
        }
        let size = said?;
        if size > CONTENT_BYTES_MAX {
            return Err(invalid("an entry is too large"));
        }
        Ok(Self { size, ..entry })
    }

    pub(crate) fn kind(&self) -> EntryType {
        self.header.entry_type()
    }

    /// Whether it is a file with content of its own, not a link, directory or device.
    pub(crate) fn is_file(&self) -> bool {
        let kind = self.kind();
        kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse()
    }

    /// Whether its content is only the parts of a file that hold data.
    pub(crate) fn is_sparse(&self) -> bool {
        self.has_pax_map || self.kind().is_gnu_sparse()
    }

    /// Its header blocks.
    pub(crate) fn headers(&self) -> Vec<u8> {
        [&self.extended, &self.header.as_bytes()[..], &self.sparse].concat()
    }

    /// Bytes of content with padding.
    pub(crate) fn padded_size(&self) -> u64 {
        self.size.next_multiple_of(BLOCK as u64)
    }

    /// Bytes of memory that it takes, or a few more.
    pub(crate) fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.extended.len() + self.sparse.len() + self.path.len() + self.link.len()
    }

    /// The same file, with the same owner, times and attributes, as another kind with another content.
    pub(crate) fn changed(self, kind: EntryType, link: &[u8], size: u64) -> io::Result<Self> {
        let path = self.path.clone();
        Self { sparse: Vec::new(), has_pax_map: false, link: link.to_vec(), size, ..self }
            .rewritten(kind, &path)
    }

    /// The same file under another path.
    pub(crate) fn renamed(self, path: &[u8]) -> io::Result<Self> {
        let kind = self.kind();
        self.rewritten(kind, path)
    }

    /// Writes the headers anew.
    fn rewritten(self, kind: EntryType, path: &[u8]) -> io::Result<Self> {
        let Self { mut header, sparse, has_pax_map, link, size, .. } = self;
        let mut records = Vec::new();
        for (key, value) in pax_records(&self.extended)? {
            match key {
                b"path" | b"linkpath" | b"size" => {}
                b"GNU.sparse.name" if has_pax_map => records.push((key, path)),
                _ if key.starts_with(SPARSE_KEYS) && !has_pax_map => {}
                _ => records.push((key, value)),
            }
        }
        header.set_entry_type(kind);
        header.set_size(size);
        if !set_name(&mut header, path) {
            records.push((b"path", path));
        }
        header.as_old_mut().linkname.fill(0);
        if header.set_link_name_literal(&link).is_err() {
            records.push((b"linkpath", &link));
        }
        header.set_cksum();
        let extended = pax::write(&records);
        Ok(Self { extended, header, sparse, has_pax_map, path: path.to_vec(), link, size })
    }
}

/// The records of the PAX header among these headers.
fn pax_records(mut extended: &[u8]) -> io::Result<Vec<pax::Record<'_>>> {
    while let Some((header, rest)) = extended.split_at_checked(BLOCK) {
        let header = Header::from_byte_slice(header);
        let length = header.entry_size().ok().and_then(|length| usize::try_from(length).ok());
        let length = length.filter(|length| *length <= rest.len()).ok_or_else(damaged)?;
        if header.entry_type().is_pax_local_extensions() {
            return pax::read(&rest[..length]);
        }
        extended = rest.get(length.next_multiple_of(BLOCK)..).unwrap_or_default();
    }
    Ok(Vec::new())
}

/// Sets the name of a header; whether it fits.
fn set_name(header: &mut Header, path: &[u8]) -> bool {
    if let Some(ustar) = header.as_ustar_mut() {
        ustar.prefix.fill(0);
    }
    let name = &mut header.as_old_mut().name;
    let length = path.len().min(name.len());
    name.fill(0);
    name[..length].copy_from_slice(&path[..length]);
    length == path.len()
}

/// Kinds that are only a header, whatever their size says.
fn is_only_header(kind: EntryType) -> bool {
    kind.is_hard_link()
        || kind.is_symlink()
        || kind.is_character_special()
        || kind.is_block_special()
        || kind.is_dir()
        || kind.is_fifo()
}

/// What comes next in an archive.
enum Next {
    Entry(Box<Entry>),
    Mark,
    Nothing,
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
