use std::error::Error;
use std::path::PathBuf;

/// What every method of the catalogue returns.
pub type Result<T> = std::result::Result<T, CatalogError>;

/// Says why the catalogue could not do its work, by what has to follow.
///
/// The texts are for the log of the operator, never for a caller of the API.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// Fix the configuration: the URL of the database cannot be understood.
    #[error("the URL of the catalogue cannot be understood")]
    InvalidUrl(#[source] ErrorSource),
    /// Ask again later: the connection is lost, the server is starting, or the file is locked for too long.
    /// Whether a change that was being committed has happened is not known.
    #[error("the catalogue cannot be reached")]
    Unavailable(#[source] ErrorSource),
    /// Ask again later: the change met concurrent ones each time it was tried. Nothing was changed.
    #[error("too many concurrent changes in the catalogue")]
    Contended(#[source] ErrorSource),
    /// Ask again later: too many lists are being read. Nothing was changed.
    #[error("too many lists are being read from the catalogue")]
    Busy,
    /// Restart the server on the right folder: its file was deleted, moved, replaced or emptied while it was open. A change that
    /// was being committed may be lost.
    #[error("{} is not the file that was opened: it was deleted, moved, replaced or emptied", .0.display())]
    FileReplaced(PathBuf),
    /// Make room: the disk of the catalogue is full. Nothing was changed.
    #[error("the disk of the catalogue is full")]
    Full(#[source] ErrorSource),
    /// Write elsewhere: this is a copy of a catalogue that cannot be written to. Nothing was changed.
    #[error("the catalogue is read-only")]
    ReadOnly,
    /// Restore a backup: the engine found its own file damaged, or the file is no catalogue.
    #[error("the catalogue is damaged")]
    Damaged(#[source] ErrorSource),
    /// Repair the row: it holds what this version never writes.
    #[error("the catalogue is wrong: row {row} of {table}: {problem}")]
    Corrupt {
        /// The table of the row.
        table: &'static str,
        /// The primary key of the row.
        row: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Install a newer Jingku: a newer one has been here and changed the schema.
    #[error("the catalogue has schema version {found}, this program knows versions up to {known}")]
    Newer {
        /// The version of the schema found.
        found: i64,
        /// The newest version this program knows.
        known: usize,
    },
    /// Install the Jingku that made this catalogue: a migration was applied that reads differently here.
    #[error("migration {version} of the catalogue is not the one this program knows")]
    Diverged {
        /// The version of the migration.
        version: i64,
    },
    /// Report it: a statement was refused. Nothing was changed.
    #[error("the catalogue refused a statement")]
    Bug(#[source] ErrorSource),
}

/// The error of the engine below.
pub type ErrorSource = Box<dyn Error + Send + Sync>;

impl CatalogError {
    /// Whether the file, or a row of it, is not what this program writes: damaged, or of a version that was never released.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged(_) | Self::Corrupt { .. } | Self::Diverged { .. } => true,
            Self::InvalidUrl(_)
            | Self::Unavailable(_)
            | Self::Contended(_)
            | Self::Busy
            | Self::FileReplaced(_)
            | Self::Full(_)
            | Self::ReadOnly
            | Self::Newer { .. }
            | Self::Bug(_) => false,
        }
    }
}
