//! What the operator's commands refuse.

use jingku_library::{
    AccountError, AccountFull, AddressRangeError, BadImageName, InstanceError, LibraryError, PlatformError,
    ReviewError, TrashError,
};

use super::{Explained, catalog, root};
use crate::failure::Exit;
use crate::messages::tr;

impl Explained for AccountError {
    fn explain(&self) -> (Exit, String) {
        match self {
            Self::AccountExists(name) => (Exit::Refused, tr!("errors-account-exists", name = quoted(name))),
            Self::NoAccount(id) => (Exit::NotThere, tr!("errors-account-missing", id = id.to_string())),
            Self::NoKey(key) => (Exit::NotThere, tr!("errors-key-missing", key = quoted(key))),
            Self::KeyExists(key) => (Exit::Refused, tr!("errors-key-exists", key = quoted(key))),
            Self::Range(AddressRangeError::BadRange(text)) => {
                (Exit::Refused, tr!("errors-range-invalid", range = quoted(text)))
            }
            Self::Range(AddressRangeError::TooManyRanges { given, max }) => {
                (Exit::Refused, tr!("errors-ranges-too-many", given, max))
            }
            Self::Library(error) => error.explain(),
        }
    }
}

impl Explained for InstanceError {
    fn explain(&self) -> (Exit, String) {
        match self {
            Self::BadInstanceId(id) => (Exit::Refused, tr!("errors-instance-id-invalid", id = quoted(id))),
            Self::InstanceExists(id) => {
                (Exit::Refused, tr!("errors-instance-exists", quoted = quoted(id), id))
            }
            Self::NoInstance(id) => (Exit::NotThere, tr!("errors-instance-missing", id = quoted(id))),
            Self::InstanceBusy(id) => (Exit::NotThere, tr!("errors-instance-busy", id = quoted(id))),
            Self::NoZone { given, known } => {
                (Exit::NotThere, tr!("errors-zone-missing", zone = quoted(given), known))
            }
            Self::NoImageToStart(id, account) => {
                let account = account.to_string();
                (Exit::NotThere, tr!("errors-start-image-missing", id = quoted(id), account))
            }
            Self::NothingToStart(id) => {
                (Exit::NotThere, tr!("errors-start-image-unfinished", id = quoted(id)))
            }
            Self::Account(error) => error.explain(),
            Self::Disk(error) => (Exit::Refused, error.explain().1),
            Self::Library(error) => error.explain(),
        }
    }
}

impl Explained for PlatformError {
    fn explain(&self) -> (Exit, String) {
        match self {
            Self::NoImage(id) => (Exit::NotThere, tr!("errors-image-missing", id = quoted(id))),
            Self::ImageNotWhole(id) => (Exit::NotThere, tr!("errors-image-unfinished", id = quoted(id))),
            Self::PlatformNameTaken(id) => {
                (Exit::Refused, tr!("errors-platform-name-taken", id = quoted(id)))
            }
            Self::NoPlatformImage(id) => {
                (Exit::NotThere, tr!("errors-platform-image-missing", id = quoted(id)))
            }
            Self::BadName(error) => bad_name(error),
            Self::Full(error) => full(error),
            Self::Library(error) => error.explain(),
        }
    }
}

impl Explained for ReviewError {
    fn explain(&self) -> (Exit, String) {
        match self {
            Self::NotReviewing(id) => (Exit::NotThere, tr!("errors-review-missing", id = quoted(id))),
            Self::BadReason(max) => (Exit::Refused, tr!("errors-reason-length", max)),
            Self::NoGroup(id) => (Exit::NotThere, tr!("errors-group-missing", id = quoted(id))),
            Self::Library(error) => error.explain(),
        }
    }
}

impl Explained for TrashError {
    fn explain(&self) -> (Exit, String) {
        match self {
            Self::NotInTrash(id) => (Exit::NotThere, tr!("errors-trash-missing", id = quoted(id))),
            Self::TrashNameTaken { id, name } => {
                (Exit::Refused, tr!("errors-trash-name-taken", id, name = quoted(name)))
            }
            Self::NeverMade(id) => (Exit::NotThere, tr!("errors-never-made", id = quoted(id))),
            Self::BadName(error) => bad_name(error),
            Self::Full(error) => full(error),
            Self::Library(error) => error.explain(),
        }
    }
}

impl Explained for LibraryError {
    fn explain(&self) -> (Exit, String) {
        let chinese = match self {
            Self::Catalog(error) => catalog(&tr!("errors-catalog-failed"), error),
            Self::MasterKey(_) => tr!("errors-master-key-wrong"),
            Self::Inside(error) => tr!("errors-inside", error = root(error)),
            Self::Start(error) => error.explain().1,
        };
        (Exit::Fault, chinese)
    }
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn bad_name(BadImageName(name): &BadImageName) -> (Exit, String) {
    (Exit::Refused, tr!("errors-image-name-invalid", name = quoted(name)))
}

fn full(AccountFull(over): &AccountFull) -> (Exit, String) {
    (Exit::Refused, tr!("errors-over-limit", used = over.used.to_string(), max = over.max.to_string()))
}
