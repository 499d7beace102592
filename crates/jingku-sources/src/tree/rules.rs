//! What of a container does not belong into an image.

use gix_glob::Pattern;
use gix_glob::pattern::{Case, Mode};
use gix_glob::wildmatch;
use serde::{Deserialize, Serialize};

use super::drivers::is_driver_name;
use super::entry::{Entry, clean};

/// The most patterns of a `.jingkuignore` and of the configuration together.
const PATTERNS_MAX: usize = 1000;
/// The longest pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 4096;

/// Identifies the machine. It is kept empty, so that a new one is made.
const MACHINE_ID: &[u8] = b"etc/machine-id";

/// The most `**` in a pattern. The time to compare a path grows with each.
const DOUBLE_STARS_MAX: usize = 2;

/// Why something is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The kernel or the engine makes it when a container starts.
    Runtime,
    /// It was mounted from outside the container.
    Mount,
    /// It belongs to the GPU driver of the machine.
    Driver,
    /// It identifies the machine.
    HostIdentity,
    /// A pattern of `.jingkuignore` or of the configuration matches it.
    Ignored,
    /// Its name begins with `.wh.`: in an image, that removes a file.
    Whiteout,
    /// It looks like a secret, and the caller wants none in the image.
    Secret,
}

impl Reason {
    /// Its name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Mount => "mount",
            Self::Driver => "driver",
            Self::HostIdentity => "host_identity",
            Self::Ignored => "ignored",
            Self::Secret => "secret",
            Self::Whiteout => "whiteout",
        }
    }
}

/// What to do with an entry, by its path and kind.
pub(super) enum Verdict {
    Keep,
    /// Keep it with no content.
    Empty(Reason),
    LeaveOut(Reason),
    /// Left out if it is empty, or links only to what is left out.
    MaybeDriver,
}

/// The rules for one container.
#[derive(Debug, Default)]
pub struct Rules {
    patterns: Vec<Pattern>,
    mounts: Vec<Vec<u8>>,
    pub(super) without_secrets: bool,
}

/// A list of patterns that is refused.
#[derive(Debug, thiserror::Error)]
pub enum BadPattern {
    /// There are too many.
    #[error("there are more than {PATTERNS_MAX} patterns")]
    TooMany,
    /// One is too long.
    #[error("a pattern is longer than {PATTERN_BYTES_MAX} bytes")]
    TooLong,
    /// One would take too long to compare.
    #[error("a pattern has more than {DOUBLE_STARS_MAX} \"**\"")]
    TooManyStars,
}

impl Rules {
    /// Adds patterns, one on a line, with the syntax and precedence of `.gitignore`: at most 1000 in all.
    pub fn ignore(&mut self, patterns: &[u8]) -> Result<(), BadPattern> {
        for line in patterns.split(|byte| *byte == b'\n') {
            if line.len() > PATTERN_BYTES_MAX {
                return Err(BadPattern::TooLong);
            }
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.starts_with(b"#") {
                continue;
            }
            if line.windows(2).filter(|pair| pair == b"**").count() > DOUBLE_STARS_MAX {
                return Err(BadPattern::TooManyStars);
            }
            self.patterns.extend(gix_glob::parse(line));
            if self.patterns.len() > PATTERNS_MAX {
                return Err(BadPattern::TooMany);
            }
        }
        Ok(())
    }

    /// Leaves out what is mounted at this path.
    pub fn mounted(&mut self, path: &str) {
        self.mounts.push(clean(path.as_bytes()).to_vec());
    }

    /// Leaves out files that look like secrets. Otherwise they are kept and reported.
    pub fn without_secrets(&mut self) {
        self.without_secrets = true;
    }

    pub(super) fn verdict(&self, entry: &Entry) -> Verdict {
        let path = &entry.path[..];
        if path.is_empty() {
            return Verdict::Keep;
        }
        let is_file = entry.is_file() || entry.kind().is_hard_link();
        match self.reason_for(path, entry.kind().is_dir(), is_file) {
            Some(Reason::HostIdentity) if path == MACHINE_ID => Verdict::Empty(Reason::HostIdentity),
            Some(reason) => Verdict::LeaveOut(reason),
            None if (is_file || entry.kind().is_symlink()) && is_driver_name(path) => Verdict::MaybeDriver,
            None => Verdict::Keep,
        }
    }

    /// Why a file with this path is left out, whatever is in it.
    pub(super) fn reason_for_file(&self, path: &[u8]) -> Option<Reason> {
        self.reason_for(path, false, true).filter(|_| path != MACHINE_ID)
    }

    fn reason_for(&self, path: &[u8], is_directory: bool, is_file: bool) -> Option<Reason> {
        if matches!(path, b".dockerenv" | b"run/.containerenv")
            || [&b"proc"[..], b"sys", b"dev"].iter().any(|top| is_below(path, top))
        {
            return Some(Reason::Runtime);
        }
        // The directory that something is mounted on stays; an empty file in its place does not.
        let is_mounted = |mount: &Vec<u8>| is_below(path, mount) || (path == mount && !is_directory);
        if self.mounts.iter().any(is_mounted) {
            return Some(Reason::Mount);
        }
        if self.is_ignored(path, is_directory) {
            return Some(Reason::Ignored);
        }
        if path.split(|byte| *byte == b'/').any(|name| name.starts_with(b".wh.")) {
            return Some(Reason::Whiteout);
        }
        let is_identity = path == MACHINE_ID
            || matches!(path, b"var/lib/dbus/machine-id" | b"var/lib/systemd/random-seed")
            || path.starts_with(b"etc/ssh/ssh_host_");
        (is_file && is_identity).then_some(Reason::HostIdentity)
    }

    /// Whether a pattern matches the path or a directory above it. The last pattern that matches a path decides; what is
    /// below an ignored directory cannot be kept.
    fn is_ignored(&self, path: &[u8], is_directory: bool) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let ends = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        ends.chain([path.len()]).any(|end| {
            let part = &path[..end];
            let name_start = part.iter().rposition(|byte| *byte == b'/').map(|at| at + 1);
            let is_directory = is_directory || end < path.len();
            let matching = self.patterns.iter().rev().find(|pattern| {
                pattern.matches_repo_relative_path(
                    part.into(),
                    name_start,
                    Some(is_directory),
                    Case::Sensitive,
                    wildmatch::Mode::NO_MATCH_SLASH_LITERAL,
                )
            });
            matching.is_some_and(|pattern| !pattern.mode.contains(Mode::NEGATIVE))
        })
    }
}

fn is_below(path: &[u8], directory: &[u8]) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with(b"/"))
}
