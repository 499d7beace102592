//! Everything an action can refuse, grouped by what the caller must do. Codes and texts: docs/wire/errors.md.

use jingku_catalog::{CatalogError, OverLimit};
use jingku_library::{Internal, SHARES_MAX, limit_refusal};
use jingku_protocol::{DecodeError, NameRefusal, ParamError, RetCode, excerpt};
use tokio::task::JoinError;

/// Why a request is not carried out.
#[derive(Debug)]
pub enum Error {
    // Fix the request.
    /// The request cannot be read.
    Decode(DecodeError),
    /// The body is larger than `MAX_BODY_BYTES`.
    BodyTooLarge,
    /// The body did not arrive in time or broke off.
    BodyIncomplete,
    /// No `Action`.
    MissingAction,
    /// An `Action` that does not exist.
    ActionNotFound(String),
    /// A parameter is missing or cannot be used.
    Param(ParamError),
    /// A parameter is a name that an image of the account has.
    NameTaken {
        /// The parameter.
        param: &'static str,
        /// Which image, unless it has just gone.
        refusal: Option<NameRefusal>,
    },
    /// Another version of the group has the name.
    VersionTaken(String),
    /// Bytes of an upload that do not begin where what has come ends, or its end before all has come.
    UploadOffset {
        /// The image.
        image_id: String,
        /// How many bytes have come.
        offset: u64,
    },
    /// More bytes than the file was to have, or than a file may have.
    UploadTooLong {
        /// The image.
        image_id: String,
        /// How many it may have.
        size_bytes: u64,
    },
    /// What has come is not what was sent.
    UploadDiffers(String),

    // Fix the credentials.
    /// No `Signature`.
    MissingSignature,
    /// The signature is not that of the parameters.
    SignatureMismatch,
    /// A link that was made up, changed, or has ended.
    BadLink,
    /// No such public key.
    UserNotFound,
    /// No such `SecurityToken`; none are given out.
    TokenNotFound,
    /// A project the account does not have.
    ProjectNotFound(String),
    /// The key is not good from where the request came from.
    AddressDenied,
    /// The key is limited to reading and the action is not.
    PermissionDenied,

    // Look again.
    /// Not there, or not for the caller to see: the same answer.
    ResourceNotFound(String),
    /// The image is not `Available`.
    ImageNotAvailable(String),
    /// Another account shares the image with the caller, who cannot share it on.
    ReshareRefused(String),
    /// The image would be shared with more accounts than `SHARES_MAX`.
    TooManyShares(String),
    /// The instance's disk is larger than an image may be.
    DiskTooLarge(String),
    /// The store may not have room for an image of this instance.
    NoRoom {
        /// The instance.
        instance: String,
        /// What may be needed, in bytes.
        needed_bytes: u64,
    },
    /// The data folder may not have room for a file, or has none for the rest of it.
    NoRoomForFile {
        /// What may be needed, in bytes.
        needed_bytes: u64,
    },
    /// The file is larger than an image may be.
    FileTooLarge,
    /// The account has as much as it may.
    OverLimit(OverLimit),
    /// The uploaded files of the account take up its share of the room.
    OverUploadShare,
    /// The instance's disk cannot be read as it was declared; the text says why.
    DiskNotReadable(String, &'static str),
    /// A virtual machine runs on the disk.
    InstanceRunning(String),

    // Ask again later.
    /// An image is being made of the instance already.
    InstanceMakingImage(String),
    /// As many exports or uploads as the service bears at once are running.
    Throttled,
    /// Another connection sends bytes of the upload, or the server reads what has come.
    UploadBusy(String),

    // Our fault.
    /// Details are for the log, never for the caller.
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
            | Self::NoRoom { .. }
            | Self::NoRoomForFile { .. }
            | Self::FileTooLarge
            | Self::OverLimit(_)
            | Self::OverUploadShare => RetCode::QuotaExceeded,
            Self::DiskNotReadable(..) | Self::InstanceRunning(_) => RetCode::InstanceState,
            Self::InstanceMakingImage(_) => RetCode::InstanceMakingImage,
            Self::Throttled | Self::UploadBusy(_) => RetCode::Throttled,
            Self::Internal(_) => RetCode::ServiceError,
        }
    }

    /// The text on the wire.
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
            // The cloud says the same of a name that cannot be one.
            Self::NameTaken { param, .. } => ParamError::NotAvailable((*param).to_owned()).to_string(),
            Self::VersionTaken(name) => format!("Version [{}] already exists", excerpt(name)),
            Self::UploadOffset { image_id, offset } => {
                format!("Of the file of image [{image_id}] {offset} bytes have come; go on there")
            }
            Self::UploadTooLong { image_id, size_bytes } => {
                format!("The file of image [{image_id}] can have {size_bytes} bytes at most")
            }
            Self::UploadDiffers(image_id) => format!(
                "What has come of the file of image [{image_id}] is not what was sent, so no image is made of it; \
                 import the file again"
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
            // How much is free is the operator's to know: the log has it.
            Self::NoRoom { instance, needed_bytes } => format!(
                "An image of UHost [{instance}] may need {} MB, and the image store has no room for it; ask the operator",
                needed_bytes.div_ceil(1 << 20)
            ),
            Self::NoRoomForFile { needed_bytes } => format!(
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
                format!("Another connection is at the file of image [{id}]; look again in a moment")
            }
            Self::Internal(Internal::Catalog(CatalogError::ReadOnly)) => {
                "The service is read-only now: its data folder cannot be written to".to_owned()
            }
            Self::Internal(_) => "Service Error".to_owned(),
        }
    }

    /// The parameter that is to blame, if one is.
    pub(crate) fn param(&self) -> Option<&str> {
        match self {
            Self::Param(error) => Some(error.name()),
            Self::Decode(error) => error.param(),
            _ => None,
        }
    }

    /// What is wrong with a name, for the members of the reply that only Jingku sends.
    pub(crate) fn name_refusal(&self) -> Option<NameRefusal> {
        match self {
            Self::NameTaken { refusal, .. } => refusal.clone(),
            _ => None,
        }
    }

    /// A parameter that cannot be used.
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
