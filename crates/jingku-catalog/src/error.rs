use std::error::Error;
use std::path::PathBuf;

/// The result of a method of the catalogue.
pub type Result<T> = std::result::Result<T, CatalogError>;

/// An error of the catalogue, grouped by what the operator must do.
///
/// The messages are for the operator's log, never for API clients.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// Fix the configuration: the URL of the database is invalid.
    #[error("the URL of the catalogue is invalid")]
    InvalidUrl(#[source] ErrorSource),
    /// Retry later: the connection is lost, the server is starting, or a lock was held for too long. Nothing was
    /// changed in PostgreSQL. A change of a file that was being committed may or may not have happened.
    #[error("the catalogue cannot be reached")]
    Unavailable(#[source] ErrorSource),
    /// Look again: the connection was lost during a commit, or the server did not answer. The change may or may not have
    /// happened.
    #[error("it is unknown whether the change was committed")]
    Unconfirmed(#[source] ErrorSource),
    /// Retry later: every attempt conflicted with concurrent changes. Nothing was changed.
    #[error("too many concurrent changes in the catalogue")]
    Contended(#[source] ErrorSource),
    /// Retry later: too many lists are being read. Nothing was changed.
    #[error("too many lists are being read from the catalogue")]
    Busy,
    /// Fix the request: the account has more images than may be searched or sorted,
    /// [`FILTERED_IMAGES_MAX`](crate::FILTERED_IMAGES_MAX).
    #[error("the account has too many images to search or sort them")]
    TooManyImages,
    /// Restart the server on the right folder: the open file was deleted, moved, replaced or truncated. A change that was
    /// being committed may be lost.
    #[error("{} is not the file that was opened: it was deleted, moved, replaced or truncated", .0.display())]
    FileReplaced(PathBuf),
    /// Fix the configuration or the address of the database: it belongs to another data directory. Nothing was changed.
    #[error("the database belongs to another data directory")]
    AnotherStore,
    /// Restart the server: the catalogue was moved to this place. Nothing was changed.
    #[error("{moved_to}{0}", moved_to = Self::MOVED_TO)]
    Moved(String),
    /// Free space: the disk of the catalogue is full. Nothing was changed.
    #[error("the disk of the catalogue is full")]
    Full(#[source] ErrorSource),
    /// Use the original: this is a read-only copy. Nothing was changed.
    #[error("the catalogue is read-only")]
    ReadOnly,
    /// Restore a backup: the file is corrupt, or is not a catalogue.
    #[error("the catalogue is damaged")]
    Damaged(#[source] ErrorSource),
    /// Repair the row: it has a value that this version never writes.
    #[error("the catalogue is inconsistent: row {row} of {table}: {problem}")]
    Corrupt {
        /// The table of the row.
        table: &'static str,
        /// The primary key of the row.
        row: String,
        /// The problem.
        problem: String,
    },
    /// Install a newer Jingku: a newer version has migrated the schema.
    #[error("the catalogue has schema version {found}, this program knows versions up to {known}")]
    Newer {
        /// The version of the schema found.
        found: i64,
        /// The newest version this program knows.
        known: usize,
    },
    /// Install the Jingku that created this catalogue: an applied migration differs from the one known here.
    #[error("migration {version} of the catalogue differs from the one in this program")]
    Diverged {
        /// The version of the migration.
        version: i64,
    },
    /// Stop these servers: they cannot use the schema of this program. Nothing was changed.
    #[error("the servers {0} run an older version, which cannot use the schema of this one")]
    OlderServers(String),
    /// Report a bug: a statement was rejected. Nothing was changed.
    #[error("the catalogue refused a statement")]
    Bug(#[source] ErrorSource),
}

/// The error of the engine below.
pub type ErrorSource = Box<dyn Error + Send + Sync>;

impl CatalogError {
    /// The start of what a moved catalogue answers to a change. The new place follows.
    pub(crate) const MOVED_TO: &str = "the catalogue was moved to ";
    /// The start of the store id of a catalogue that was moved. The new place follows.
    pub(crate) const MOVED_STORE: &str = "moved:";

    /// The error of a change that a moved catalogue rejected with this message; `None` for other messages.
    pub(crate) fn moved(message: &str) -> Option<Self> {
        message.strip_prefix(Self::MOVED_TO).map(|place| Self::Moved(place.to_owned()))
    }

    /// The error of a database that has not the expected store id but this one.
    pub(crate) fn unexpected_store(id: &str) -> Self {
        id.strip_prefix(Self::MOVED_STORE).map_or(Self::AnotherStore, |place| Self::Moved(place.to_owned()))
    }

    /// Returns whether the same may work later, without a change of the program, the configuration or the data.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_) | Self::Unconfirmed(_) | Self::Contended(_) | Self::Full(_) | Self::Moved(_)
        )
    }

    /// Returns whether the file or a row is corrupt, or was written by an unreleased version.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged(_) | Self::Corrupt { .. } | Self::Diverged { .. })
    }
}
