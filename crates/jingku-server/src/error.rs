//! Refusals, grouped by what the client must do. Codes and messages: docs/wire/errors.md.

use jingku_catalog::{AccountId, CatalogError, FILTERED_IMAGES_MAX, OverLimit, WEBHOOKS_MAX};
use jingku_library::{Internal, SHARES_MAX, limit_refusal};
use jingku_protocol::{DecodeError, MAX_BODY_BYTES, NameRefusal, ParamError, RetCode, excerpt};
use tokio::task::JoinError;

/// Why a request is refused: the code and the message on the wire.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    // Fix the request.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("The request body is larger than {MAX_BODY_BYTES} bytes")]
    BodyTooLarge,
    /// It did not arrive completely or in time.
    #[error("The request body did not arrive whole")]
    BodyIncomplete,
    #[error("Missing Action")]
    MissingAction,
    #[error("Action [{}] not found", excerpt(.0))]
    ActionNotFound(String),
    #[error(transparent)]
    Param(#[from] ParamError),
    /// Another image of the account has the name: `refusal` says which, unless it has just been deleted. The cloud sends
    /// the same message for an invalid name.
    #[error("{}", ParamError::NotAvailable((*.param).to_owned()))]
    NameTaken { param: &'static str, refusal: Option<NameRefusal> },
    #[error(
        "Params [Url] not available: a webhook has an http or https URL without a user, and no private address unless \
         the operator sets `private_addresses`"
    )]
    BadWebhookUrl,
    /// Another version of the group has the name.
    #[error("Version [{}] already exists", excerpt(.0))]
    VersionTaken(String),
    /// Bytes of an upload that do not start at its offset, or its completion before all bytes have arrived.
    #[error("The upload of image [{image_id}] continues at byte {offset}")]
    UploadOffset { image_id: String, offset: u64 },
    /// More bytes than the declared size, or than the largest file.
    #[error("The file of image [{image_id}] has at most {size_bytes} bytes")]
    UploadTooLong { image_id: String, size_bytes: u64 },
    #[error("The received file of image [{0}] differs from the one that was sent; import it again")]
    UploadDiffers(String),

    /// The cloud answers with this code to what is not Base64 too.
    #[error(
        "Params [Password] not available: 8 to 32 letters, digits and signs, of at least two of the kinds, as Base64"
    )]
    BadPassword,
    #[error("The disk of {disk_gb} GB is too small for image [{image_id}], which needs {needed_gb} GB")]
    DiskTooSmall { image_id: String, disk_gb: i64, needed_gb: i64 },
    /// Its GPUs belong to the container as long as it exists.
    #[error("UHost [{0}] has GPUs and cannot be started without them")]
    NeedsGpu(String),
    /// The text of the cloud's documents.
    #[error("gpu type is not support current image, You can try another gpu type")]
    ImageNotForGpu,

    // Fix the credentials.
    /// The operator does not allow it; the text says how to.
    #[error("{0}")]
    InstancesOff(&'static str),
    #[error("Missing Signature")]
    MissingSignature,
    #[error("Signature VerifyAC Error")]
    SignatureMismatch,
    /// Forged, changed or expired. Clients do not learn which.
    #[error("The link is wrong or has expired; ask for a new one")]
    BadLink,
    /// No such public key.
    #[error("User Not Exists")]
    UserNotFound,
    /// The server issues no `SecurityToken`.
    #[error("Token Not Exists")]
    TokenNotFound,
    #[error("Project [{}] not exists", excerpt(.0))]
    ProjectNotFound(String),
    /// The key is not allowed from this address.
    #[error("IP Denied")]
    AddressDenied,
    /// The key is read-only and the action is not.
    #[error("IAM Permission Denied")]
    PermissionDenied,

    // Look again.
    /// It does not exist or the caller cannot access it.
    #[error("Resource not exist [{}]", excerpt(.0))]
    ResourceNotFound(String),
    #[error("Image [{0}] is not available")]
    ImageNotAvailable(String),
    #[error("Image [{}] is shared with this account and cannot be shared on", excerpt(.0))]
    ReshareRefused(String),
    #[error("Image [{0}] can be shared with {SHARES_MAX} accounts at most")]
    TooManyShares(String),
    #[error("UHost [{0}] disk is larger than an image may be, 1000 GB")]
    DiskTooLarge(String),
    /// The store may lack space for an image of this instance. Only the log tells how much space is free.
    #[error(
        "An image of UHost [{instance}] may need {} MB, and the image store has no room for it; ask the operator",
        .needed_bytes.div_ceil(1 << 20)
    )]
    StoreFull { instance: String, needed_bytes: u64 },
    /// The data directory may lack space for a file, or lacks it for the rest of one.
    #[error(
        "An import of this file may need {} MB, and the image store has no room for it; ask the operator",
        .needed_bytes.div_ceil(1 << 20)
    )]
    DataFolderFull { needed_bytes: u64 },
    #[error("The account has {WEBHOOKS_MAX} webhooks, the most it can have; delete one")]
    TooManyWebhooks,
    #[error("The file is larger than an image may be, 1000 GB")]
    FileTooLarge,
    #[error(
        "The account has more than {FILTERED_IMAGES_MAX} images, so that its list can be read newest first, by Zone or \
         by CompShareImageId only"
    )]
    TooManyToFilter,
    #[error("{}", limit_refusal(.0))]
    OverLimit(OverLimit),
    #[error(
        "The files that the account has uploaded take up as much room as those of one account may now; wait until \
         images are made of them, or delete one"
    )]
    OverUploadShare,
    /// The instance's disk cannot be read as declared; the text says why.
    #[error("UHost [{0}] cannot be read. {1}")]
    DiskNotReadable(String, String),
    /// A running virtual machine uses the disk.
    #[error("UHost [{0}] power state is not available")]
    InstanceRunning(String),
    /// The text is ours: the cloud's is not known.
    #[error("UHost [{id}] power state is not available: {state}")]
    WrongState { id: String, state: &'static str },
    #[error("UHost [{id}] is not stopped: {state}")]
    NotStopped { id: String, state: &'static str },
    /// A container or disk that the operator declared.
    #[error(
        "UHost [{0}] power state is not available: only instances that were created through the API can be changed"
    )]
    NotAPod(String),
    #[error("The password of UHost [{id}] can be changed only while it runs: {state}")]
    PasswordNeedsRunning { id: String, state: &'static str },
    #[error("UHost [{0}] cannot change passwords: its image has no working `chpasswd`")]
    NoChpasswd(String),
    #[error(
        "The account can create {0} instances at most; delete one, or ask the operator to raise `instances_max`"
    )]
    TooManyInstances(u16),

    // Ask again later.
    /// The text of the cloud.
    #[error("This GPU type is currently out of resources")]
    OutOfResources,
    #[error("The GPUs of UHost [{0}] are in use by another instance")]
    NoStock(String),
    #[error("The host has no free ports for another instance; ask the operator to widen `publish_ports`")]
    NoPorts,
    #[error("UHost [{0}] has another operation in progress; retry shortly")]
    InstanceBusy(String),
    #[error("The container engine does not answer; retry shortly, or ask the operator to look at it")]
    EngineAway,
    /// Only the server that has the container or the disk can do it.
    #[error("UHost [{id}] is on the server [{host}]; send this request to that server")]
    OnAnotherHost { id: String, host: String },
    /// The request cannot be passed on to the server that has the file.
    #[error("The server [{host}], which has the file of image [{image_id}], does not answer; retry shortly")]
    HostAway { image_id: String, host: String },
    #[error("UHost [{0}] is making image")]
    InstanceMakingImage(String),
    /// A shared limit is reached, or the catalogue is busy.
    #[error("Request Throttled")]
    Throttled,
    /// The account, or without it the address, sends more requests than it may.
    #[error("Request Throttled")]
    Flood(Option<AccountId>),
    /// Another request uses the file, or the server is hashing it.
    #[error("Another upload of the file of image [{0}] is in progress; retry shortly")]
    UploadBusy(String),

    /// The catalogue cannot answer now. Details are logged, never sent.
    #[error("Service Unavailable")]
    Unavailable(CatalogError),

    // Our fault.
    /// Details are logged, never sent.
    #[error("{}", shown(.0))]
    Internal(Internal),
}

impl Error {
    pub(crate) fn ret_code(&self) -> RetCode {
        match self {
            Self::MissingAction => RetCode::MissingAction,
            Self::ActionNotFound(_) => RetCode::ActionNotFound,
            Self::Param(ParamError::Missing(_)) => RetCode::MissingParam,
            Self::Decode(_)
            | Self::BodyTooLarge
            | Self::BodyIncomplete
            | Self::UploadOffset { .. }
            | Self::UploadTooLong { .. }
            | Self::UploadDiffers(_)
            | Self::NameTaken { .. }
            | Self::BadWebhookUrl
            | Self::Param(ParamError::NotAvailable(_)) => RetCode::ParamNotAvailable,
            Self::VersionTaken(_) => RetCode::VersionTaken,
            Self::MissingSignature => RetCode::MissingSignature,
            Self::SignatureMismatch | Self::BadLink => RetCode::SignatureMismatch,
            Self::UserNotFound => RetCode::UserNotFound,
            Self::TokenNotFound => RetCode::TokenNotFound,
            Self::ProjectNotFound(_) => RetCode::ProjectNotFound,
            Self::BadPassword => RetCode::BadPassword,
            Self::DiskTooSmall { .. } => RetCode::DiskTooSmall,
            Self::NeedsGpu(_) => RetCode::NeedsGpu,
            Self::ImageNotForGpu => RetCode::ImageNotForGpu,
            Self::AddressDenied => RetCode::AddressDenied,
            Self::PermissionDenied | Self::InstancesOff(_) => RetCode::PermissionDenied,
            Self::ResourceNotFound(_) => RetCode::ResourceNotFound,
            Self::ImageNotAvailable(_) => RetCode::ImageNotAvailable,
            Self::ReshareRefused(_) => RetCode::ReshareRefused,
            Self::TooManyShares(_)
            | Self::DiskTooLarge(_)
            | Self::StoreFull { .. }
            | Self::DataFolderFull { .. }
            | Self::FileTooLarge
            | Self::OverLimit(_)
            | Self::TooManyInstances(_)
            | Self::TooManyWebhooks
            | Self::TooManyToFilter
            | Self::OverUploadShare => RetCode::QuotaExceeded,
            Self::DiskNotReadable(..)
            | Self::InstanceRunning(_)
            | Self::WrongState { .. }
            | Self::NotAPod(_) => RetCode::InstanceState,
            Self::NotStopped { .. } => RetCode::InstanceNotStopped,
            Self::PasswordNeedsRunning { .. } | Self::NoChpasswd(_) => RetCode::PasswordNotChanged,
            Self::OutOfResources | Self::NoPorts => RetCode::OutOfResources,
            Self::NoStock(_) => RetCode::NoStock,
            Self::InstanceBusy(_) => RetCode::InstanceBusy,
            Self::InstanceMakingImage(_) => RetCode::InstanceMakingImage,
            Self::Throttled | Self::Flood(_) | Self::UploadBusy(_) => RetCode::Throttled,
            Self::EngineAway | Self::OnAnotherHost { .. } | Self::HostAway { .. } | Self::Unavailable(_) => {
                RetCode::ServiceUnavailable
            }
            Self::Internal(_) => RetCode::ServiceError,
        }
    }

    /// Logs an internal error, whose details clients do not get.
    pub(crate) fn log(&self, request_id: &str, action: Option<&str>) {
        let error: &dyn std::error::Error = match self {
            Self::Internal(inside) => inside,
            Self::Unavailable(catalog) => catalog,
            _ => return,
        };
        tracing::error!(request_id, action, error, "request failed");
    }

    /// The invalid parameter, if the error concerns one.
    pub(crate) fn param(&self) -> Option<&str> {
        match self {
            Self::Param(error) => Some(error.name()),
            Self::Decode(error) => error.param(),
            _ => None,
        }
    }

    pub(crate) fn not_available(name: &str) -> Self {
        Self::Param(ParamError::NotAvailable(name.to_owned()))
    }
}

/// What clients learn about an internal error.
fn shown(error: &Internal) -> &'static str {
    match error {
        Internal::Catalog(CatalogError::ReadOnly) => {
            "The service is read-only now: its data directory cannot be written to"
        }
        _ => "Service Error",
    }
}

impl From<Internal> for Error {
    fn from(error: Internal) -> Self {
        match error {
            Internal::Catalog(CatalogError::Busy) => Self::Throttled,
            Internal::Catalog(CatalogError::TooManyImages) => Self::TooManyToFilter,
            Internal::Catalog(error) if error.is_transient() => Self::Unavailable(error),
            inside => Self::Internal(inside),
        }
    }
}

impl From<CatalogError> for Error {
    fn from(error: CatalogError) -> Self {
        Internal::Catalog(error).into()
    }
}

impl From<JoinError> for Error {
    fn from(error: JoinError) -> Self {
        Internal::Task(error).into()
    }
}
