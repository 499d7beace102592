//! What backups, restores and sweeps refuse.

use jingku_library::{BackupError, SweepError};

use super::{Localized, clause, root};
use crate::messages::tr;

impl Localized for BackupError {
    fn chinese(&self) -> String {
        match self {
            Self::NotABackup(path) => tr!("errors-backup-not-a-backup", path = path.display().to_string()),
            Self::Inside(path) => tr!("errors-backup-inside", path = path.display().to_string()),
            Self::AnotherLibrary { folder, found, own } => {
                let path = folder.display().to_string();
                tr!("errors-backup-other-library", path = path, found = found, own = own)
            }
            Self::FewImages { folder, before, now } => {
                let path = folder.display().to_string();
                tr!("errors-backup-few-images", path = path, before = *before, now = *now)
            }
            Self::NoGeneration(folder, generation) => {
                let path = folder.display().to_string();
                tr!("errors-backup-no-generation", path = path, generation = *generation)
            }
            Self::NoBackup(path) => tr!("errors-backup-none", path = path.display().to_string()),
            Self::Newer(path) => tr!("errors-backup-newer", path = path.display().to_string()),
            Self::DamagedFile(path) => tr!("errors-backup-damaged-file", path = path.display().to_string()),
            Self::InUse(path) => tr!("errors-backup-in-use", path = path.display().to_string()),
            Self::NotEmpty(path) => tr!("errors-backup-not-empty", path = path.display().to_string()),
            Self::NoMasterKey => tr!("errors-backup-no-master-key"),
            Self::WrongMasterKey(path) => {
                tr!("errors-backup-wrong-master-key", path = path.display().to_string())
            }
            Self::Damaged(damage) => {
                tr!("errors-backup-damaged", count = damage.images.len(), lines = damage.lines())
            }
            Self::Catalog(error) => tr!("errors-catalog", error = root(error)),
            Self::Store(error) => tr!("errors-store", error = clause(error)),
            Self::Start(error) => error.chinese(),
            Self::Task(error) => tr!("errors-task", error = clause(error)),
        }
    }
}

impl Localized for SweepError {
    fn chinese(&self) -> String {
        match self {
            Self::DamagedCatalog(problems) => tr!("errors-sweep-catalog", problems = problems.join("；")),
            Self::NoManifest(text) => tr!("errors-sweep-no-manifest", name = format!("{text:?}")),
            Self::BadManifest(error) => tr!("errors-sweep-bad-manifest", error = clause(error)),
            Self::Store(error) => tr!("errors-store", error = clause(error)),
            Self::Catalog(error) => tr!("errors-catalog", error = root(error)),
            Self::Task(error) => tr!("errors-task", error = clause(error)),
        }
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
