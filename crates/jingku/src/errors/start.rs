//! What keeps a server from starting: its data directory, configuration, fixtures or address; and a lab from being reached.

use jingku_library::{BadListenAddress, ConfigError, FixturesError, StartError};
use jingku_server::TlsError;
use jingku_testing::LabError;

use super::{Explained, catalog};
use crate::failure::Exit::{self, Fault, NotThere, Refused, TryAgain, Usage};
use crate::failure::clause;
use crate::messages::tr;

impl Explained for StartError {
    fn explain(&self) -> (Exit, String) {
        let octal = |mode: &u32| format!("{mode:o}");
        match self {
            Self::Io(path, source) => (Fault, tr!("errors-io", path, error = clause(source))),
            Self::InUse(path) => (TryAgain, tr!("errors-start-in-use", path)),
            Self::Moving(path) => (TryAgain, tr!("errors-start-moving", path)),
            Self::Restoring(path) => (NotThere, tr!("errors-start-restoring", path)),
            Self::NotOurs(path, mode) => (Refused, tr!("errors-private-not-ours", path, mode = octal(mode))),
            Self::Shared(path, mode) => {
                let better = path.join("jingku");
                (Refused, tr!("errors-private-shared", path, mode = octal(mode), better))
            }
            Self::Everybodys(path, mode) => {
                let better = path.join("jingku");
                (Refused, tr!("errors-private-everybodys", path, mode = octal(mode), better))
            }
            Self::NoLibrary(path) => (NotThere, tr!("errors-start-no-library", path)),
            Self::CatalogGone(path) => (Fault, tr!("errors-start-catalog-gone", path)),
            Self::CatalogLinked(path) => (Fault, tr!("errors-start-catalog-linked", path)),
            Self::LogGone(path) => (Fault, tr!("errors-start-log-gone", path)),
            Self::CatalogLost(path) => (Fault, tr!("errors-start-catalog-lost", path)),
            Self::CatalogInFile(path) => (Refused, tr!("errors-start-catalog-in-file", path)),
            Self::DatabaseEmpty(path) => (Fault, tr!("errors-start-database-empty", path)),
            Self::DatabaseNotEmpty => (Refused, tr!("errors-start-database-not-empty")),
            Self::DatabaseFile(path) => (Fault, tr!("errors-start-database-file", path)),
            Self::StorageFile(path) => (Fault, tr!("errors-start-storage-file", path)),
            Self::StoreInFolder(path) => (Refused, tr!("errors-start-store-in-folder", path)),
            Self::CatalogMoved(place) => (Refused, tr!("errors-start-catalog-moved", place)),
            Self::StoreElsewhere { store, place } => {
                (Refused, tr!("errors-start-store-elsewhere", store, place))
            }
            Self::HostInUse { name, address, seen_secs } => {
                (TryAgain, tr!("errors-start-host-in-use", name, address, seconds = *seen_secs))
            }
            Self::MasterKey(place) => (Usage, tr!("errors-start-master-key", place)),
            Self::WrongMasterKey(_) => (Fault, tr!("errors-master-key-wrong")),
            Self::Catalog(error) => (Fault, catalog(&tr!("errors-catalog-unopened"), error)),
            Self::Store(error) => (Fault, tr!("errors-start-store", error = clause(error))),
        }
    }
}

impl Explained for ConfigError {
    fn explain(&self) -> (Exit, String) {
        let chinese = match self {
            Self::Unreadable(path, source) => {
                tr!("errors-config-unreadable", path, error = clause(source))
            }
            Self::Invalid(path, source) => {
                tr!("errors-config-invalid", path, error = source.to_string())
            }
        };
        (Usage, chinese)
    }
}

impl Explained for FixturesError {
    fn explain(&self) -> (Exit, String) {
        match self {
            Self::Unreadable(path, source) => {
                (Usage, tr!("errors-fixtures-unreadable", path, error = clause(source)))
            }
            Self::Wrong { path, place, why } => {
                (Usage, tr!("errors-fixtures-invalid", path, place, error = why))
            }
            Self::Library(error) => error.explain(),
        }
    }
}

impl Explained for BadListenAddress {
    fn explain(&self) -> (Exit, String) {
        let quoted = |text: &str| format!("{text:?}");
        let chinese = match self {
            Self::NoPort(text) => tr!("errors-listen-no-port", text = quoted(text), bare = text),
            Self::NoHost(text) => tr!("errors-listen-no-host", text = quoted(text), bare = text),
            Self::PortAlone(text) => tr!("errors-listen-port-alone", text = quoted(text), bare = text),
            Self::BadPort(text) => tr!("errors-listen-bad-port", text = quoted(text)),
            Self::NoBrackets(text) => tr!("errors-listen-no-brackets", text = quoted(text)),
            Self::Url(text) => tr!("errors-listen-url", text = quoted(text)),
            Self::BadHost(text) => tr!("errors-listen-bad-host", text = quoted(text)),
        };
        (Usage, chinese)
    }
}

impl Explained for TlsError {
    fn explain(&self) -> (Exit, String) {
        let chinese = match self {
            Self::Unreadable(path, source) => tr!("errors-tls-unreadable", path, error = clause(source)),
            Self::NoCertificate(path) => tr!("errors-tls-no-certificate", path),
            Self::NoKey(path) => tr!("errors-tls-no-key", path),
            Self::Refused(certificate, key, source) => {
                tr!("errors-tls-refused", certificate, key, error = clause(source))
            }
        };
        (Usage, chinese)
    }
}

impl Explained for LabError {
    fn explain(&self) -> (Exit, String) {
        match self {
            Self::Unreachable { base_url, .. } => (TryAgain, tr!("errors-lab-unreachable", base_url)),
            Self::NoLab(base_url) => (NotThere, tr!("errors-lab-none", base_url)),
            Self::Refused(why) => (Refused, why.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::PathBuf;

    use jingku_library::{CatalogError, LibraryError};

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
            StartError::CatalogInFile(path()),
            StartError::DatabaseEmpty(path()),
            StartError::DatabaseNotEmpty,
            StartError::HostInUse { name: "a".to_owned(), address: "http://a".to_owned(), seen_secs: 5 },
            StartError::DatabaseFile(path()),
            StartError::Catalog(CatalogError::AnotherStore),
            StartError::Catalog(CatalogError::OlderServers("a, b".to_owned())),
            StartError::MasterKey("JINGKU_MASTER_KEY".to_owned()),
        ] {
            assert_one_stop(&error);
            assert_one_stop(&LibraryError::Start(error));
        }
        for error in [
            TlsError::Unreadable(path(), io::Error::other("it says why.")),
            TlsError::NoCertificate(path()),
            TlsError::NoKey(path()),
            TlsError::Refused(path(), path(), rustls::Error::General("it says why.".to_owned())),
        ] {
            assert_one_stop(&error);
        }
    }
}
