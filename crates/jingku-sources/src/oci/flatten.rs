//! Makes one layer of several.
//!
//! Layers are read from the highest to the lowest: what a higher one has or removed hides what is below. A removed file
//! is an entry `.wh.NAME`; a directory whose lower content is hidden has an entry `.wh..wh..opq` (OCI image specification,
//! "Whiteouts").
//!
//! A hard link can be visible although its file is hidden. Its layer is then read again, and the link becomes the file.
//!
//! Nobody has checked an archive before: every path is checked here.

use std::collections::{HashMap, HashSet};
use std::io::{self, Read};

use tar::EntryType;

use super::layer::{LayerContent, LayerFile};
use super::overlay::{Overlay, check_path, hash, refused};
use crate::tree::{BLOCK, Entry, clean, invalid, read_rest};

/// The most bytes of memory for links that wait for their file.
const LINKS_BYTES_MAX: usize = 32 << 20;
/// The most files of one layer that higher layers hide.
const HIDDEN_MAX: usize = 1_800_000;

/// Yields the archive of one layer.
pub struct Flatten {
    layers: Vec<LayerFile>,
    /// The layer being read.
    layer: u16,
    content: Option<LayerContent>,
    /// Whether the layer is read again.
    is_again: bool,
    /// Bytes that may still be read from layers.
    input_left: u64,
    /// Bytes that may still be yielded.
    output_left: u64,
    overlay: Overlay,
    /// Files of this layer that are hidden.
    hidden: HashSet<u64>,
    links: Links,
    ready: io::Cursor<Vec<u8>>,
    /// Content to pass on, with padding.
    left: u64,
    ended: bool,
}

/// Hard links that are not yielded yet.
#[derive(Default)]
struct Links {
    /// Links of this layer to hidden files, by the file.
    to_hidden: HashMap<u64, Vec<Entry>>,
    /// Links whose file may be in a lower layer, and links to links, with their layers.
    others: Vec<(u16, Entry)>,
    paths: HashSet<u64>,
    bytes: usize,
}

impl Links {
    fn charge(&mut self, link: &Entry) -> io::Result<()> {
        self.bytes += link.memory_bytes();
        self.paths.insert(hash(&link.path));
        if self.bytes > LINKS_BYTES_MAX {
            return Err(invalid("the image has too many hard links to files of other layers"));
        }
        Ok(())
    }
}

impl Flatten {
    pub(super) fn new(layers: Vec<LayerFile>, bytes_max: u64) -> Self {
        Self {
            layer: u16::try_from(layers.len()).unwrap_or(u16::MAX),
            layers,
            content: None,
            is_again: false,
            input_left: bytes_max,
            output_left: bytes_max,
            overlay: Overlay::default(),
            hidden: HashSet::new(),
            links: Links::default(),
            ready: io::Cursor::default(),
            left: 0,
            ended: false,
        }
    }

    /// Reads the next entry, and makes ready what it yields, if anything.
    fn advance(&mut self) -> io::Result<()> {
        let Some(content) = &mut self.content else {
            self.is_again = !self.links.to_hidden.is_empty();
            if !self.is_again {
                self.hidden.clear();
                let Some(below) = self.layer.checked_sub(1) else { return self.end() };
                self.layer = below;
            }
            self.content = Some(self.layers[usize::from(self.layer)].read(self.input_left)?);
            return Ok(());
        };
        match Entry::read_of_layer(content)? {
            Some(entry) if self.is_again => self.entry_again(entry),
            Some(entry) => self.entry(entry),
            None => {
                // To its end, where its digest is checked.
                read_rest(content)?;
                self.input_left = content.bytes_left();
                self.content = None;
                match self.links.to_hidden.values().flatten().next() {
                    Some(link) if self.is_again => Err(refused(&link.path, "links to nothing")),
                    _ => Ok(()),
                }
            }
        }
    }

    fn entry(&mut self, entry: Entry) -> io::Result<()> {
        if self.overlay.remove(&entry.path, self.layer)? {
            return self.discard(&entry);
        }
        let kind = entry.kind();
        let is_known = entry.is_file()
            || kind.is_hard_link()
            || matches!(
                kind,
                EntryType::Directory
                    | EntryType::Symlink
                    | EntryType::Char
                    | EntryType::Block
                    | EntryType::Fifo
            );
        if !is_known {
            return Err(refused(&entry.path, "is of an unknown kind"));
        }
        if self.overlay.add(&entry.path, kind.is_dir(), self.layer)? {
            return if kind.is_hard_link() { self.link(entry) } else { self.pass(&entry) };
        }
        if !kind.is_dir() && !kind.is_hard_link() {
            if self.hidden.len() == HIDDEN_MAX {
                return Err(invalid("a layer has more than 1.8 million files that others hide"));
            }
            self.hidden.insert(hash(&entry.path));
        }
        self.discard(&entry)
    }

    /// Yields a hidden file under the name of a visible link to it.
    fn entry_again(&mut self, entry: Entry) -> io::Result<()> {
        let is_file = !entry.kind().is_dir() && !entry.kind().is_hard_link();
        let links = is_file.then(|| self.links.to_hidden.remove(&hash(&entry.path))).flatten();
        let mut links = links.unwrap_or_default().into_iter();
        let Some(first) = links.next() else { return self.discard(&entry) };
        for link in links {
            self.links.others.push((self.layer, link.changed(EntryType::Link, &first.path, 0)?));
        }
        self.links.paths.remove(&hash(&first.path));
        self.pass(&entry.renamed(&first.path)?)
    }

    fn link(&mut self, entry: Entry) -> io::Result<()> {
        let target = clean(&entry.link);
        check_path(target)?;
        if target.is_empty() || target == entry.path {
            return Err(refused(&entry.path, "links to itself or to nothing"));
        }
        let key = hash(target);
        if self.hidden.contains(&key) {
            self.links.charge(&entry)?;
            self.links.to_hidden.entry(key).or_default().push(entry);
            return Ok(());
        }
        match self.overlay.layer_of_leaf(target) {
            Some(layer) if layer != self.layer => {
                Err(refused(&entry.path, "links to a file of another layer"))
            }
            Some(_) if !self.links.paths.contains(&key) => self.pass(&entry),
            Some(_) | None => {
                self.links.charge(&entry)?;
                self.links.others.push((self.layer, entry));
                Ok(())
            }
        }
    }

    /// Yields an entry, followed by its content.
    fn pass(&mut self, entry: &Entry) -> io::Result<()> {
        let headers = entry.headers();
        self.left = entry.padded_size();
        let bytes = self.left + headers.len() as u64;
        self.output_left = self.output_left.checked_sub(bytes).ok_or_else(LayerContent::too_large)?;
        self.ready.get_mut().extend_from_slice(&headers);
        Ok(())
    }

    fn discard(&mut self, entry: &Entry) -> io::Result<()> {
        let Some(content) = &mut self.content else { return Ok(()) };
        let bytes = entry.padded_size();
        let read = io::copy(&mut content.take(bytes), &mut io::sink())?;
        if read == bytes { Ok(()) } else { Err(invalid("a layer is cut off")) }
    }

    /// Yields the links that waited, those of lower layers first, and the end of the archive.
    fn end(&mut self) -> io::Result<()> {
        let mut links = std::mem::take(&mut self.links);
        links.others.sort_by_key(|(layer, _)| *layer);
        for (_, link) in links.others {
            let target = clean(&link.link);
            if self.overlay.layer_of_leaf(target).is_none() || links.paths.contains(&hash(target)) {
                return Err(refused(&link.path, "links to nothing"));
            }
            links.paths.remove(&hash(&link.path));
            self.pass(&link)?;
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
                if self.ended {
                    return Ok(0);
                }
                self.advance()?;
                continue;
            }
            let length = usize::try_from(self.left).unwrap_or(usize::MAX).min(buf.len());
            let read = self.content.as_mut().map_or(Ok(0), |content| content.read(&mut buf[..length]))?;
            if read == 0 {
                return Err(invalid("a layer is cut off"));
            }
            self.left -= read as u64;
            return Ok(read);
        }
    }
}
