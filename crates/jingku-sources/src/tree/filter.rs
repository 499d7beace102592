//! Reads the archive of a container and yields the archive of its image.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};

use tar::EntryType;

use super::entry::{BLOCK, Entry, clean, invalid, read_onto};
use super::report::Report;
use super::rules::{Reason, Rules, Verdict};
use super::secrets::{is_private_key, is_secret_path, may_be_key};
use super::software::{Software, wants_content};

/// The largest file that is looked into, in bytes.
const LOOKED_INTO_BYTES_MAX: u64 = 64 << 10;
/// The most files and links of the driver that are held back until the end of the archive.
const HELD_MAX: usize = 4096;
/// The most left-out files whose names are remembered, in case a hard link points to one.
const FORGOTTEN_MAX: usize = 4 << 20;

/// Fetches one file of the container again, as an archive with that file: its path below the root.
pub type Refetch = Box<dyn FnMut(&[u8]) -> io::Result<Box<dyn Read + Send>> + Send>;

/// Yields the archive of an image from the archive of a container. After its end, [`report`](Self::report) tells what was
/// left out.
///
/// Memory is bounded: 64 KiB of content, and 16 bytes for each file left out.
pub struct Filter<R> {
    source: R,
    rules: Rules,
    refetch: Refetch,
    /// Bytes to yield before any content.
    ready: io::Cursor<Vec<u8>>,
    content: Content,
    ended: bool,
    report: Report,
    software: Software,
    /// The directory whose content is being left out.
    skipped: Option<(Vec<u8>, Reason)>,
    /// Hashes of the paths of left-out files, and the path that took over the content of one.
    forgotten: HashMap<u64, Option<Vec<u8>>>,
    /// Links that are kept only if they lead to a kept file.
    held: Vec<Entry>,
    /// Files with the name of a driver's file that are kept.
    own_drivers: Vec<Vec<u8>>,
}

/// Content that is passed on unread.
enum Content {
    /// Bytes of the source.
    Own(u64),
    /// Bytes of a file that was fetched again, and bytes of padding after them.
    Fetched(Box<dyn Read + Send>, u64, u64),
}

impl<R: Read> Filter<R> {
    /// Begins to read. `refetch` is called for a hard link whose file was left out.
    pub fn new(source: R, rules: Rules, refetch: Refetch) -> Self {
        Self {
            source,
            rules,
            refetch,
            ready: io::Cursor::default(),
            content: Content::Own(0),
            ended: false,
            report: Report::default(),
            software: Software::default(),
            skipped: None,
            forgotten: HashMap::new(),
            held: Vec::new(),
            own_drivers: Vec::new(),
        }
    }

    /// Tells what was left out and found, once everything was read.
    pub fn report(self) -> Report {
        Report { software: self.software.found(), secrets_left_out: self.rules.without_secrets, ..self.report }
    }

    /// Reads the next entry, and makes ready what it yields, if anything.
    fn advance(&mut self) -> io::Result<()> {
        let Some(entry) = Entry::read(&mut self.source)? else { return self.end() };
        self.software.see(&entry.path);
        if let Some((directory, reason)) = self.skipped.take()
            && entry.path.strip_prefix(&directory[..]).is_some_and(|rest| rest.starts_with(b"/"))
        {
            self.skipped = Some((directory, reason));
            return self.skip(&entry);
        }
        match self.rules.verdict(&entry) {
            Verdict::LeaveOut(reason) => self.leave_out(entry, reason),
            Verdict::Empty(reason) => {
                self.report.leave_out(&entry.path, reason);
                self.discard(entry.padded_size())?;
                self.pass(entry.changed(EntryType::Regular, b"", 0)?);
                Ok(())
            }
            Verdict::MaybeDriver if entry.kind().is_symlink() => {
                if self.held.len() == HELD_MAX {
                    return Err(invalid("the container has too many links with names of driver files"));
                }
                self.held.push(entry);
                Ok(())
            }
            Verdict::MaybeDriver if entry.size == 0 => self.leave_out(entry, Reason::Driver),
            Verdict::MaybeDriver => {
                if self.own_drivers.len() == HELD_MAX {
                    return Err(invalid("the container has too many driver files"));
                }
                self.own_drivers.push(entry.path.clone());
                self.pass(entry);
                Ok(())
            }
            Verdict::Keep if entry.kind().is_hard_link() => self.link(entry),
            Verdict::Keep if entry.is_file() => self.file(entry),
            Verdict::Keep => {
                self.pass(entry);
                Ok(())
            }
        }
    }

    /// Keeps a file, unless it is an unwanted secret.
    fn file(&mut self, entry: Entry) -> io::Result<()> {
        let mut is_secret = is_secret_path(&entry.path);
        let mut content = Vec::new();
        let looked_into = wants_content(&entry.path) || may_be_key(&entry.path);
        if looked_into && entry.size <= LOOKED_INTO_BYTES_MAX && !entry.kind().is_gnu_sparse() {
            read_onto(&mut self.source, &mut content, entry.padded_size())?;
            if wants_content(&entry.path) {
                self.software.read(&content);
            } else {
                is_secret |= is_private_key(&content);
            }
        }
        if is_secret {
            self.report.find_secret(&entry.path);
        }
        let unread = entry.padded_size() - content.len() as u64;
        if is_secret && self.rules.without_secrets {
            self.report.leave_out(&entry.path, Reason::Secret);
            self.forget(&entry)?;
            return self.discard(unread);
        }
        self.pass(entry);
        self.ready.get_mut().append(&mut content);
        self.content = Content::Own(unread);
        Ok(())
    }

    /// Keeps a hard link. If its file was left out, the first such link becomes the file.
    fn link(&mut self, entry: Entry) -> io::Result<()> {
        let target = hash(clean(&entry.link));
        match self.forgotten.get(&target) {
            None => self.pass(entry),
            Some(Some(heir)) => {
                let heir = heir.clone();
                self.pass(entry.changed(EntryType::Link, &heir, 0)?);
            }
            Some(None) => {
                let mut fetched = (self.refetch)(clean(&entry.link))?;
                let file = Entry::read(&mut fetched)?.filter(Entry::is_file);
                let file = file.ok_or_else(|| invalid("a file changed its kind while it was read"))?;
                let (size, padding) = (file.size, file.padded_size() - file.size);
                self.forgotten.insert(target, Some(entry.path.clone()));
                self.pass(entry.changed(EntryType::Regular, b"", size)?);
                self.content = Content::Fetched(fetched, size, padding);
            }
        }
        Ok(())
    }

    fn leave_out(&mut self, entry: Entry, reason: Reason) -> io::Result<()> {
        self.report.leave_out(&entry.path, reason);
        self.skip(&entry)?;
        if entry.kind().is_dir() {
            self.skipped = Some((entry.path, reason));
        }
        Ok(())
    }

    fn skip(&mut self, entry: &Entry) -> io::Result<()> {
        self.forget(entry)?;
        self.discard(entry.padded_size())
    }

    /// Counts an entry as left out.
    fn forget(&mut self, entry: &Entry) -> io::Result<()> {
        self.report.left_out_count += 1;
        self.report.left_out_bytes += entry.size;
        if entry.is_file() {
            if self.forgotten.len() == FORGOTTEN_MAX {
                return Err(invalid("more than 4 million files are left out"));
            }
            self.forgotten.insert(hash(&entry.path), None);
        }
        Ok(())
    }

    fn discard(&mut self, bytes: u64) -> io::Result<()> {
        let read = io::copy(&mut self.source.by_ref().take(bytes), &mut io::sink())?;
        if read == bytes { Ok(()) } else { Err(invalid("the archive is cut off")) }
    }

    /// Yields an entry and its content.
    fn pass(&mut self, entry: Entry) {
        self.report.kept_count += 1;
        self.ready.get_mut().append(&mut entry.headers());
        self.content = Content::Own(entry.padded_size());
    }

    /// Yields the links that lead to kept files, and the end of the archive.
    fn end(&mut self) -> io::Result<()> {
        let mut held = std::mem::take(&mut self.held);
        loop {
            let (kept, rest): (Vec<_>, Vec<_>) =
                held.into_iter().partition(|link| self.leads_to_own_driver(link));
            held = rest;
            if kept.is_empty() {
                break;
            }
            for link in kept {
                self.own_drivers.push(link.path.clone());
                self.pass(link);
            }
        }
        for link in held {
            self.report.leave_out(&link.path, Reason::Driver);
            self.forget(&link)?;
        }
        self.ready.get_mut().extend([0; 2 * BLOCK]);
        self.content = Content::Own(0);
        self.ended = true;
        // An engine sends more zeros after the end, and must not be cut off.
        io::copy(&mut self.source, &mut io::sink()).map(drop)
    }

    fn leads_to_own_driver(&self, link: &Entry) -> bool {
        let name = |path: &[u8]| path.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
        let target = name(&link.link);
        // By its name alone: links of libraries are next to them or in another directory of libraries.
        self.own_drivers.iter().any(|own| name(own) == target) || !super::drivers::is_driver_name(&link.link)
    }
}

impl<R: Read> Read for Filter<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.ready.read(buf)?;
            if read > 0 || buf.is_empty() {
                return Ok(read);
            }
            self.ready.get_mut().clear();
            self.ready.set_position(0);
            match &mut self.content {
                Content::Own(0) if self.ended => return Ok(0),
                Content::Own(0) => self.advance()?,
                Content::Own(left) => {
                    let length = buf.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    let read = self.source.read(&mut buf[..length])?;
                    if read == 0 {
                        return Err(invalid("the archive is cut off"));
                    }
                    *left -= read as u64;
                    return Ok(read);
                }
                Content::Fetched(_, 0, padding) => {
                    let padding = usize::try_from(*padding).map_err(io::Error::other)?;
                    self.ready.get_mut().resize(padding, 0);
                    self.content = Content::Own(0);
                }
                Content::Fetched(file, left, _) => {
                    let length = buf.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    let read = file.read(&mut buf[..length])?;
                    if read == 0 {
                        return Err(invalid("a file became shorter while it was read"));
                    }
                    *left -= read as u64;
                    return Ok(read);
                }
            }
        }
    }
}

/// Two paths of the same hash do no harm: a link's file is fetched although it was kept.
fn hash(path: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}
