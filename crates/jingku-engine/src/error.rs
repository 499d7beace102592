//! Errors of an engine, by what can be done about them.

/// The longest message of an engine that is passed on, in characters.
const MESSAGE_CHARS_MAX: usize = 500;

/// Why an engine did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The address of the engine cannot be used.
    #[error("{url:?} is not the address of an engine: write unix:///PATH/TO/SOCKET")]
    Address {
        /// The address.
        url: String,
    },
    /// The engine cannot be reached, or its answer broke off.
    #[error("the engine does not answer: {0}")]
    Away(String),
    /// The engine took too long.
    #[error("the engine did not answer in time")]
    Slow,
    /// The container or image does not exist.
    #[error("the engine has no such container: {0}")]
    NotFound(String),
    /// The container is in a state in which this cannot be done.
    #[error("the engine refuses: {0}")]
    Conflict(String),
    /// The container ended a moment ago, and the engine has not cleaned up after it.
    #[error("the container is ending")]
    Ending,
    /// The engine does not have the call.
    #[error("the engine cannot do that")]
    Unsupported,
    /// Anything else.
    #[error("the engine failed: {0}")]
    Failed(String),
}

impl From<bollard::errors::Error> for EngineError {
    fn from(error: bollard::errors::Error) -> Self {
        use bollard::errors::Error;
        match error {
            Error::DockerResponseServerError { status_code, message } => {
                let message = shortened(&message);
                match status_code {
                    404 => Self::NotFound(message),
                    // Podman, about a container that is removed during the call.
                    500 if message.contains("no such container") => Self::NotFound(message),
                    409 => Self::Conflict(message),
                    _ => Self::Failed(message),
                }
            }
            Error::RequestTimeoutError => Self::Slow,
            // A state that only Podman has, and that the Docker Engine API does not know.
            error if error.to_string().contains("unknown variant `stopped`") => Self::Ending,
            Error::DockerStreamError { error } => Self::Failed(shortened(&error)),
            error @ (Error::HyperResponseError { .. }
            | Error::HyperLegacyError { .. }
            | Error::IOError { .. }
            | Error::SocketNotFoundError(_)) => Self::Away(shortened(&error.to_string())),
            error => Self::Failed(shortened(&error.to_string())),
        }
    }
}

fn shortened(message: &str) -> String {
    message.chars().take(MESSAGE_CHARS_MAX).collect()
}
