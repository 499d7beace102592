//! The header of a file, byte by byte as Podman's export has it.
//!
//! Podman and Docker write archives with Go's `archive/tar`: as `ustar` if everything fits, otherwise with a PAX header.
//! With the same bytes, an image made from the engine's export and one made of the same files directly share all chunks.

use rustix::fs::{FileType, Stat, major, minor};
use tar::{EntryType, Header};

use super::node::Attribute;
use crate::tree::{BLOCK, pax};

/// The longest name and target of a link in a `ustar` header, in bytes.
const NAME_BYTES_MAX: usize = 100;
/// The longest directory before the name in a `ustar` header, in bytes.
const PREFIX_BYTES_MAX: usize = 155;
/// The largest owner: what fits into 7 octal digits.
const OWNER_MAX: u32 = 0o777_7777;
/// The latest time in seconds and the largest size in bytes: what fits into 11 octal digits.
const NUMBER_MAX: u64 = 0o777_7777_7777;

/// What a header says besides the stat.
pub(super) struct Described<'a> {
    pub(super) stat: &'a Stat,
    /// Its path below the root; that of a directory ends with `/`.
    pub(super) path: &'a [u8],
    /// The first path of the same file, for a further one.
    pub(super) first_path: Option<&'a [u8]>,
    /// The target of a symbolic link; empty for other files.
    pub(super) target: &'a [u8],
    /// Bytes of content.
    pub(super) size: u64,
    pub(super) attributes: &'a [Attribute],
}

impl Described<'_> {
    /// The blocks before the content.
    pub(super) fn encode(&self) -> Vec<u8> {
        let records = self.records();
        let mut blocks = Vec::new();
        let split = split(self.path);
        let fits = self.path.is_ascii() && (self.path.len() <= NAME_BYTES_MAX || split.is_some());
        let mut own: Vec<pax::Record<'_>> =
            records.iter().map(|(key, value)| (&key[..], &value[..])).collect();
        if !fits || (self.path.len() > NAME_BYTES_MAX && !own.is_empty()) {
            own.push((b"path", self.path));
        }
        own.sort_unstable();
        if !own.is_empty() {
            let content = pax::content(&own);
            let mut header = new_header();
            set_text(&mut header.as_old_mut().name, &pax_name(self.path));
            header.set_entry_type(EntryType::XHeader);
            header.set_size(content.len() as u64);
            seal(&mut header);
            blocks.extend_from_slice(header.as_bytes());
            blocks.extend(content);
            blocks.resize(blocks.len().next_multiple_of(BLOCK), 0);
        }
        let split = split.filter(|_| own.is_empty());
        blocks.extend_from_slice(self.header(split).as_bytes());
        blocks
    }

    fn link(&self) -> &[u8] {
        self.first_path.unwrap_or(self.target)
    }

    /// What does not fit into the header, but the path.
    fn records(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let stat = self.stat;
        let mut records: Vec<(Vec<u8>, Vec<u8>)> = self
            .attributes
            .iter()
            .map(|(name, value)| ([b"SCHILY.xattr.", &name[..]].concat(), value.clone()))
            .collect();
        let mut add = |key: &str, value: &[u8]| records.push((key.into(), value.to_vec()));
        if stat.st_gid > OWNER_MAX {
            add("gid", stat.st_gid.to_string().as_bytes());
        }
        if self.link().len() > NAME_BYTES_MAX || !self.link().is_ascii() {
            add("linkpath", self.link());
        }
        if octal_time(stat) != Some(stat.st_mtime) {
            add("mtime", stat.st_mtime.to_string().as_bytes());
        }
        if self.size > NUMBER_MAX {
            add("size", self.size.to_string().as_bytes());
        }
        if stat.st_uid > OWNER_MAX {
            add("uid", stat.st_uid.to_string().as_bytes());
        }
        records
    }

    /// The header block, with the path split in two if given. What does not fit is 0 or cut off there.
    fn header(&self, split: Option<(&[u8], &[u8])>) -> Header {
        let stat = self.stat;
        let mut header = new_header();
        header.set_entry_type(self.entry_type());
        header.set_mode(stat.st_mode);
        let owner = |id: u32| if id > OWNER_MAX { 0 } else { u64::from(id) };
        header.set_uid(owner(stat.st_uid));
        header.set_gid(owner(stat.st_gid));
        header.set_size(if self.size > NUMBER_MAX { 0 } else { self.size });
        header.set_mtime(octal_time(stat).and_then(|time| u64::try_from(time).ok()).unwrap_or(0));
        set_text(&mut header.as_old_mut().linkname, &ascii(self.link()));
        let kind = FileType::from_raw_mode(stat.st_mode);
        let is_device = matches!(kind, FileType::CharacterDevice | FileType::BlockDevice);
        if let Some(ustar) = header.as_ustar_mut() {
            let device = if is_device { (major(stat.st_rdev), minor(stat.st_rdev)) } else { (0, 0) };
            ustar.set_device_major(device.0);
            ustar.set_device_minor(device.1);
            let (prefix, name) = split.unwrap_or((b"", self.path));
            set_text(&mut ustar.prefix, prefix);
            set_text(&mut ustar.name, &ascii(name));
        }
        seal(&mut header);
        header
    }

    fn entry_type(&self) -> EntryType {
        match FileType::from_raw_mode(self.stat.st_mode) {
            _ if self.first_path.is_some() => EntryType::Link,
            FileType::Directory => EntryType::Directory,
            FileType::Symlink => EntryType::Symlink,
            FileType::CharacterDevice => EntryType::Char,
            FileType::BlockDevice => EntryType::Block,
            FileType::Fifo => EntryType::Fifo,
            _ => EntryType::Regular,
        }
    }
}

/// A header without owner, mode and time.
fn new_header() -> Header {
    let mut header = Header::new_ustar();
    header.set_mode(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

/// The time in whole seconds, if octal digits hold it.
fn octal_time(stat: &Stat) -> Option<i64> {
    u64::try_from(stat.st_mtime).ok().filter(|time| *time <= NUMBER_MAX).map(|_| stat.st_mtime)
}

/// Splits a long path where Go does: at the last `/` that leaves both parts short enough.
fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    if path.len() <= NAME_BYTES_MAX || !path.is_ascii() {
        return None;
    }
    let end = if path.len() > PREFIX_BYTES_MAX + 1 {
        PREFIX_BYTES_MAX + 1
    } else {
        path.len() - usize::from(path.ends_with(b"/"))
    };
    let at = path[..end].iter().rposition(|byte| *byte == b'/').filter(|at| *at > 0)?;
    let (prefix, name) = (&path[..at], &path[at + 1..]);
    ((1..=NAME_BYTES_MAX).contains(&name.len()) && prefix.len() <= PREFIX_BYTES_MAX).then_some((prefix, name))
}

/// The name of a PAX header, which only programs read that do not know such headers.
fn pax_name(path: &[u8]) -> Vec<u8> {
    let name_at = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    let (directory, name) = path.split_at(name_at);
    let mut whole = ascii(&[directory, b"PaxHeaders.0/", name].concat());
    whole.truncate(NAME_BYTES_MAX);
    while whole.ends_with(b"/") {
        whole.pop();
    }
    whole
}

fn ascii(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(u8::is_ascii).collect()
}

/// Sets a field to as much of a text as it holds.
fn set_text(field: &mut [u8], text: &[u8]) {
    field.fill(0);
    let mut length = text.len().min(field.len());
    if text.len() > field.len() {
        // A file with such a name would be taken for a directory.
        length = field.len() - text[..length].iter().rev().take_while(|byte| **byte == b'/').count();
    }
    field[..length].copy_from_slice(&text[..length]);
}

/// Sets the checksum, in the digits that Go writes.
fn seal(header: &mut Header) {
    header.set_cksum();
    let sum = header.cksum().unwrap_or(0);
    header.as_old_mut().cksum.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}
