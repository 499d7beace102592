//! What is visible of layers that lie on each other, read from the highest to the lowest.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;

use crate::tree::{PATH_BYTES_MAX, invalid};

/// The most paths of all layers. Each takes at most 40 bytes of memory.
const PATHS_MAX: usize = 1_800_000;
/// The longest name in a path, in bytes: that of Linux.
const NAME_BYTES_MAX: usize = 255;

/// Names a removed file, before its own name.
const REMOVED: &[u8] = b".wh.";
/// Begins names that only AUFS understands, and [`OPAQUE`].
const AUFS: &[u8] = b".wh..wh.";
/// Hides what lower layers have in its directory.
const OPAQUE: &[u8] = b".wh..wh..opq";

/// What is known about a path.
#[derive(Clone, Copy, Default)]
struct Seen {
    kind: Option<Kind>,
    /// The layer with the entry, counted from the lowest.
    layer: u16,
    /// Layers below this one have nothing here.
    removed_by: Option<u16>,
    /// Layers below this one have nothing in this directory.
    opaque_by: Option<u16>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Named, or with something in it.
    Directory {
        named: bool,
    },
    Leaf,
}

/// The layers that were read so far.
#[derive(Default)]
pub(super) struct Overlay {
    seen: HashMap<u64, Seen>,
}

impl Overlay {
    /// Hides what an entry of this layer removes. Returns whether the entry is not a file of the image.
    pub(super) fn remove(&mut self, path: &[u8], layer: u16) -> io::Result<bool> {
        check_path(path)?;
        let (parent, name) = split(path);
        if let Some(folder) = parent.split(|byte| *byte == b'/').find(|name| name.starts_with(REMOVED)) {
            return if folder.starts_with(AUFS) {
                Ok(true)
            } else {
                Err(refused(path, "is in a removed file"))
            };
        }
        if name == OPAQUE {
            self.seen_mut(parent)?.opaque_by.get_or_insert(layer);
        } else if let Some(removed) = name.strip_prefix(REMOVED).filter(|_| !name.starts_with(AUFS)) {
            if removed.is_empty() {
                return Err(refused(path, "removes nothing"));
            }
            let removed = if parent.is_empty() { removed.to_vec() } else { [parent, b"/", removed].concat() };
            check_path(&removed)?;
            self.seen_mut(&removed)?.removed_by.get_or_insert(layer);
        }
        Ok(name.starts_with(REMOVED))
    }

    /// Adds an entry of this layer. Returns whether it is visible.
    pub(super) fn add(&mut self, path: &[u8], is_directory: bool, layer: u16) -> io::Result<bool> {
        check_path(path)?;
        if path.is_empty() && !is_directory {
            return Err(refused(path, "is the root, and no directory"));
        }
        let known = self.seen.get(&hash(path)).copied().unwrap_or_default();
        let is_other_kind = !is_directory || known.kind == Some(Kind::Leaf);
        if known.kind.is_some() && known.layer == layer && is_other_kind {
            return Err(refused(path, "is there twice in one layer"));
        }
        let is_above = |other: Option<u16>| other.is_some_and(|other| other > layer);
        if self.is_below_hidden(path, layer)? || is_above(known.removed_by) {
            return Ok(false);
        }
        match known.kind {
            None => {}
            Some(Kind::Directory { named: false }) if is_directory => {}
            Some(Kind::Directory { named: false }) => {
                // Which engine follows such a link, and which replaces it, differs.
                return Err(refused(path, "is no directory, and a higher layer has files in it"));
            }
            Some(Kind::Directory { named: true }) if !is_directory => {
                // It hides a directory that lower layers have there.
                self.seen_mut(path)?.removed_by.get_or_insert(layer);
                return Ok(false);
            }
            Some(Kind::Directory { named: true } | Kind::Leaf) => return Ok(false),
        }
        for parent in parents(path) {
            let seen = self.seen_mut(parent)?;
            if seen.kind.is_none() {
                (seen.kind, seen.layer) = (Some(Kind::Directory { named: false }), layer);
            }
        }
        let kind = if is_directory { Kind::Directory { named: true } } else { Kind::Leaf };
        let seen = self.seen_mut(path)?;
        (seen.kind, seen.layer) = (Some(kind), layer);
        Ok(true)
    }

    /// The layer of the visible file, link or device with this path.
    pub(super) fn layer_of_leaf(&self, path: &[u8]) -> Option<u16> {
        let seen = self.seen.get(&hash(path))?;
        (seen.kind == Some(Kind::Leaf)).then_some(seen.layer)
    }

    /// Whether a higher layer hides a directory above a path. Fails if the path leads through a link of its layer.
    fn is_below_hidden(&self, path: &[u8], layer: u16) -> io::Result<bool> {
        for parent in parents(path) {
            let Some(seen) = self.seen.get(&hash(parent)) else { continue };
            if seen.kind == Some(Kind::Leaf) {
                return if seen.layer == layer {
                    Err(refused(path, "leads through a file or link of its layer"))
                } else {
                    Ok(true)
                };
            }
            if [seen.removed_by, seen.opaque_by].into_iter().flatten().any(|above| above > layer) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn seen_mut(&mut self, path: &[u8]) -> io::Result<&mut Seen> {
        let key = hash(path);
        if self.seen.len() == PATHS_MAX && !self.seen.contains_key(&key) {
            return Err(invalid("the image has more than 1.8 million files"));
        }
        Ok(self.seen.entry(key).or_default())
    }
}

/// Fails unless this is a path below the root.
pub(super) fn check_path(path: &[u8]) -> io::Result<()> {
    let is_bad = |name: &[u8]| matches!(name, b"" | b"." | b"..") || name.len() > NAME_BYTES_MAX;
    let names = || path.split(|byte| *byte == b'/');
    if path.len() > PATH_BYTES_MAX || path.contains(&0) || (!path.is_empty() && names().any(is_bad)) {
        return Err(refused(path, "is no path below the root"));
    }
    Ok(())
}

pub(super) fn refused(path: &[u8], why: &str) -> io::Error {
    let path = path[..path.len().min(200)].escape_ascii();
    io::Error::new(io::ErrorKind::InvalidData, format!("\"{path}\" {why}"))
}

/// Two paths with the same hash only harm the image that has them.
pub(super) fn hash(path: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

/// The directories above a path, from the root.
fn parents(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let root = (!path.is_empty()).then_some(&b""[..]);
    let others = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| &path[..at]);
    root.into_iter().chain(others)
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (b"", path),
    }
}
