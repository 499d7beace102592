//! Why a data directory cannot be used.

use std::path::PathBuf;

use jingku_catalog::CatalogError;

use crate::keyring::WrongMasterKey;
use crate::sentence::{clause, with_causes};

/// Why a data directory or the folder of a backup cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The operating system refused.
    #[error("Cannot use {}: {}.", .0.display(), clause(.1))]
    Io(PathBuf, #[source] std::io::Error),
    /// Another server uses it.
    #[error("Another jingku server uses the data directory {}. Stop it, or give this one a folder of its own.", .0.display())]
    InUse(PathBuf),
    /// Its catalogue or its images are being moved.
    #[error("Another `jingku migrate-database` or `jingku migrate-storage` uses {}. Wait until it has finished.", .0.display())]
    Moving(PathBuf),
    /// A restore into it was interrupted.
    #[error("A restore into {} is incomplete. Run `jingku restore` again.", .0.display())]
    Restoring(PathBuf),
    /// Others can access it with these permissions, and this user cannot change that.
    #[error(
        "Other users can read {} (mode {:o}), and it belongs to another user. Run `chmod 700 {}` as its owner.",
        .0.display(), .1, .0.display()
    )]
    NotOurs(PathBuf, u32),
    /// Others can access it with these permissions, and it is the user's home or has other content.
    #[error(
        "Other users can read {} (mode {:o}), and it is not only for Jingku. Choose a folder of its own, such as {}, or run \
         `chmod 700 {}` if no other user needs it.",
        .0.display(), .1, .0.join("jingku").display(), .0.display()
    )]
    Shared(PathBuf, u32),
    /// It is the root folder or a shared folder, with these permissions.
    #[error(
        "All users share {} (mode {:o}). Choose a folder of its own, such as {}.",
        .0.display(), .1, .0.join("jingku").display()
    )]
    Everybodys(PathBuf, u32),
    /// It has no library, or its disk is not mounted.
    #[error(
        "There is no library in {}: it has no catalog.db. Check --data-dir and whether its disk is mounted. Nothing was created.",
        .0.display()
    )]
    NoLibrary(PathBuf),
    /// The catalogue is missing, but there are images.
    #[error(
        "The catalogue {} is gone or empty, but the store has images. Nothing was changed. Put the file back, or restore a backup into another folder with `jingku restore`. To start over, move the folder `store` away.",
        .0.display()
    )]
    CatalogLost(PathBuf),
    /// The catalogue is missing, but its log exists.
    #[error(
        "The catalogue {} is gone, but its log exists: a server may still use it. Nothing was changed. Stop the server and put the file back, or restore a backup into another folder with `jingku restore`. To start over, move the log away too.",
        .0.display()
    )]
    CatalogGone(PathBuf),
    /// The catalogue is a symbolic link.
    #[error(
        "The catalogue {} is a link, so programs disagree on where its log is. Nothing was changed. Stop the server and replace the link by the file. To use another disk, link the data directory instead.",
        .0.display()
    )]
    CatalogLinked(PathBuf),
    /// A server is running, but the log of its catalogue is missing.
    #[error(
        "A server uses this folder, but {}, which it writes, is gone. Nothing was changed. Put the file back, or stop the server, which then writes its data to catalog.db.",
        .0.display()
    )]
    LogGone(PathBuf),
    /// The data directory is to use a database, but has a catalogue in a file.
    #[error(
        "The catalogue of {} is in its file catalog.db, so it cannot use a database. Nothing was changed. To move it, run \
         `jingku migrate-database`.",
        .0.display()
    )]
    CatalogInFile(PathBuf),
    /// The database is empty, but there are images.
    #[error(
        "The database is empty, but {} has images. Nothing was changed. Check the URL of the database, or restore a backup into \
         another folder with `jingku restore`.",
        .0.display()
    )]
    DatabaseEmpty(PathBuf),
    /// The database of a restore holds something.
    #[error("The database is not empty. Restore into a new one.")]
    DatabaseNotEmpty,
    /// The file that names the database is malformed.
    #[error("{} is not valid: it must name the database and its store id. Restore the file.", .0.display())]
    DatabaseFile(PathBuf),
    /// The file that names the bucket is not readable.
    #[error("The file {} is damaged. Set `storage` in the configuration file, then remove this file.", .0.display())]
    StorageFile(PathBuf),
    /// The configuration names a bucket, but the images are in the data directory.
    #[error(
        "The images of {} are in its folder `store`, but the configuration sets `storage`. Nothing was changed. To move them, run `jingku migrate-storage`.",
        .0.display()
    )]
    StoreInFolder(PathBuf),
    /// The catalogue was moved to this place, or the move was interrupted.
    #[error(
        "The catalogue is in {0} now, or a move there was interrupted. Nothing was changed. Change `database` in the \
         configuration, or run the interrupted `jingku migrate-database` again."
    )]
    CatalogMoved(String),
    /// The images were moved to another store, or the move was interrupted.
    #[error(
        "The images are not in {store} but in {place}, or a move between them was interrupted. Nothing was changed. Change \
         `storage` in the configuration, or run the interrupted `jingku migrate-storage` again."
    )]
    StoreElsewhere {
        /// The store that was opened.
        store: String,
        /// The store that has the images.
        place: String,
    },
    /// Another server of the same database has the name.
    #[error(
        "Another server has the host name {name}: {address}, last seen {seen_secs} s ago. Give this one another name: `host` \
         in the section [cluster] of the configuration file. If the other one has crashed, start this one again in a minute."
    )]
    HostInUse {
        /// The name.
        name: String,
        /// The base URL of the other server.
        address: String,
        /// Seconds since it last renewed its lease.
        seen_secs: i64,
    },
    /// The master key is malformed.
    #[error("The master key {0} is invalid: it must be 64 hexadecimal digits.")]
    MasterKey(String),
    /// The master key does not open the existing private keys.
    #[error(transparent)]
    WrongMasterKey(#[from] WrongMasterKey),
    /// The catalogue cannot be opened.
    #[error("Cannot open the catalogue: {}.{}", with_causes(.0), way_back(.0))]
    Catalog(#[from] CatalogError),
    /// The chunk store cannot be opened.
    #[error("Cannot open the chunk store: {}.", clause(.0))]
    Store(#[from] jingku_chunks::Error),
}

impl StartError {
    /// Adds the path to an error of the operating system.
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl Fn(std::io::Error) -> Self {
        let path = path.into();
        move |error| Self::Io(path.clone(), error)
    }
}

/// Advice for a catalogue that is damaged or read-only; empty for other errors.
pub(crate) fn way_back(error: &CatalogError) -> &'static str {
    if matches!(error, CatalogError::ReadOnly) {
        " The data directory cannot be written to; nothing was changed."
    } else if matches!(error, CatalogError::AnotherStore) {
        " Nothing was changed. Check the URL of the database and --data-dir."
    } else if matches!(error, CatalogError::OlderServers(_)) {
        " Nothing was changed. Stop them; one that was killed counts as running until its lease ends."
    } else if error.is_damage() {
        " Stop the server, keep the folder unchanged, and restore a backup into another folder with `jingku restore`."
    } else {
        ""
    }
}
