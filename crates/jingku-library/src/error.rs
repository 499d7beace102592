//! Errors of the library.

use jingku_catalog::{CatalogError, OverLimit};
use jingku_protocol::actions::is_image_name;
use jingku_sources::DiskError;

use crate::keyring::WrongMasterKey;
use crate::sentence::with_causes;
use crate::start_error::{StartError, way_back};

/// An internal error, for the log and never for a client.
#[derive(Debug, thiserror::Error)]
pub enum Internal {
    /// The catalogue failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The chunk store failed.
    #[error(transparent)]
    Store(#[from] jingku_chunks::Error),
    /// The master key does not open a private key.
    #[error(transparent)]
    MasterKey(#[from] WrongMasterKey),
    /// A row has a value that this program never writes.
    #[error("the catalogue has an unreadable row: {0}")]
    BadRow(String),
    /// An uploaded file cannot be used.
    #[error("cannot use an uploaded file: {0}")]
    UploadFile(#[source] std::io::Error),
    /// A task panicked or was cancelled.
    #[error("a task ended abnormally: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Why a command of the operator failed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// The account name is empty or blank.
    #[error("An account needs a name. Give one that is not empty.")]
    EmptyAccountName,
    /// The account name is in use.
    #[error("There is an account named {0:?} already. Choose another name.")]
    AccountExists(String),
    /// No such account.
    #[error("There is no account {0}. Create it with `jingku account create NAME`.")]
    NoAccount(i64),
    /// The account is at its limit.
    #[error(
        "The account has {} of {} already. Delete some of its images, or raise its limit with `jingku account limit`.",
        .0.used, .0.max
    )]
    AccountFull(OverLimit),
    /// No such key.
    #[error("There is no key {0:?} that is not revoked. `jingku key list` shows all.")]
    NoKey(String),
    /// The public key exists in another account or with another private key.
    #[error(
        "The public key {0:?} exists already with another private key or in another account. Choose another."
    )]
    KeyExists(String),
    /// The text is not an address range.
    #[error(
        "{0:?} is not a valid CIDR range. Write it like 10.0.0.0/8, fd00::/8 or 192.0.2.7; the address must be the \
         first of its range."
    )]
    BadRange(String),
    /// Too many address ranges for a key.
    #[error("A key can be limited to at most {max} ranges of addresses, not {given}. Join some of them.")]
    TooManyRanges {
        /// The number given.
        given: usize,
        /// The maximum.
        max: usize,
    },
    /// The text cannot be an instance id.
    #[error("{0:?} cannot be an instance id: use 1 to 64 of the characters a-z A-Z 0-9 - _ .")]
    BadInstanceId(String),
    /// The id is in use.
    #[error("There is an instance {0:?} already. Remove it first with `jingku instance remove {0}`.")]
    InstanceExists(String),
    /// No such instance.
    #[error("There is no instance {0:?}. `jingku instance list` shows all.")]
    NoInstance(String),
    /// An image of it is being made.
    #[error("An image of instance {0:?} is being made. Wait until it is done, or delete that image.")]
    InstanceBusy(String),
    /// No such server.
    #[error("There is no server {0:?}. `jingku cluster status` shows all.")]
    NoHost(String),
    /// The server is alive, so it cannot be forgotten.
    #[error("The server {name:?} was alive {seen_secs} s ago. Stop it, or wait until its lease has ended.")]
    HostAlive {
        /// Its name.
        name: String,
        /// Seconds since it last renewed its lease.
        seen_secs: i64,
    },
    /// No such zone.
    #[error("There is no zone {given:?}. Known zones: {known}.")]
    NoZone {
        /// The given name.
        given: String,
        /// The known names.
        known: String,
    },
    /// The account cannot see such an image.
    #[error("Account {1} sees no image {0:?} that it could have started an instance from.")]
    NoImageToStart(String, i64),
    /// The image has no data.
    #[error("Image {0:?} is being made or could not be made: nothing can have been started from it.")]
    NothingToStart(String),
    /// The text cannot be an image name.
    #[error(
        "{0:?} cannot be the name of an image: use 1 to 50 Chinese characters, letters, digits and _ , . : -"
    )]
    BadImageName(String),
    /// No account has such an image.
    #[error("There is no image {0:?}. `jingku image list` shows an account's own.")]
    NoImage(String),
    /// The image is not complete.
    #[error(
        "Image {0:?} is being made, waits for review or could not be made. Choose an image that is Available or Offline."
    )]
    ImageNotWhole(String),
    /// Another image of the platform has the name.
    #[error("The platform has an image with the name that {0:?} would get. Choose another with --name.")]
    PlatformNameTaken(String),
    /// The platform has no such image.
    #[error("The platform has no image {0:?}. It may have been removed before.")]
    NoPlatformImage(String),
    /// The image is not waiting for review.
    #[error("There is no image {0:?} that waits for review. `jingku review list` shows all that do.")]
    NotReviewing(String),
    /// A reason that is empty or too long.
    #[error("A reason has 1 to {0} characters. Say what to change.")]
    BadReason(usize),
    /// No such group.
    #[error("There is no group {0:?} in the community.")]
    NoGroup(String),
    /// The trash has no such image.
    #[error("There is no image {0:?} in the trash. `jingku trash list` shows all.")]
    NotInTrash(String),
    /// Another image has taken the name of the image in the trash.
    #[error(
        "Another image of the account is named {name:?} now. Restore this one under another name: \
         `jingku trash restore {id} --name NAME`."
    )]
    TrashNameTaken {
        /// The image in the trash.
        id: String,
        /// The name.
        name: String,
    },
    /// The image in the trash has no data.
    #[error(
        "Image {0:?} was deleted while it was being made, so there is no data to restore. Make it again."
    )]
    NeverMade(String),
    /// The disk of an instance cannot be used.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The catalogue failed.
    #[error("The catalogue failed: {}.{}", with_causes(.0), way_back(.0))]
    Catalog(#[from] CatalogError),
    /// The master key does not open a private key.
    #[error(transparent)]
    MasterKey(#[from] WrongMasterKey),
    /// An internal error.
    #[error("{}.", with_causes(.0))]
    Inside(#[from] Internal),
    /// A file of the data directory cannot be written.
    #[error(transparent)]
    Start(#[from] StartError),
}

pub(crate) fn check_image_name(name: Option<&str>) -> Result<(), LibraryError> {
    match name {
        Some(name) if !is_image_name(name) => Err(LibraryError::BadImageName(name.to_owned())),
        _ => Ok(()),
    }
}
