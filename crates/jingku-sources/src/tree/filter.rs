//! Reads the archive of a container and yields the archive of its image.

use std::collections::HashMap;
use std::io::{self, Read};

use tar::EntryType;

use super::block::{BLOCK, invalid, read_onto, read_rest};
use super::drivers::DriverLinks;
use super::entry::{Entry, clean};
use super::report::Report;
use super::rules::{Reason, Rules, Verdict};
use super::secrets::{is_private_key, is_secret_path, may_be_key};
use super::software::{Software, wants_content};

/// The largest file that is looked into, in bytes.
const LOOKED_INTO_BYTES_MAX: u64 = 64 << 10;
/// The most files that are remembered because they were left out by their content.
const UNWANTED_MAX: usize = 100_000;
/// The most bytes of paths and targets of left-out symbolic links that are remembered.
const SYMLINKS_BYTES_MAX: usize = 8 << 20;
/// The most left-out files whose other names are links to each other. Beyond that, each name gets a copy.
const HEIRS_MAX: usize = 50_000;

/// Fetches one file of the container again, as an archive with that file: its path below the root.
pub type Refetch = Box<dyn FnMut(&[u8]) -> io::Result<Box<dyn Read + Send>> + Send>;

/// Yields the archive of an image from the archive of a container. After its end, [`report`](Self::report) lists what was
/// left out.
///
/// Memory is bounded: 64 KiB of content, the links of the driver, and what hard links to left-out files need.
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
    /// Files that were left out for a reason that their path alone does not tell.
    unwanted: HashMap<Vec<u8>, Reason>,
    /// Targets of left-out symbolic links: an engine follows a link instead of fetching it.
    symlinks: HashMap<Vec<u8>, Vec<u8>>,
    symlinks_bytes: usize,
    /// The path that took over the content of a left-out file.
    heirs: HashMap<Vec<u8>, Vec<u8>>,
    /// Links that are kept only if they lead to a kept file.
    driver_links: DriverLinks,
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
            unwanted: HashMap::new(),
            symlinks: HashMap::new(),
            symlinks_bytes: 0,
            heirs: HashMap::new(),
            driver_links: DriverLinks::default(),
        }
    }

    /// Returns what was left out and found. Call it after everything was read.
    pub fn report(self) -> Report {
        Report {
            software: self.software.found(),
            secrets_left_out: self.rules.without_secrets,
            ..self.report
        }
    }

    /// Reads the next entry, and makes ready what it yields, if anything.
    fn advance(&mut self) -> io::Result<()> {
        let Some(entry) = Entry::read(&mut self.source)? else { return self.end() };
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
                self.report.count(&entry);
                self.discard(entry.padded_size())?;
                self.pass(&entry.changed(EntryType::Regular, b"", 0)?);
                Ok(())
            }
            Verdict::MaybeDriver if entry.kind().is_symlink() => self.driver_links.hold(entry),
            Verdict::MaybeDriver if entry.is_file() && entry.size == 0 => {
                self.remember_unwanted(&entry, Reason::Driver)?;
                self.leave_out(entry, Reason::Driver)
            }
            Verdict::MaybeDriver | Verdict::Keep if entry.kind().is_hard_link() => self.link(entry),
            Verdict::MaybeDriver | Verdict::Keep if entry.is_file() => self.file(&entry),
            Verdict::MaybeDriver | Verdict::Keep => {
                self.pass(&entry);
                Ok(())
            }
        }
    }

    /// Keeps a file, unless it is an unwanted secret.
    fn file(&mut self, entry: &Entry) -> io::Result<()> {
        let mut is_secret = is_secret_path(&entry.path);
        let mut content = Vec::new();
        let looked_into = wants_content(&entry.path) || may_be_key(&entry.path);
        if looked_into && entry.size <= LOOKED_INTO_BYTES_MAX && !entry.is_sparse() {
            read_onto(&mut self.source, &mut content, entry.padded_size())?;
            let unpadded = &content[..usize::try_from(entry.size).map_err(io::Error::other)?];
            if wants_content(&entry.path) {
                self.software.read(unpadded);
            } else {
                is_secret |= is_private_key(unpadded);
            }
        }
        if is_secret {
            self.report.find_secret(&entry.path);
        }
        let unread = entry.padded_size() - content.len() as u64;
        if is_secret && self.rules.without_secrets {
            self.remember_unwanted(entry, Reason::Secret)?;
            self.report.leave_out(&entry.path, Reason::Secret);
            self.report.count(entry);
            return self.discard(unread);
        }
        self.driver_links.see_kept(&entry.path)?;
        self.pass(entry);
        self.ready.get_mut().append(&mut content);
        self.content = Content::Own(unread);
        Ok(())
    }

    /// Keeps a hard link. If its file was left out by its path, the first such link becomes the file; links to a secret
    /// or to a driver's file are left out with it.
    fn link(&mut self, entry: Entry) -> io::Result<()> {
        let target = clean(&entry.link).to_vec();
        if is_secret_path(&entry.path) {
            self.report.find_secret(&entry.path);
            if self.rules.without_secrets {
                return self.leave_out(entry, Reason::Secret);
            }
        }
        if self.driver_links.holds(&target) {
            return self.driver_links.hold(entry);
        }
        if let Some(heir) = self.heirs.get(&target) {
            let heir = heir.clone();
            self.pass(&entry.changed(EntryType::Link, &heir, 0)?);
            return Ok(());
        }
        let unwanted = self.unwanted.get(&target).copied();
        match unwanted.or_else(|| self.rules.reason_for_file(&target)) {
            None => {
                self.driver_links.see_kept(&entry.path)?;
                self.pass(&entry);
                Ok(())
            }
            Some(reason @ (Reason::Secret | Reason::Driver | Reason::HostIdentity)) => {
                self.leave_out(entry, reason)
            }
            Some(reason) => self.take_over(entry, target, reason),
        }
    }

    /// Makes a hard link the file that it leads to.
    fn take_over(&mut self, entry: Entry, target: Vec<u8>, reason: Reason) -> io::Result<()> {
        let path = entry.path.clone();
        if let Some(link) = self.symlinks.get(&target) {
            let symlink = entry.changed(EntryType::Symlink, link, 0)?;
            self.pass(&symlink);
        } else {
            let mut fetched = (self.refetch)(&target)?;
            let file = Entry::read(&mut fetched)?.filter(|file| !file.kind().is_dir() && !file.is_sparse());
            let file = file.ok_or_else(|| invalid("a file changed its kind while it was read"))?;
            if !file.is_file() {
                // A device, which only its machine has.
                return self.leave_out(entry, reason);
            }
            let (size, padding) = (file.size, file.padded_size() - file.size);
            self.pass(&entry.changed(EntryType::Regular, b"", size)?);
            self.content = Content::Fetched(fetched, size, padding);
        }
        if self.heirs.len() < HEIRS_MAX {
            self.heirs.insert(target, path);
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
        let bytes = self.symlinks_bytes + entry.path.len() + entry.link.len();
        if entry.kind().is_symlink() && bytes <= SYMLINKS_BYTES_MAX {
            self.symlinks.insert(entry.path.clone(), entry.link.clone());
            self.symlinks_bytes = bytes;
        }
        self.report.count(entry);
        self.discard(entry.padded_size())
    }

    fn remember_unwanted(&mut self, entry: &Entry, reason: Reason) -> io::Result<()> {
        if self.unwanted.len() == UNWANTED_MAX {
            return Err(invalid("the container has more than 100,000 secrets and driver files"));
        }
        self.unwanted.insert(entry.path.clone(), reason);
        Ok(())
    }

    fn discard(&mut self, bytes: u64) -> io::Result<()> {
        let read = io::copy(&mut self.source.by_ref().take(bytes), &mut io::sink())?;
        if read == bytes { Ok(()) } else { Err(invalid("the archive is cut off")) }
    }

    /// Yields an entry and its content.
    fn pass(&mut self, entry: &Entry) {
        self.software.see(&entry.path);
        self.report.kept_count += 1;
        self.ready.get_mut().append(&mut entry.headers());
        self.content = Content::Own(entry.padded_size());
    }

    /// Yields the links that lead to kept files, and the end of the archive.
    fn end(&mut self) -> io::Result<()> {
        let (kept, left_out) = std::mem::take(&mut self.driver_links).resolve();
        for link in kept {
            self.pass(&link);
        }
        for link in left_out {
            self.report.leave_out(&link.path, Reason::Driver);
            self.report.count(&link);
        }
        self.ready.get_mut().extend([0; 2 * BLOCK]);
        self.content = Content::Own(0);
        self.ended = true;
        // An engine sends more zeros after the end, and must not be cut off.
        read_rest(&mut self.source)
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
