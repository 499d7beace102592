//! Moves the catalogue to another database, and the data of images to another store.
//!
//! Both moves have the same end, while no server runs:
//!
//! 1. The target has everything, compared with the source. No server can start on it yet.
//! 2. The source is marked with the name of the target. From here on, nothing starts on it, and nothing changes it.
//! 3. The data directory refers to the target.
//!
//! A move that is killed between 2 and 3 leaves a data directory that starts nowhere: the next run completes it. So there is
//! never a moment when a server can start on either.

mod database;
mod place;
mod progress;
mod storage;

use jingku_catalog::CatalogError;

use crate::backup::Damage;
use crate::data_dir::DataDir;
use crate::sentence::{clause, with_causes};
use crate::start_error::StartError;

pub use database::{CatalogTarget, MovedCatalog, migrate_database};
pub use place::StoreTarget;
pub use progress::StoreProgress;
pub use storage::{MoveStore, MovedStore, migrate_storage};

/// Why a move failed. The library is where it was, or the next run of the command completes the move.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// A server uses the data directory.
    #[error(
        "A server uses the data directory {}. Stop it first: the catalogue must not change while it is moved.",
        .0.path().display()
    )]
    Served(DataDir),
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
    /// The catalogue failed.
    #[error("The catalogue failed: {}.", with_causes(.0))]
    Catalog(#[from] CatalogError),
    /// A chunk store failed.
    #[error("A chunk store failed: {}.", with_causes(.0))]
    Store(#[from] jingku_chunks::Error),
    /// The data directory cannot be used.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A task panicked or was cancelled.
    #[error("A task ended abnormally: {}.", clause(.0))]
    Task(#[from] tokio::task::JoinError),
}
