//! What keeps a data directory, a configuration or a fixtures file from being opened, and a lab from being reached.

use jingku_library::{CatalogError, ConfigError, FixturesError, StartError};
use jingku_testing::LabError;

use super::{Localized, clause, root};
use crate::messages::tr;

impl Localized for StartError {
    fn chinese(&self) -> String {
        match self {
            Self::Io(path, source) => {
                tr!("errors-io", path = path.display().to_string(), error = clause(source))
            }
            Self::InUse(path) => tr!("errors-start-in-use", path = path.display().to_string()),
            Self::Restoring(path) => tr!("errors-start-restoring", path = path.display().to_string()),
            Self::NotOurs(path, mode) => {
                let (path, mode) = (path.display().to_string(), format!("{mode:o}"));
                tr!("errors-private-not-ours", path = path, mode = mode)
            }
            Self::Shared(path, mode) => {
                let better = path.join("jingku").display().to_string();
                let (path, mode) = (path.display().to_string(), format!("{mode:o}"));
                tr!("errors-private-shared", path = path, mode = mode, better = better)
            }
            Self::Everybodys(path, mode) => {
                let better = path.join("jingku").display().to_string();
                let (path, mode) = (path.display().to_string(), format!("{mode:o}"));
                tr!("errors-private-everybodys", path = path, mode = mode, better = better)
            }
            Self::NoLibrary(path) => tr!("errors-start-no-library", path = path.display().to_string()),
            Self::CatalogGone(path) => tr!("errors-start-catalog-gone", path = path.display().to_string()),
            Self::CatalogLinked(path) => {
                tr!("errors-start-catalog-linked", path = path.display().to_string())
            }
            Self::LogGone(path) => tr!("errors-start-log-gone", path = path.display().to_string()),
            Self::CatalogLost(path) => tr!("errors-start-catalog-lost", path = path.display().to_string()),
            Self::MasterKey(place) => tr!("errors-start-master-key", place = place),
            Self::WrongMasterKey(_) => tr!("errors-master-key-wrong"),
            Self::Catalog(error) => catalog(error),
            Self::Store(error) => tr!("errors-start-store", error = clause(error)),
        }
    }
}

fn catalog(error: &CatalogError) -> String {
    let cause = root(error);
    if matches!(error, CatalogError::ReadOnly) {
        tr!("errors-start-catalog-read-only", error = cause)
    } else if error.is_damage() {
        tr!("errors-start-catalog-damaged", error = cause)
    } else {
        tr!("errors-start-catalog", error = cause)
    }
}

impl Localized for ConfigError {
    fn chinese(&self) -> String {
        match self {
            Self::Unreadable(path, source) => {
                tr!("errors-config-unreadable", path = path.display().to_string(), error = clause(source))
            }
            Self::Invalid(path, source) => {
                tr!("errors-config-invalid", path = path.display().to_string(), error = source.to_string())
            }
        }
    }
}

impl Localized for FixturesError {
    fn chinese(&self) -> String {
        match self {
            Self::Unreadable(path, source) => {
                tr!("errors-fixtures-unreadable", path = path.display().to_string(), error = clause(source))
            }
            Self::Wrong { path, place, why } => {
                let path = path.display().to_string();
                tr!("errors-fixtures-invalid", path = path, place = place, error = why)
            }
            Self::Library(error) => error.chinese(),
        }
    }
}

impl Localized for LabError {
    fn chinese(&self) -> String {
        match self {
            Self::Unreachable { base_url, .. } => tr!("errors-lab-unreachable", base_url = base_url),
            Self::NoLab(base_url) => tr!("errors-lab-none", base_url = base_url),
            Self::Refused(why) => why.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;

    use jingku_library::LibraryError;

    use super::super::tests::assert_one_stop;
    use super::*;

    #[test]
    fn a_sentence_ends_once() {
        let path = || PathBuf::from("/data");
        for error in [
            StartError::Io(path(), io::Error::other("it says why.")),
            StartError::InUse(path()),
            StartError::Restoring(path()),
            StartError::CatalogLost(path()),
            StartError::MasterKey("JINGKU_MASTER_KEY".to_owned()),
        ] {
            assert_one_stop(&error);
            assert_one_stop(&LibraryError::Start(error));
        }
    }
}
