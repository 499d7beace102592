//! What a filter left out and found.

use serde::{Deserialize, Serialize};

use super::entry::Entry;
use super::rules::Reason;
use super::software::FoundSoftware;

/// The most paths that a report lists, of what was left out and of secrets each; it counts the others.
pub(super) const PATHS_MAX: usize = 1000;

/// The most bytes of the paths that a report lists. It is stored with its image.
const PATHS_BYTES_MAX: usize = 256 << 10;

/// What became of a file tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What was left out, in the order of the archive: at most 1000 paths. A directory stands for all that is in it.
    pub left_out: Vec<LeftOut>,
    /// Entries that were left out, listed or not, each file of a directory counted.
    pub left_out_count: u64,
    /// Bytes of content that were left out.
    pub left_out_bytes: u64,
    /// Files that look like secrets, kept or not: at most 1000 paths.
    pub secrets: Vec<String>,
    /// Files that look like secrets, listed or not.
    pub secrets_count: u64,
    /// Whether they were left out.
    pub secrets_left_out: bool,
    /// Entries that were kept.
    pub kept_count: u64,
    /// Software that was recognised.
    pub software: FoundSoftware,
}

/// A path that is not in the image, or not with its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The path below the root. Bytes that are not UTF-8 are replaced.
    pub path: String,
    /// Why.
    pub reason: Reason,
}

impl Report {
    /// How many files that look like secrets were kept: all that were found, or none.
    pub fn kept_secrets_count(&self) -> u64 {
        if self.secrets_left_out { 0 } else { self.secrets_count }
    }

    /// The first of them.
    pub fn kept_secret(&self) -> Option<&str> {
        self.secrets.first().filter(|_| !self.secrets_left_out).map(String::as_str)
    }

    pub(super) fn leave_out(&mut self, path: &[u8], reason: Reason) {
        if self.left_out.len() < PATHS_MAX && self.has_room_for(path) {
            self.left_out.push(LeftOut { path: String::from_utf8_lossy(path).into_owned(), reason });
        }
    }

    /// Counts an entry as left out.
    pub(super) fn count(&mut self, entry: &Entry) {
        self.left_out_count += 1;
        self.left_out_bytes += entry.size;
    }

    pub(super) fn find_secret(&mut self, path: &[u8]) {
        self.secrets_count += 1;
        if self.secrets.len() < PATHS_MAX && self.has_room_for(path) {
            self.secrets.push(String::from_utf8_lossy(path).into_owned());
        }
    }

    fn has_room_for(&self, path: &[u8]) -> bool {
        let listed = self.left_out.iter().map(|left| &left.path).chain(&self.secrets);
        listed.map(String::len).sum::<usize>() + path.len() <= PATHS_BYTES_MAX
    }
}
