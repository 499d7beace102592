//! Backup and restore of a data directory.
//!
//! ```text
//! generations/N        what was backed up, one file per generation: one line of JSON and its hash
//! catalog-HASH.db      the catalogue of a generation
//! store/               objects, as in a data directory; existing ones are not copied again
//! keys/HASH            a master key or key pair, if requested
//! lock                 held by the running command
//! ```
//!
//! Objects are named by their contents. A generation exists once its file in `generations` exists; what only it names is
//! removed after that file. A command that is killed at any point therefore leaves every generation complete:
//! docs/operate/backup.md.

pub(crate) mod copy;
mod folder;
mod generations;
mod last;
mod record;
mod restore;
mod save;

use std::path::PathBuf;

use crate::fault::{Fault, from_causes_of_faults};

pub(crate) use folder::remove_catalog;
pub use generations::{Pruned, list_backup};
pub use last::LastBackup;
pub use record::{Generation, GenerationRecord};
pub(crate) use restore::put_catalog;
pub use restore::{RestoreBackup, Restored, restore_backup};
pub use save::{BackUp, BackedUp};

/// Why a backup or a restore failed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The folder holds something else.
    #[error("{} is not empty and holds no backup of Jingku. Choose another folder.", .0.display())]
    NotABackup(PathBuf),
    /// The folder is the data directory or inside it.
    #[error("{} is inside the data directory and would be lost with it. Choose another folder.", .0.display())]
    Inside(PathBuf),
    /// The folder is the backup of another library.
    #[error(
        "{} is the backup of another library ({found}); this one is {own}. Nothing was changed. Check --data-dir and whether its \
         disk is mounted. If both are right, back up into another folder.",
        folder.display()
    )]
    AnotherLibrary {
        /// The folder.
        folder: PathBuf,
        /// The library that it backs up.
        found: String,
        /// The library of the data directory.
        own: String,
    },
    /// More than half of the images are gone since the last generation.
    #[error(
        "The library has {now} images; the last generation of the backup in {} has {before}: more than half are gone. Nothing \
         was changed. Check --data-dir. If the images were deleted on purpose, run the command again with --force.",
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
    #[error("The backup in {} has no generation {}. `jingku backup --list DIR` lists its generations.", .0.display(), .1)]
    NoGeneration(PathBuf, u64),
    /// No backup was completed in the folder.
    #[error("{} holds no finished backup. Make one with `jingku backup`.", .0.display())]
    NoBackup(PathBuf),
    /// A newer program made it.
    #[error("A newer version of Jingku made the backup in {}. Install that version.", .0.display())]
    Newer(PathBuf),
    /// A file of the backup does not match its hash.
    #[error(
        "{} is missing or corrupted. Use another generation (`jingku backup --list`, `jingku restore --at`) \
         or another copy of the backup.",
        .0.display()
    )]
    DamagedFile(PathBuf),
    /// Another command uses it.
    #[error("Another jingku command uses {}. Wait until it has finished.", .0.display())]
    InUse(PathBuf),
    /// The target folder is not empty.
    #[error("{} is not empty. Restore into a new or empty folder; choose another with --data-dir.", .0.display())]
    NotEmpty(PathBuf),
    /// The data directory has no master key.
    #[error(
        "The data directory has no master.key: the key comes from JINGKU_MASTER_KEY. Keep that key elsewhere and omit --with-master-key."
    )]
    NoMasterKey,
    /// The master key in the data directory does not open the library's private keys.
    #[error(
        "{} does not open this library's key pairs: it is not the master key in use. Put the right key there, or omit \
         --with-master-key and keep the right key elsewhere.",
        .0.display()
    )]
    WrongMasterKey(PathBuf),
    /// Some images cannot be restored.
    #[error(
        "{} of the backup's images are corrupted; nothing was restored:{}\nUse another copy of the backup, or leave them out \
         with --skip-damaged.",
        .0.images.len(), .0.lines()
    )]
    Damaged(Damage),
    /// What the command works with failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

from_causes_of_faults!(BackupError);

/// Missing or corrupted objects and the images they affect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// The problem of each object, one sentence each, at most [`Damage::OBJECTS_MAX`].
    pub objects: Vec<String>,
    /// How many objects are affected.
    pub object_count: u64,
    /// The affected images, by id, in order.
    pub images: Vec<String>,
}

impl Damage {
    /// The most objects that are listed one by one.
    pub const OBJECTS_MAX: usize = 100;

    /// Adds an object and the images that it affects.
    fn add(&mut self, reason: String, affected: impl IntoIterator<Item = String>) {
        self.object_count += 1;
        if self.objects.len() < Self::OBJECTS_MAX {
            self.objects.push(reason);
        }
        self.images.extend(affected);
        self.images.sort_unstable();
        self.images.dedup();
    }

    /// Adds the findings of another pass.
    pub(crate) fn merge(&mut self, other: Self) {
        self.object_count += other.object_count;
        self.objects.extend(other.objects);
        self.objects.truncate(Self::OBJECTS_MAX);
        self.images.extend(other.images);
        self.images.sort_unstable();
        self.images.dedup();
    }

    /// Whether nothing is missing or corrupted.
    pub fn is_empty(&self) -> bool {
        self.object_count == 0 && self.images.is_empty()
    }

    /// The images and objects, each preceded by a line break.
    pub fn lines(&self) -> String {
        let lines = self.images.iter().chain(&self.objects).map(|line| format!("\n  {line}"));
        let more = self.object_count.saturating_sub(self.objects.len() as u64);
        let more = (more > 0).then(|| format!("\n  … {more}"));
        lines.chain(more).collect()
    }
}

/// The result of copying objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Objects that were copied.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that the target had already.
    pub existing_objects: u64,
    /// Their bytes.
    pub existing_bytes: u64,
    /// Of the copied objects, those that replaced a corrupted one.
    pub repaired_objects: u64,
}

impl Copied {
    fn existing(bytes: u64) -> Self {
        Self { existing_objects: 1, existing_bytes: bytes, ..Self::default() }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.existing_objects += other.existing_objects;
        self.existing_bytes += other.existing_bytes;
        self.repaired_objects += other.repaired_objects;
    }
}
