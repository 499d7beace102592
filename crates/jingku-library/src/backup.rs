//! A data folder kept a second time, and put back.
//!
//! ```text
//! generations/N        what was backed up, one file a generation: one line of JSON and its hash
//! catalog-HASH.db      the catalogue of a generation
//! store/               objects, as in a data folder; those that are there are not copied again
//! keys/HASH            a master key or key pair, when it was asked for
//! lock                 held while a command works on it
//! ```
//!
//! Objects have their names from their contents. A generation counts from the moment its file in `generations` is there, and
//! what only it names is removed after that file is gone. So every generation stays good wherever a command is killed:
//! docs/operate/backup.md.

mod copy;
mod folder;
mod generations;
mod record;
mod restore;
mod save;

use std::path::PathBuf;

use jingku_catalog::CatalogError;

use crate::data_dir::{StartError, with_causes};
use crate::sentence::clause;

pub use generations::{Generation, Generations, KeptGeneration, Pruned, list_backup};
pub use restore::{RestoreBackup, Restored, restore_backup};
pub use save::{BackUp, BackedUp};

/// Why a backup is not made or not put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The folder holds something else.
    #[error("{} is not empty and holds no backup of Jingku. Choose another folder.", .0.display())]
    NotABackup(PathBuf),
    /// The folder is in the data folder, or is it.
    #[error("{} is inside the data folder: what happens to that would happen to the backup. Choose another.", .0.display())]
    Inside(PathBuf),
    /// The folder is the backup of another library.
    #[error(
        "{} is the backup of another library ({found}); this one is {own}. Nothing was changed. Is --data-dir right, and its \
         disk mounted? If so, back up into another folder.",
        folder.display()
    )]
    AnotherLibrary {
        /// The folder.
        folder: PathBuf,
        /// The library that it is a backup of.
        found: String,
        /// The library of the data folder.
        own: String,
    },
    /// Most images are gone since the last time.
    #[error(
        "The library has {now} images, and the last generation of the backup in {} has {before}: more than half are gone. \
         Nothing was changed. Is --data-dir right? If the images were deleted on purpose, call it again with --force.",
        folder.display()
    )]
    FewImages {
        /// The folder.
        folder: PathBuf,
        /// Images of its last generation.
        before: u64,
        /// Images of the library.
        now: u64,
    },
    /// There is no such generation.
    #[error("The backup in {} has no generation {generation}. `jingku backup --list DIR` shows which it has.", folder.display())]
    NoGeneration {
        /// The folder.
        folder: PathBuf,
        /// What was asked for.
        generation: u64,
    },
    /// There is no finished backup.
    #[error("{} holds no finished backup. Make one with `jingku backup`.", .0.display())]
    NoBackup(PathBuf),
    /// It was made by a newer program.
    #[error("The backup in {} was made by a newer Jingku. Install that one.", .0.display())]
    Newer(PathBuf),
    /// A file of the backup is not what it was.
    #[error(
        "{} is lost or damaged: it is not what was backed up. Take another generation (`jingku backup --list`, `jingku restore --at`) \
         or another copy of the backup.",
        .0.display()
    )]
    DamagedFile(PathBuf),
    /// Another command works on it.
    #[error("Another jingku command works on {}. Wait until it is done.", .0.display())]
    InUse(PathBuf),
    /// There is something where the data folder is to be.
    #[error("{} is not empty. A backup is put back into a new or empty folder only; choose another with --data-dir.", .0.display())]
    NotEmpty(PathBuf),
    /// There is no master key to be backed up.
    #[error(
        "There is no master.key in the data folder: the key comes from JINGKU_MASTER_KEY. Keep that one apart, and leave --with-master-key out."
    )]
    NoMasterKey,
    /// The master key in the data folder is not the one that is in use.
    #[error(
        "{} does not open this library's key pairs: it is not the master key in use, and a backup of it would be of no use. Put \
         the right one there, or leave --with-master-key out and keep the right one apart.",
        .0.display()
    )]
    WrongMasterKey(PathBuf),
    /// Images cannot be put back.
    #[error(
        "{} of the backup's images are damaged, and nothing was put in place:{}\nTake another copy of the backup, or leave \
         them out with --skip-damaged.",
        .0.images.len(), .0.lines()
    )]
    Damaged(Damage),
    /// The operating system refused.
    #[error("Cannot use {}: {}.", path.display(), clause(source))]
    Io {
        /// What was to be used.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The catalogue failed.
    #[error("The catalogue failed: {}.", with_causes(.0))]
    Catalog(#[from] CatalogError),
    /// A chunk store failed.
    #[error("A chunk store failed: {}.", with_causes(.0))]
    Store(#[from] jingku_chunks::Error),
    /// The data folder cannot be used.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A task panicked.
    #[error("A task ended abnormally: {}.", clause(.0))]
    Task(#[from] tokio::task::JoinError),
}

/// What is lost or damaged, and whom it hits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// What is wrong with objects, a sentence each, at most [`Damage::OBJECTS_MAX`].
    pub objects: Vec<String>,
    /// How many objects there are.
    pub object_count: u64,
    /// The images that need them, by id, in order.
    pub images: Vec<String>,
}

impl Damage {
    /// The most objects that are told one by one.
    pub const OBJECTS_MAX: usize = 100;

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.object_count == 0 && self.images.is_empty()
    }

    /// The images and objects, each on a line that begins with a line break.
    pub fn lines(&self) -> String {
        let lines = self.images.iter().chain(&self.objects).map(|line| format!("\n  {line}"));
        let more = self.object_count.saturating_sub(self.objects.len() as u64);
        let more = (more > 0).then(|| format!("\n  … {more}"));
        lines.chain(more).collect()
    }
}

/// What copying came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Objects that were copied.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that were there already.
    pub there_objects: u64,
    /// Their bytes.
    pub there_bytes: u64,
    /// Of those copied, objects that were there but damaged.
    pub mended_objects: u64,
}

impl Copied {
    fn add(&mut self, other: Self) {
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.there_objects += other.there_objects;
        self.there_bytes += other.there_bytes;
        self.mended_objects += other.mended_objects;
    }
}
