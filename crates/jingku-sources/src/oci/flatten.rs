//! Makes one layer of several.
//!
//! Layers are read from the highest to the lowest: what a higher one has or removed hides what is below. A removed file
//! is an entry `.wh.NAME`; a directory whose lower content is hidden has an entry `.wh..wh..opq` (OCI image specification,
//! "Whiteouts").
//!
//! Nobody has checked an archive before: every path is checked here.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};

use tar::EntryType;

use super::layer::{LayerContent, LayerFile};
use crate::tree::{BLOCK, Entry, clean, invalid};

/// The most paths of all layers. Each takes about 40 bytes of memory.
const PATHS_MAX: usize = 2_000_000;
/// The longest path, in bytes, and the longest name in it: those of Linux.
const PATH_BYTES_MAX: usize = 4095;
const NAME_BYTES_MAX: usize = 255;
/// The most links that wait for their file.
const HELD_MAX: usize = 100_000;
/// The most files that are looked for again because a hidden file has another name that is not hidden.
const SEARCHES_MAX: u32 = 100;

/// Names a removed file, before its own name.
const REMOVED: &[u8] = b".wh.";
/// Hides what lower layers have in its directory.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// What is known about a path.
#[derive(Clone, Copy, Default)]
struct Seen {
    kind: Option<Kind>,
    /// The layer with the entry, counted from the lowest.
    layer: usize,
    /// Layers below this one have nothing here.
    removed_by: Option<usize>,
    /// Layers below this one have nothing in this directory.
    opaque_by: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Named, or with something in it.
    Directory {
        named: bool,
    },
    Symlink,
    Other,
}

/// Yields the archive of one layer.
pub struct Flatten {
    layers: Vec<LayerFile>,
    /// The layer being read.
    layer: usize,
    content: Option<LayerContent>,
    bytes_left: u64,
    seen: HashMap<u64, Seen>,
    /// Files of this layer that are hidden, and the name that took over the content of each.
    hidden: HashMap<u64, Option<Vec<u8>>>,
    searches: u32,
    /// Links whose file may be in a lower layer.
    held: Vec<Entry>,
    ready: io::Cursor<Vec<u8>>,
    /// Content to pass on, with padding.
    left: u64,
    /// A file that was looked for again, at its content.
    again: Option<LayerContent>,
    ended: bool,
}

impl Flatten {
    pub(super) fn new(layers: Vec<LayerFile>, bytes_max: u64) -> Self {
        Self {
            layer: layers.len(),
            layers,
            content: None,
            bytes_left: bytes_max,
            seen: HashMap::new(),
            hidden: HashMap::new(),
            searches: 0,
            held: Vec::new(),
            ready: io::Cursor::default(),
            left: 0,
            again: None,
            ended: false,
        }
    }

    /// Reads the next entry, and makes ready what it yields, if anything.
    fn advance(&mut self) -> io::Result<()> {
        let Some(content) = &mut self.content else {
            let Some(below) = self.layer.checked_sub(1) else { return self.end() };
            self.layer = below;
            self.hidden.clear();
            self.content = Some(self.layers[below].read()?);
            return Ok(());
        };
        match Entry::read(content)? {
            Some(entry) => self.entry(entry),
            None => {
                // To its end, where its digest is checked.
                io::copy(content, &mut io::sink())?;
                self.content = None;
                Ok(())
            }
        }
    }

    fn entry(&mut self, entry: Entry) -> io::Result<()> {
        check_path(&entry.path)?;
        let (parent, name) = split(&entry.path);
        if let Some(removed) = name.strip_prefix(REMOVED) {
            let layer = self.layer;
            if name == OPAQUE {
                self.seen_mut(parent)?.opaque_by.get_or_insert(layer);
            } else {
                let path =
                    if parent.is_empty() { removed.to_vec() } else { [parent, b"/", removed].concat() };
                check_path(&path)?;
                self.seen_mut(&path)?.removed_by.get_or_insert(layer);
            }
            return self.discard(entry.padded_size());
        }
        let kind = match entry.kind() {
            EntryType::Directory => Kind::Directory { named: true },
            EntryType::Symlink => Kind::Symlink,
            kind if entry.is_file() || kind.is_hard_link() => Kind::Other,
            EntryType::Char | EntryType::Block | EntryType::Fifo => Kind::Other,
            _ => return Err(refused(&entry.path, "is of an unknown kind")),
        };
        let known = self.seen.get(&hash(&entry.path)).copied().unwrap_or_default();
        let twice = known.kind.is_some_and(|known| !matches!(known, Kind::Directory { .. }))
            && known.layer == self.layer;
        if twice {
            return Err(refused(&entry.path, "is there twice in one layer"));
        }
        if self.is_hidden(&entry.path, kind, known)? {
            if entry.is_file() {
                self.hidden.insert(hash(&entry.path), None);
            }
            return self.discard(entry.padded_size());
        }
        self.note(&entry.path, kind)?;
        if entry.kind().is_hard_link() { self.link(entry) } else { self.pass(entry) }
    }

    /// Whether a higher layer hides a path. Fails if the path leads through a link.
    fn is_hidden(&self, path: &[u8], kind: Kind, known: Seen) -> io::Result<bool> {
        let above = |layer: Option<usize>| layer.is_some_and(|layer| layer > self.layer);
        for parent in parents(path) {
            let Some(seen) = self.seen.get(&hash(parent)) else { continue };
            match seen.kind {
                Some(Kind::Symlink | Kind::Other) if seen.layer == self.layer => {
                    return Err(refused(path, "leads through a file or link of its layer"));
                }
                Some(Kind::Symlink | Kind::Other) => return Ok(true),
                Some(Kind::Directory { .. }) | None => {}
            }
            if above(seen.removed_by) || above(seen.opaque_by) {
                return Ok(true);
            }
        }
        let is_new_directory = matches!(known.kind, Some(Kind::Directory { named: false }))
            && matches!(kind, Kind::Directory { .. });
        Ok(above(known.removed_by) || (known.kind.is_some() && !is_new_directory))
    }

    /// Remembers an entry and the directories that it is in.
    fn note(&mut self, path: &[u8], kind: Kind) -> io::Result<()> {
        let layer = self.layer;
        for parent in parents(path) {
            let seen = self.seen_mut(parent)?;
            if seen.kind.is_none() {
                (seen.kind, seen.layer) = (Some(Kind::Directory { named: false }), layer);
            }
        }
        let seen = self.seen_mut(path)?;
        (seen.kind, seen.layer) = (Some(kind), layer);
        Ok(())
    }

    fn seen_mut(&mut self, path: &[u8]) -> io::Result<&mut Seen> {
        if self.seen.len() == PATHS_MAX {
            return Err(invalid("the image has more than 2 million files"));
        }
        Ok(self.seen.entry(hash(path)).or_default())
    }

    fn link(&mut self, entry: Entry) -> io::Result<()> {
        let target = clean(&entry.link).to_vec();
        check_path(&target)?;
        if target.is_empty() || target == entry.path {
            return Err(refused(&entry.path, "links to itself or to nothing"));
        }
        match self.hidden.get(&hash(&target)) {
            Some(Some(heir)) => {
                let heir = heir.clone();
                return self.pass(entry.changed(EntryType::Link, &heir, 0)?);
            }
            Some(None) => return self.search(entry, &target),
            None => {}
        }
        match self.seen.get(&hash(&target)) {
            Some(Seen { kind: Some(Kind::Other | Kind::Symlink), layer, .. }) if *layer == self.layer => {
                self.pass(entry)
            }
            Some(Seen { kind: Some(_), .. }) => Err(refused(&entry.path, "links to a file of another layer")),
            Some(Seen { kind: None, .. }) | None if self.held.len() < HELD_MAX => {
                self.held.push(entry);
                Ok(())
            }
            _ => Err(invalid("the image has too many links to files of other layers")),
        }
    }

    /// Makes a hard link the file itself, because the file has no other name that is not hidden.
    fn search(&mut self, entry: Entry, target: &[u8]) -> io::Result<()> {
        self.searches += 1;
        if self.searches > SEARCHES_MAX {
            return Err(invalid("the image has too many links to files that a higher layer removed"));
        }
        let mut content = self.layers[self.layer].read()?;
        loop {
            let Some(found) = Entry::read(&mut content)? else {
                return Err(refused(&entry.path, "links to nothing"));
            };
            if found.path == target && found.is_file() {
                self.hidden.insert(hash(target), Some(entry.path.clone()));
                self.again = Some(content);
                return self.pass(entry.changed(EntryType::Regular, b"", found.size)?);
            }
            let padded = found.padded_size();
            if io::copy(&mut content.by_ref().take(padded), &mut io::sink())? < padded {
                return Err(invalid("a layer is cut off"));
            }
        }
    }

    /// Yields an entry, followed by its content.
    fn pass(&mut self, entry: Entry) -> io::Result<()> {
        let headers = entry.headers();
        self.left = entry.padded_size();
        let bytes = self.left + headers.len() as u64;
        self.bytes_left =
            self.bytes_left.checked_sub(bytes).ok_or_else(|| invalid("it unpacks to more than it may"))?;
        self.ready.get_mut().extend_from_slice(&headers);
        Ok(())
    }

    fn discard(&mut self, bytes: u64) -> io::Result<()> {
        self.bytes_left =
            self.bytes_left.checked_sub(bytes).ok_or_else(|| invalid("it unpacks to more than it may"))?;
        let Some(content) = &mut self.content else { return Ok(()) };
        let read = io::copy(&mut content.take(bytes), &mut io::sink())?;
        if read == bytes { Ok(()) } else { Err(invalid("a layer is cut off")) }
    }

    /// Yields the links whose files were in lower layers, and the end of the archive.
    fn end(&mut self) -> io::Result<()> {
        for entry in std::mem::take(&mut self.held) {
            let target = self.seen.get(&hash(clean(&entry.link)));
            if !matches!(target, Some(Seen { kind: Some(Kind::Other | Kind::Symlink), .. })) {
                return Err(refused(&entry.path, "links to nothing"));
            }
            self.pass(entry)?;
        }
        self.ready.get_mut().extend([0; 2 * BLOCK]);
        self.ended = true;
        Ok(())
    }
}

impl Read for Flatten {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.ready.read(buf)?;
            if read > 0 || buf.is_empty() {
                return Ok(read);
            }
            self.ready.get_mut().clear();
            self.ready.set_position(0);
            if self.left == 0 {
                self.again = None;
                if self.ended {
                    return Ok(0);
                }
                self.advance()?;
                continue;
            }
            let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(buf.len());
            let source = self.again.as_mut().or(self.content.as_mut());
            let read = source.map_or(Ok(0), |source| source.read(&mut buf[..length]))?;
            if read == 0 {
                return Err(invalid("a layer is cut off"));
            }
            self.left -= read as u64;
            return Ok(read);
        }
    }
}

fn check_path(path: &[u8]) -> io::Result<()> {
    let is_bad = |name: &[u8]| matches!(name, b"" | b"." | b"..") || name.len() > NAME_BYTES_MAX;
    let names = || path.split(|byte| *byte == b'/');
    if path.len() > PATH_BYTES_MAX || path.contains(&0) || (!path.is_empty() && names().any(is_bad)) {
        return Err(refused(path, "is no path below the root"));
    }
    Ok(())
}

/// The directories above a path, from the top.
fn parents(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| &path[..at])
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}

fn refused(path: &[u8], why: &str) -> io::Error {
    let path = path[..path.len().min(200)].escape_ascii();
    io::Error::new(io::ErrorKind::InvalidData, format!("\"{path}\" {why}"))
}

/// Two paths with the same hash only harm the image that has them.
fn hash(path: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}
