//! Why an operation failed, for the log and for the owner of the pod.

use jingku_engine::EngineError;

use crate::error::Internal;

#[derive(Debug, thiserror::Error)]
pub(super) enum PodError {
    /// The engine cannot be reached now. The operation is tried again for a while.
    #[error(transparent)]
    Away(EngineError),
    #[error(transparent)]
    Engine(EngineError),
    #[error("the image cannot be loaded into the engine: {0}")]
    Load(EngineError),
    #[error("the image is gone, or the account does not see it any more")]
    ImageGone,
    /// Its command ends, or fails, as soon as it is started.
    #[error("the command of the container ended at once with code {0}")]
    Ended(i64),
    /// The container has none of the GPUs that were asked for.
    #[error("the engine gives no GPUs by CDI name")]
    NoCdi,
    /// A container of the name exists that is not the pod's.
    #[error("the engine has another container of this name")]
    NameTaken,
    #[error("the operation took longer than it may")]
    Overdue,
    #[error(transparent)]
    Inside(#[from] Internal),
}

impl From<EngineError> for PodError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Away(_) | EngineError::Address { .. } => Self::Away(error),
            error => Self::Engine(error),
        }
    }
}

impl From<jingku_catalog::CatalogError> for PodError {
    fn from(error: jingku_catalog::CatalogError) -> Self {
        Self::Inside(error.into())
    }
}

impl PodError {
    /// What the owner of the pod reads: advice without details of the host, such as paths.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Away(_) => {
                "The container engine does not answer. Ask the operator to look at it, then try again."
            }
            Self::Engine(EngineError::NotFound(_)) => {
                "The container does not exist any more. Stop the instance, then start or reinstall it."
            }
            Self::Engine(EngineError::Slow) | Self::Overdue => {
                "The container engine took too long. Try again; if that fails too, ask the operator to look at the \
                 server's log."
            }
            Self::Engine(EngineError::Failed(why)) if why.contains("address already in use") => {
                "Another program of the host uses a port of the instance. Ask the operator to free it, or create \
                 another instance."
            }
            Self::Engine(EngineError::Failed(why)) if why.contains("\"cdi\"") || why.contains("CDI") => {
                return Self::NoCdi.reason();
            }
            Self::Engine(EngineError::Unsupported) => {
                "The container engine cannot do this with an existing container. Make an image of the instance, and \
                 create another instance from it."
            }
            Self::Engine(_) => {
                "The container engine reports an error. Ask the operator to look at the server's log, then try again."
            }
            Self::Load(_) => {
                "The container engine could not load the image. Ask the operator to look at the server's log, then try \
                 again."
            }
            Self::ImageGone => {
                "The image was deleted or is not visible to the account any more. Reinstall the instance with another."
            }
            Self::Ended(code) => {
                return format!(
                    "The command of the image ended at once with code {code}. An instance needs an image whose command \
                     keeps running, such as an SSH server."
                );
            }
            Self::NoCdi => {
                "The container engine cannot give GPUs by their CDI names. Ask the operator to install Docker 25 or \
                 later with CDI enabled."
            }
            Self::NameTaken => {
                "The engine has another container with the name of this instance. Ask the operator to remove it."
            }
            Self::Inside(_) => "The service failed. Ask the operator to look at the server's log, then try again.",
        }
        .to_owned()
    }
}
