//! The archive of a root directory, or of one file.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;

use rustix::fs::{FileType, SeekFrom, Stat};
use rustix::io::Errno;

use super::header::Described;
use super::links::Links;
use super::node::{Attribute, Node, attributes};
use super::walk::Walk;
use crate::tree::BLOCK;

/// Yields an archive of files that may change while they are read. What is removed before its turn is left out; a file
/// has the size that it had when it was opened: a longer one is cut off, a shorter one filled up with zeros.
pub struct RootArchive {
    /// `None` for one file.
    walk: Option<Walk>,
    links: Links,
    /// Headers and padding, yielded before the content.
    ready: io::Cursor<Vec<u8>>,
    content: Option<Content>,
    ended: bool,
    shortened: u64,
}

impl RootArchive {
    pub(super) fn of_all(root: OwnedFd) -> io::Result<Self> {
        Ok(Self::new(Some(Walk::begin(root)?)))
    }

    pub(super) fn of_one(node: Node, path: &[u8]) -> io::Result<Self> {
        let mut archive = Self::new(None);
        archive.add(node, path)?;
        Ok(archive)
    }

    fn new(walk: Option<Walk>) -> Self {
        Self {
            walk,
            links: Links::default(),
            ready: io::Cursor::default(),
            content: None,
            ended: false,
            shortened: 0,
        }
    }

    /// How many files became shorter while they were read.
    pub fn shortened_count(&self) -> u64 {
        self.shortened
    }

    /// Makes ready what comes next.
    fn advance(&mut self) -> io::Result<()> {
        if let Some(mut walk) = self.walk.take()
            && let Some(node) = walk.next()?
        {
            self.add(node, walk.path())?;
            self.walk = Some(walk);
            return Ok(());
        }
        self.ready.get_mut().resize(2 * BLOCK, 0);
        self.ended = true;
        Ok(())
    }

    fn add(&mut self, node: Node, path: &[u8]) -> io::Result<()> {
        let kind = node.kind;
        if kind == FileType::Socket {
            // What ends here is a connection to a process.
            return Ok(());
        }
        let attributes: Vec<Attribute> =
            node.opened.as_ref().map(attributes).transpose()?.unwrap_or_default();
        let target = if kind == FileType::Symlink { node.target()? } else { Vec::new() };
        let is_directory = kind == FileType::Directory;
        let first_path = if is_directory { None } else { self.links.first_path(&node.stat, path)? };
        let content = node.opened.filter(|_| kind == FileType::RegularFile && first_path.is_none());
        let content = content.map(|file| Content::new(file, &node.stat));
        let whole_path = if is_directory { &[path, b"/"].concat()[..] } else { path };
        let described = Described {
            stat: &node.stat,
            path: whole_path,
            first_path: first_path.as_deref(),
            target: &target,
            size: content.as_ref().map_or(0, |content| content.size),
            attributes: &attributes,
        };
        *self.ready.get_mut() = described.encode();
        self.content = content;
        Ok(())
    }

    /// Reads content of the file, if there is any left.
    fn read_content(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Some(content) = &mut self.content else { return Ok(0) };
        let read = content.read(buf)?;
        if content.at == content.size {
            self.shortened += u64::from(content.is_short);
            let padding = content.size.next_multiple_of(BLOCK as u64) - content.size;
            self.ready.get_mut().resize(usize::try_from(padding).map_err(io::Error::other)?, 0);
            self.content = None;
        }
        Ok(read)
    }
}

impl Read for RootArchive {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.ready.read(buf)?;
            if read > 0 || buf.is_empty() {
                return Ok(read);
            }
            self.ready.get_mut().clear();
            self.ready.set_position(0);
            match self.read_content(buf)? {
                0 if self.ended => return Ok(0),
                0 if self.ready.get_ref().is_empty() => self.advance()?,
                0 => {}
                read => return Ok(read),
            }
        }
    }
}

/// The content of a file.
struct Content {
    file: File,
    size: u64,
    at: u64,
    /// Up to where it is known to be data, or to be a hole; both are `at` or less if it is not known.
    data_end: u64,
    hole_end: u64,
    is_short: bool,
}

impl Content {
    fn new(file: File, stat: &Stat) -> Self {
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        // Without a hole, all is data. The unit is always 512 bytes.
        let is_sparse = u64::try_from(stat.st_blocks).is_ok_and(|blocks| blocks * 512 < size);
        let data_end = if is_sparse { 0 } else { size };
        Self { file, size, at: 0, data_end, hole_end: 0, is_short: false }
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.data_end.max(self.hole_end) {
            self.find_data()?;
        }
        let is_hole = self.at < self.hole_end;
        let left = if is_hole { self.hole_end } else { self.data_end } - self.at;
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
        let buf = &mut buf[..length];
        let read = if is_hole {
            buf.fill(0);
            length
        } else {
            self.file.read(buf)?
        };
        if read == 0 && length > 0 {
            // It became shorter.
            (self.is_short, self.hole_end) = (true, self.size);
            return self.read(buf);
        }
        self.at += read as u64;
        Ok(read)
    }

    /// Finds out what comes next in a file with holes, and moves to it.
    fn find_data(&mut self) -> io::Result<()> {
        match rustix::fs::seek(&self.file, SeekFrom::Data(self.at)) {
            Ok(data) if data > self.at => self.hole_end = data.min(self.size),
            Ok(_) => {
                let hole = rustix::fs::seek(&self.file, SeekFrom::Hole(self.at));
                self.data_end = hole.map_or(self.size, |hole| hole.clamp(self.at + 1, self.size));
                rustix::fs::seek(&self.file, SeekFrom::Start(self.at))?;
            }
            // No data follows.
            Err(Errno::NXIO) => self.hole_end = self.size,
            Err(_) => {
                self.data_end = self.size;
                rustix::fs::seek(&self.file, SeekFrom::Start(self.at))?;
            }
        }
        Ok(())
    }
}
