//! What can go wrong, by what the caller must do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::key::Key;

/// The outcome of everything that touches a store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Says why something was not stored or not given back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The object does not exist. Asked for by a manifest or a catalogue row, this means that something was lost.
    #[error("{0} does not exist")]
    NotFound(Key),

    /// The object exists but is not what its name says. Storing the same content again may heal it.
    #[error("{key} is damaged: {reason}")]
    Damaged {
        /// The damaged object.
        key: Key,
        /// What is wrong with it.
        reason: &'static str,
    },

    /// The device or quota is full. Nothing is wrong with what is stored; free space and try again.
    #[error("no space left to {doing}")]
    NoSpace {
        /// What was being done to which object, such as `write chunk 00…`.
        doing: String,
    },

    /// The operating system or the network refused. It may work later.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was being done to which object, such as `read chunk 00…`.
        doing: String,
        /// Why it was refused.
        source: io::Error,
    },

    /// The [`Source`](crate::Source) of a writer could not be read. Nothing is wrong with the store.
    #[error("what is to be stored cannot be read: {0}")]
    Source(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// [`Disk::create`](crate::Disk::create) found something in the folder, and leaves it alone.
    #[error("{} is not empty: open the store in it, or choose another folder", .0.display())]
    AlreadyExists(PathBuf),

    /// [`Disk::open`](crate::Disk::open) found no store, or one of a version this program does not know.
    #[error("{}", not_a_store(.path, .found))]
    UnknownFormat {
        /// The folder.
        path: PathBuf,
        /// What its `format` file says; empty when there is none.
        found: String,
    },

    /// The caller's lengths do not add up to the disk it announced, or it asked for a limit that is not allowed. A bug
    /// in the caller or a source that changed its size meanwhile.
    #[error("{what}: {length} bytes at offset {offset}")]
    Length {
        /// Which rule was broken.
        what: &'static str,
        /// Where on the disk.
        offset: u64,
        /// The length that does not fit.
        length: u64,
    },
}

fn not_a_store(path: &Path, found: &str) -> String {
    let path = path.display();
    if found.is_empty() {
        format!("{path} holds no chunk store: it has no `format` file. Is its disk mounted?")
    } else {
        format!(
            "{path} holds no chunk store that this version of Jingku can read: its `format` file says {found:?}"
        )
    }
}

impl Error {
    /// Sorts a refusal of the operating system by its consequence; `doing` completes the sentence "cannot …".
    pub(crate) fn io(doing: impl Into<String>, source: io::Error) -> Self {
        let doing = doing.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace { doing },
            _ => Self::Io { doing, source },
        }
    }

    /// Does the same for a known object, whose absence is its own consequence.
    pub(crate) fn object(verb: &str, key: Key, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound(key),
            _ => Self::io(format!("{verb} {key}"), source),
        }
    }
}
