//! Refusals, grouped by what the client must do. Codes and messages: docs/wire/errors.md.

use jingku_catalog::{CatalogError, OverLimit};
use jingku_library::{Internal, SHARES_MAX, limit_refusal};
use jingku_protocol::{DecodeError, NameRefusal, ParamError, RetCode, excerpt};
use tokio::task::JoinError;

/// Why a request is refused.
#[derive(Debug)]
pub enum Error {
    // Fix the request.
    /// The request cannot be decoded.
    Decode(DecodeError),
    /// The body is larger than `MAX_BODY_BYTES`.
    BodyTooLarge,
    /// The body did not arrive completely or in time.
    BodyIncomplete,
    /// No `Action`.
    MissingAction,
    /// An `Action` that does not exist.
    ActionNotFound(String),
    /// A parameter is missing or invalid.
    Param(ParamError),
    /// Another image of the account has the name.
    NameTaken {
        /// The parameter.
        param: &'static str,
        /// Which image, unless it has just been deleted.
        refusal: Option<NameRefusal>,
    },
    /// Another version of the group has the name.
    VersionTaken(String),
    /// Bytes of an upload that do not start at its offset, or its completion before all bytes have arrived.
    UploadOffset {
        /// The image.
        image_id: String,
        /// Number of bytes received.
        offset: u64,
    },
    /// More bytes than the declared size, or than the largest file.
    UploadTooLong {
        /// The image.
        image_id: String,
        /// The maximum, in bytes.
        size_bytes: u64,
    },
    /// The received file does not have the hash of the sent one.
    UploadDiffers(String),

    // Fix the credentials.
    /// No `Signature`.
    MissingSignature,
    /// The signature does not match the parameters.
    SignatureMismatch,
    /// A link that is forged, changed or expired.
    BadLink,
    /// No such public key.
    UserNotFound,
    /// Unknown `SecurityToken`. The server issues none.
    TokenNotFound,
    /// A project the account does not have.
    ProjectNotFound(String),
    /// The key is not allowed from this address.
    AddressDenied,
    /// The key is read-only and the action is not.
    PermissionDenied,

    // Look again.
    /// The resource does not exist or the caller cannot access it.
    ResourceNotFound(String),
    /// The image is not `Available`.
    ImageNotAvailable(String),
    /// The image is shared with the caller, who cannot share it again.
    ReshareRefused(String),
    /// The image would be shared with more accounts than `SHARES_MAX`.
    TooManyShares(String),
    /// The instance's disk is larger than an image may be.
    DiskTooLarge(String),
    /// The store may lack space for an image of this instance.
    StoreFull {
        /// The instance.
        instance: String,
        /// Estimated space, in bytes.
        needed_bytes: u64,
    },
    /// The data folder may lack space for a file, or lacks it for the rest of one.
    DataFolderFull {
        /// Estimated space, in bytes.
        needed_bytes: u64,
    },
    /// The file is larger than an image may be.
    FileTooLarge,
    /// The account has reached a limit.
    OverLimit(OverLimit),
    /// The uploaded files of the account use up its share of the disk space.
    OverUploadShare,
    /// The instance's disk cannot be read as declared; the text says why.
    DiskNotReadable(String, &'static str),
    /// A running virtual machine uses the disk.
    InstanceRunning(String),

    // Ask again later.
    /// Another image is being made of the instance.
    InstanceMakingImage(String),
    /// A shared limit is reached, or the catalogue is busy.
    Throttled,
    /// Another request uses the file of the upload, or the server is hashing it.
    UploadBusy(String),

    // Our fault.
    /// Details are logged, never sent.
    Internal(Internal),
}

impl Error {
    /// The code on the wire.
    pub fn ret_code(&self) -> RetCode {
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
            | Self::Param(ParamError::NotAvailable(_)) => RetCode::ParamNotAvailable,
            Self::VersionTaken(_) => RetCode::VersionTaken,
            Self::MissingSignature => RetCode::MissingSignature,
            Self::SignatureMismatch | Self::BadLink => RetCode::SignatureMismatch,
            Self::UserNotFound => RetCode::UserNotFound,
            Self::TokenNotFound => RetCode::TokenNotFound,
            Self::ProjectNotFound(_) => RetCode::ProjectNotFound,
            Self::AddressDenied => RetCode::AddressDenied,
            Self::PermissionDenied => RetCode::PermissionDenied,
            Self::ResourceNotFound(_) => RetCode::ResourceNotFound,
            Self::ImageNotAvailable(_) => RetCode::ImageNotAvailable,
            Self::ReshareRefused(_) => RetCode::ReshareRefused,
            Self::TooManyShares(_)
            | Self::DiskTooLarge(_)
            | Self::StoreFull { .. }
            | Self::DataFolderFull { .. }
            | Self::FileTooLarge
            | Self::OverLimit(_)
            | Self::OverUploadShare => RetCode::QuotaExceeded,
            Self::DiskNotReadable(..) | Self::InstanceRunning(_) => RetCode::InstanceState,
            Self::InstanceMakingImage(_) => RetCode::InstanceMakingImage,
            Self::Throttled | Self::UploadBusy(_) => RetCode::Throttled,
            Self::Internal(_) => RetCode::ServiceError,
        }
    }

    /// The message on the wire.
    pub fn message(&self) -> String {
        match self {
            Self::Decode(error) => error.to_string(),
            Self::BodyTooLarge => {
                format!("The request body is larger than {} bytes", jingku_protocol::MAX_BODY_BYTES)
            }
            Self::BodyIncomplete => "The request body did not arrive whole".to_owned(),
            Self::MissingAction => "Missing Action".to_owned(),
            Self::ActionNotFound(name) => format!("Action [{}] not found", excerpt(name)),
            Self::Param(error) => error.to_string(),
            // The cloud sends the same message for an invalid name.
            Self::NameTaken { param, .. } => ParamError::NotAvailable((*param).to_owned()).to_string(),
            Self::VersionTaken(name) => format!("Version [{}] already exists", excerpt(name)),
            Self::UploadOffset { image_id, offset } => {
                format!("The upload of image [{image_id}] continues at byte {offset}")
            }
            Self::UploadTooLong { image_id, size_bytes } => {
                format!("The file of image [{image_id}] has at most {size_bytes} bytes")
            }
            Self::UploadDiffers(image_id) => format!(
                "The received file of image [{image_id}] differs from the one that was sent; import it again"
            ),
            Self::MissingSignature => "Missing Signature".to_owned(),
            Self::SignatureMismatch => "Signature VerifyAC Error".to_owned(),
            Self::BadLink => "The link is wrong or has expired; ask for a new one".to_owned(),
            Self::UserNotFound => "User Not Exists".to_owned(),
            Self::TokenNotFound => "Token Not Exists".to_owned(),
            Self::ProjectNotFound(id) => format!("Project [{}] not exists", excerpt(id)),
            Self::AddressDenied => "IP Denied".to_owned(),
            Self::PermissionDenied => "IAM Permission Denied".to_owned(),
            Self::ResourceNotFound(id) => format!("Resource not exist [{}]", excerpt(id)),
            Self::ImageNotAvailable(id) => format!("Image [{id}] is not available"),
            Self::ReshareRefused(id) => {
                format!("Image [{}] is shared with this account and cannot be shared on", excerpt(id))
            }
            Self::TooManyShares(id) => {
                format!("Image [{id}] can be shared with {SHARES_MAX} accounts at most")
            }
            Self::DiskTooLarge(id) => format!("UHost [{id}] disk is larger than an image may be, 1000 GB"),
            // Only the log tells how much space is free.
            Self::StoreFull { instance, needed_bytes } => format!(
                "An image of UHost [{instance}] may need {} MB, and the image store has no room for it; ask the operator",
                needed_bytes.div_ceil(1 << 20)
            ),
            Self::DataFolderFull { needed_bytes } => format!(
                "An import of this file may need {} MB, and the image store has no room for it; ask the operator",
                needed_bytes.div_ceil(1 << 20)
            ),
            Self::FileTooLarge => "The file is larger than an image may be, 1000 GB".to_owned(),
            Self::OverLimit(over) => limit_refusal(over),
            Self::OverUploadShare => {
                "The files that the account has uploaded take up as much room as those of one account may now; wait until \
                 images are made of them, or delete one"
                    .to_owned()
            }
            Self::DiskNotReadable(id, why) => format!("UHost [{id}] cannot be read. {why}"),
            Self::InstanceRunning(id) => format!("UHost [{id}] power state is not available"),
            Self::InstanceMakingImage(id) => format!("UHost [{id}] is making image"),
            Self::Throttled => "Request Throttled".to_owned(),
            Self::UploadBusy(id) => {
                format!("Another upload of the file of image [{id}] is in progress; retry shortly")
            }
            Self::Internal(Internal::Catalog(CatalogError::ReadOnly)) => {
                "The service is read-only now: its data folder cannot be written to".to_owned()
            }
            Self::Internal(_) => "Service Error".to_owned(),
        }
    }

    /// Logs an internal error, whose details clients do not get.
    pub(crate) fn log(&self, request_id: &str, action: Option<&str>) {
        if let Self::Internal(inside) = self {
            tracing::error!(request_id, action, error = inside as &dyn std::error::Error, "request failed");
        }
    }

    /// The invalid parameter, if the error concerns one.
    pub(crate) fn param(&self) -> Option<&str> {
        match self {
            Self::Param(error) => Some(error.name()),
            Self::Decode(error) => error.param(),
            _ => None,
        }
    }

    /// Why a name is refused: an extension of the reply.
    pub(crate) fn name_refusal(&self) -> Option<NameRefusal> {
        match self {
            Self::NameTaken { refusal, .. } => refusal.clone(),
            _ => None,
        }
    }

    /// Refuses an invalid parameter.
    pub(crate) fn not_available(name: &str) -> Self {
        Self::Param(ParamError::NotAvailable(name.to_owned()))
    }
}

impl From<ParamError> for Error {
    fn from(error: ParamError) -> Self {
        Self::Param(error)
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl From<Internal> for Error {
    fn from(error: Internal) -> Self {
        match error {
            Internal::Catalog(CatalogError::Busy) => Self::Throttled,
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
