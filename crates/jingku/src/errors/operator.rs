//! What the operator's commands refuse.

use jingku_library::LibraryError;

use super::{Explained, catalog, root};
use crate::failure::Exit::{self, Fault, NotThere, Refused};
use crate::messages::tr;

impl Explained for LibraryError {
    fn explain(&self) -> (Exit, String) {
        match self {
            Self::EmptyAccountName => (Refused, tr!("errors-account-name-empty")),
            Self::AccountExists(name) => (Refused, tr!("errors-account-exists", name = quoted(name))),
            Self::NoAccount(id) => (NotThere, tr!("errors-account-missing", id = id.to_string())),
            Self::AccountFull(over) => {
                let (used, max) = (over.used.to_string(), over.max.to_string());
                (Refused, tr!("errors-over-limit", used, max))
            }
            Self::NoKey(key) => (NotThere, tr!("errors-key-missing", key = quoted(key))),
            Self::KeyExists(key) => (Refused, tr!("errors-key-exists", key = quoted(key))),
            Self::BadRange(text) => (Refused, tr!("errors-range-invalid", range = quoted(text))),
            Self::TooManyRanges { given, max } => (Refused, tr!("errors-ranges-too-many", given, max)),
            Self::BadInstanceId(id) => (Refused, tr!("errors-instance-id-invalid", id = quoted(id))),
            Self::InstanceExists(id) => (Refused, tr!("errors-instance-exists", quoted = quoted(id), id)),
            Self::NoInstance(id) => (NotThere, tr!("errors-instance-missing", id = quoted(id))),
            Self::InstanceBusy(id) => (NotThere, tr!("errors-instance-busy", id = quoted(id))),
            Self::NoHost(name) => (NotThere, tr!("errors-host-missing", name = quoted(name))),
            Self::HostAlive { name, seen_secs } => {
                (NotThere, tr!("errors-host-alive", name = quoted(name), seconds = *seen_secs))
            }
            Self::NoZone { given, known } => {
                (NotThere, tr!("errors-zone-missing", zone = quoted(given), known))
            }
            Self::NoImageToStart(id, account) => {
                let account = account.to_string();
                (NotThere, tr!("errors-start-image-missing", id = quoted(id), account))
            }
            Self::NothingToStart(id) => (NotThere, tr!("errors-start-image-unfinished", id = quoted(id))),
            Self::BadImageName(name) => (Refused, tr!("errors-image-name-invalid", name = quoted(name))),
            Self::NoImage(id) => (NotThere, tr!("errors-image-missing", id = quoted(id))),
            Self::ImageNotWhole(id) => (NotThere, tr!("errors-image-unfinished", id = quoted(id))),
            Self::PlatformNameTaken(id) => (Refused, tr!("errors-platform-name-taken", id = quoted(id))),
            Self::NoPlatformImage(id) => (NotThere, tr!("errors-platform-image-missing", id = quoted(id))),
            Self::NotReviewing(id) => (NotThere, tr!("errors-review-missing", id = quoted(id))),
            Self::BadReason(max) => (Refused, tr!("errors-reason-length", max)),
            Self::NoGroup(id) => (NotThere, tr!("errors-group-missing", id = quoted(id))),
            Self::NotInTrash(id) => (NotThere, tr!("errors-trash-missing", id = quoted(id))),
            Self::TrashNameTaken { id, name } => {
                (Refused, tr!("errors-trash-name-taken", id, name = quoted(name)))
            }
            Self::NeverMade(id) => (NotThere, tr!("errors-never-made", id = quoted(id))),
            Self::Disk(error) => (Refused, error.explain().1),
            Self::Catalog(error) => (Fault, catalog(&tr!("errors-catalog-failed"), error)),
            Self::MasterKey(_) => (Fault, tr!("errors-master-key-wrong")),
            Self::Inside(error) => (Fault, tr!("errors-inside", error = root(error))),
            Self::Start(error) => (Fault, error.explain().1),
        }
    }
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}
