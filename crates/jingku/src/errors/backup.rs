//! What backups, restores and sweeps refuse, and how commands that copy a library fail.

use jingku_library::{BackupError, Fault as LibraryFault, SweepError};

use super::{Explained, root};
use crate::failure::Exit::{self, Fault, NotThere, Refused, TryAgain};
use crate::failure::clause;
use crate::messages::tr;

impl Explained for BackupError {
    fn explain(&self) -> (Exit, String) {
        match self {
            Self::NotABackup(path) => (Refused, tr!("errors-backup-not-a-backup", path)),
            Self::Inside(path) => (Refused, tr!("errors-backup-inside", path)),
            Self::AnotherLibrary { folder, found, own } => {
                (Refused, tr!("errors-backup-other-library", path = folder, found, own))
            }
            Self::FewImages { folder, before, now } => {
                (Refused, tr!("errors-backup-few-images", path = folder, before, now))
            }
            Self::NoGeneration(folder, generation) => {
                (NotThere, tr!("errors-backup-no-generation", path = folder, generation))
            }
            Self::NoBackup(path) => (NotThere, tr!("errors-backup-none", path)),
            Self::Newer(path) => (Fault, tr!("errors-backup-newer", path)),
            Self::DamagedFile(path) => (Fault, tr!("errors-backup-damaged-file", path)),
            Self::InUse(path) => (TryAgain, tr!("errors-backup-in-use", path)),
            Self::NotEmpty(path) => (Refused, tr!("errors-backup-not-empty", path)),
            Self::NoMasterKey => (Refused, tr!("errors-backup-no-master-key")),
            Self::WrongMasterKey(path) => (Refused, tr!("errors-backup-wrong-master-key", path)),
            Self::Damaged(damage) => {
                let (count, lines) = (damage.images.len(), damage.lines());
                (Fault, tr!("errors-backup-damaged", count, lines))
            }
            Self::Fault(fault) => fault.explain(),
        }
    }
}

impl Explained for LibraryFault {
    fn explain(&self) -> (Exit, String) {
        match self {
            Self::Catalog(error) => {
                (Fault, tr!("errors-catalog", what = tr!("errors-catalog-failed"), error = root(error)))
            }
            Self::Store(error) => (Fault, tr!("errors-store", error = clause(error))),
            Self::Start(error) => error.explain(),
            Self::Task(error) => (Fault, tr!("errors-task", error = clause(error))),
        }
    }
}

impl Explained for SweepError {
    fn explain(&self) -> (Exit, String) {
        let chinese = match self {
            Self::DamagedCatalog(problems) => tr!("errors-sweep-catalog", problems = problems.join("；")),
            Self::NoManifest(text) => tr!("errors-sweep-no-manifest", name = format!("{text:?}")),
            Self::BadManifest(error) => tr!("errors-sweep-bad-manifest", error = clause(error)),
            Self::Store(error) => tr!("errors-store", error = clause(error)),
            Self::Catalog(error) => {
                tr!("errors-catalog", what = tr!("errors-catalog-failed"), error = root(error))
            }
            Self::Task(error) => tr!("errors-task", error = clause(error)),
        };
        (Fault, chinese)
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;

    use jingku_library::StartError;

    use super::super::tests::assert_one_stop;
    use super::*;

    #[test]
    fn a_sentence_ends_once() {
        let path = || PathBuf::from("/data");
        for error in [
            BackupError::NotABackup(path()),
            BackupError::Inside(path()),
            BackupError::NoBackup(path()),
            BackupError::Newer(path()),
            BackupError::DamagedFile(path()),
            BackupError::InUse(path()),
            BackupError::NotEmpty(path()),
            BackupError::NoMasterKey,
            BackupError::WrongMasterKey(path()),
            StartError::Io(path(), io::Error::other("it says why.")).into(),
        ] {
            assert_one_stop(&error);
        }
    }
}
