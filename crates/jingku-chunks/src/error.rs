//! Errors, grouped by what the caller must do.

use std::io;
use std::path::{Path, PathBuf};

use crate::key::Key;

/// The result of store operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The object does not exist. If a manifest or a catalogue row references it, data was lost.
    #[error("{0} does not exist")]
    NotFound(Key),

    /// The object does not match its name. Storing the same content again may repair it.
    #[error("{key} is damaged: {reason}")]
    Damaged {
        /// The damaged object.
        key: Key,
        /// What is wrong.
        reason: &'static str,
    },

    /// The device or quota is full. Stored data is intact; free space and retry.
    #[error("no space left to {doing}")]
    NoSpace {
        /// The operation and object, such as `write chunk 00…`.
        doing: String,
    },

    /// The operating system or the network failed. A retry may succeed.
    #[error("cannot {doing}: {source}")]
    Io {
        /// The operation and object, such as `read chunk 00…`.
        doing: String,
        /// The cause.
        source: io::Error,
    },

    /// The claim of a writer expired, because the process or the database stopped for too long. A sweep may have deleted
    /// what the writer relies on. Write again: existing chunks are found.
    #[error("the claim expired: this process or the database stopped for too long")]
    ClaimExpired,

    /// The settings of an object store cannot be used.
    #[error("{0}")]
    Settings(String),

    /// The [`Source`](crate::Source) of a writer could not be read. The store is intact.
    #[error("cannot read the source: {0}")]
    Source(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// [`Disk::create`](crate::Disk::create) found a folder that is not empty.
    #[error("{} is not empty: open the store in it, or choose another folder", .0.display())]
    AlreadyExists(PathBuf),

    /// [`Disk::open`](crate::Disk::open) found no store, or one of an unknown version.
    #[error("{}", not_a_store(.path, .found))]
    UnknownFormat {
        /// The folder.
        path: PathBuf,
        /// Content of its `format` object; empty if there is none.
        found: String,
    },

    /// The caller's lengths do not add up to the announced disk, or exceed a limit. A bug in the caller, or the source
    /// changed its size.
    #[error("{what}: {length} bytes at offset {offset}")]
    Length {
        /// The violated rule.
        what: &'static str,
        /// Offset on the disk.
        offset: u64,
        /// The length that does not fit.
        length: u64,
    },
}

fn not_a_store(path: &Path, found: &str) -> String {
    let text = path.display().to_string();
    if found.is_empty() {
        let check =
            if text.starts_with("s3://") { "Are bucket and prefix right?" } else { "Is its disk mounted?" };
        format!("{text} contains no chunk store: there is no `format` file. {check}")
    } else {
        format!(
            "{text} contains no chunk store that this version of Jingku can read: its `format` file says {found:?}"
        )
    }
}

impl Error {
    /// Classifies an I/O error; `doing` completes the sentence "cannot …".
    pub(crate) fn io(doing: impl Into<String>, source: io::Error) -> Self {
        let doing = doing.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace { doing },
            _ => Self::Io { doing, source },
        }
    }

    /// As [`Error::io`], for an object that may be missing.
    pub(crate) fn object(verb: &str, key: Key, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound(key),
            _ => Self::io(format!("{verb} {key}"), source),
        }
    }
}
