//! What the operator's commands refuse.

use jingku_library::{CatalogError, LibraryError};

use super::{Localized, root};
use crate::messages::tr;

impl Localized for LibraryError {
    fn chinese(&self) -> String {
        match self {
            Self::EmptyAccountName => tr!("errors-account-name-empty"),
            Self::AccountExists(name) => tr!("errors-account-exists", name = quoted(name)),
            Self::NoAccount(id) => tr!("errors-account-missing", id = id.to_string()),
            Self::AccountFull(over) => {
                tr!("errors-over-limit", used = over.used.to_string(), max = over.max.to_string())
            }
            Self::NoKey(key) => tr!("errors-key-missing", key = quoted(key)),
            Self::KeyExists(key) => tr!("errors-key-exists", key = quoted(key)),
            Self::BadRange(text) => tr!("errors-range-invalid", range = quoted(text)),
            Self::TooManyRanges { given, max } => tr!("errors-ranges-too-many", given = *given, max = *max),
            Self::BadInstanceId(id) => tr!("errors-instance-id-invalid", id = quoted(id)),
            Self::InstanceExists(id) => tr!("errors-instance-exists", quoted = quoted(id), id = id),
            Self::NoInstance(id) => tr!("errors-instance-missing", id = quoted(id)),
            Self::InstanceBusy(id) => tr!("errors-instance-busy", id = quoted(id)),
            Self::NoZone { given, known } => {
                tr!("errors-zone-missing", zone = quoted(given), known = known)
            }
            Self::NoImageToStart(id, account) => {
                tr!("errors-start-image-missing", id = quoted(id), account = account.to_string())
            }
            Self::NothingToStart(id) => tr!("errors-start-image-unfinished", id = quoted(id)),
            Self::BadImageName(name) => tr!("errors-image-name-invalid", name = quoted(name)),
            Self::NoImage(id) => tr!("errors-image-missing", id = quoted(id)),
            Self::ImageNotWhole(id) => tr!("errors-image-unfinished", id = quoted(id)),
            Self::PlatformNameTaken(id) => tr!("errors-platform-name-taken", id = quoted(id)),
            Self::NoPlatformImage(id) => tr!("errors-platform-image-missing", id = quoted(id)),
            Self::NotReviewing(id) => tr!("errors-review-missing", id = quoted(id)),
            Self::BadReason(max) => tr!("errors-reason-length", max = *max),
            Self::NoGroup(id) => tr!("errors-group-missing", id = quoted(id)),
            Self::NotInTrash(id) => tr!("errors-trash-missing", id = quoted(id)),
            Self::TrashNameTaken { id, name } => {
                tr!("errors-trash-name-taken", id = id, name = quoted(name))
            }
            Self::NeverMade(id) => tr!("errors-never-made", id = quoted(id)),
            Self::Disk(error) => error.chinese(),
            Self::Catalog(error) => catalog(error),
            Self::MasterKey(_) => tr!("errors-master-key-wrong"),
            Self::Inside(error) => tr!("errors-inside", error = root(error)),
            Self::Start(error) => error.chinese(),
        }
    }
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn catalog(error: &CatalogError) -> String {
    let cause = root(error);
    if matches!(error, CatalogError::ReadOnly) {
        tr!("errors-catalog-read-only", error = cause)
    } else if error.is_damage() {
        tr!("errors-catalog-damaged", error = cause)
    } else {
        tr!("errors-catalog", error = cause)
    }
}
