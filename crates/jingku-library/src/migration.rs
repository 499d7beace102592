//! Moves the catalogue to another database, and the data of images to another store.
//!
//! Both moves copy while a server may run, and have the same end. The catalogue is frozen then, so that changes wait or are
//! refused; images are moved while no server runs.
//!
//! 1. The target has everything, compared with the source. No server can start on it yet.
//! 2. The source is marked with the name of the target. From here on, nothing starts on it, and nothing changes it.
//! 3. The data directory refers to the target.
//!
//! A move that is killed between 2 and 3 leaves a data directory that starts nowhere: the next run completes it. So there is
//! never a moment when a server can start on either. A server whose catalogue was moved ends: `relocation.rs`.

mod database;
mod place;
mod progress;
mod storage;

use crate::backup::Damage;
use crate::data_dir::DataDir;
use crate::fault::{Fault, from_causes_of_faults};

pub use database::{CatalogProgress, CatalogTarget, MoveCatalog, MovedCatalog, migrate_database};
pub use place::StoreTarget;
pub use progress::StoreProgress;
pub use storage::{MoveStore, MovedStore, migrate_storage};

/// Why a move failed. The library is where it was, or the next run of the command completes the move.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// Another server uses the database.
    #[error(
        "Other servers use the database: {}. Only one server can use a catalogue in a file. Stop the others first, and wait          until `jingku cluster status` shows that they are gone.",
        .0.join(", ")
    )]
    SeveralServers(Vec<String>),
    /// The library is there already.
    #[error("It is in {0} already.")]
    SamePlace(String),
    /// The database has something else.
    #[error("{0} is not empty. Choose an empty database.")]
    NotEmpty(String),
    /// The data directory cannot be written to.
    #[error("The data directory {} cannot be written to.", .0.path().display())]
    ReadOnly(DataDir),
    /// The catalogue is damaged.
    #[error(
        "The catalogue is corrupted and was not moved: {}. Run `jingku check` and restore a backup.",
        .0.join("; ")
    )]
    DamagedCatalog(Vec<String>),
    /// Some images are damaged.
    #[error(
        "{} images are corrupted, so the images were not moved:{}\nDelete them, or leave their missing data behind with \
         --skip-damaged.",
        .0.images.len(), .0.lines()
    )]
    Damaged(Damage),
    /// What the command works with failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

from_causes_of_faults!(MigrationError);
