use std::time::Duration;

use jingku_protocol::actions::Action;
use jingku_protocol::{Class, NameRefusal, RetCode};

use crate::class::class_of;

/// What the network library reported.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a call did not succeed. Its text is a sentence for people. Of the request it holds the action's name alone,
/// so no key and no signature; an excerpt is the server's own words.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration cannot be used; nothing was sent.
    #[error("The client cannot be set up: {}.", without_stop(.0))]
    Config(String),

    /// No connection could be made, so the request was not sent.
    #[error("Cannot connect to send {}: {}.", .action.name(), root(source.as_ref()))]
    Connect {
        /// What was called.
        action: Action,
        /// What the network library reported.
        source: Cause,
    },

    /// The connection broke after the request may have been sent; what became of it is unknown.
    #[error("The connection broke during {}: {}.", .action.name(), root(source.as_ref()))]
    Transport {
        /// What was called.
        action: Action,
        /// What the network library reported.
        source: Cause,
    },

    /// No whole answer in time; what became of the request is unknown.
    #[error("{} was not answered within {after:?}.", .action.name())]
    Timeout {
        /// What was called.
        action: Action,
        /// The limit, [`Config::timeout`](crate::Config::timeout).
        after: Duration,
    },

    /// An HTTP status other than 200, which the API itself never answers with: a proxy, or not this API at all.
    #[error("{} was answered with HTTP status {status}; the reply starts with {excerpt:?}.", .action.name())]
    Http {
        /// What was called.
        action: Action,
        /// The status.
        status: u16,
        /// How the body starts.
        excerpt: String,
        /// Names the call in the server's logs.
        request_id: Option<String>,
    },

    /// A reply that is not what the action answers with.
    #[error("The reply to {} cannot be used: {}; it starts with {excerpt:?}.", .action.name(), without_stop(reason))]
    Undecodable {
        /// What was called.
        action: Action,
        /// What is wrong with it.
        reason: String,
        /// How it starts.
        excerpt: String,
        /// Names the call in the server's logs.
        request_id: Option<String>,
    },

    /// The server refused the request.
    #[error("{} was refused: {} (RetCode {code}{}).", .action.name(), or_unknown(message), in_logs(request_id.as_deref()))]
    Api {
        /// What was called.
        action: Action,
        /// The `RetCode`.
        code: i64,
        /// The `Message`.
        message: String,
        /// What is wrong with a name, when a name was refused and the server says it: Jingku does, the cloud does not.
        name_refusal: Option<NameRefusal>,
        /// Names the call in the server's logs.
        request_id: Option<String>,
    },

    /// The server does not know the export action, which is an extension of Jingku.
    #[error(
        "This endpoint cannot give image bytes: exporting is an extension of Jingku that it does not know."
    )]
    CannotExport {
        /// Names the call in the server's logs.
        request_id: Option<String>,
    },

    /// The server does not know the import action, which is an extension of Jingku.
    #[error("This endpoint cannot take a file: importing is an extension of Jingku that it does not know.")]
    CannotImport {
        /// Names the call in the server's logs.
        request_id: Option<String>,
    },

    /// The server does not filter and sort lists: doing so is an extension of Jingku.
    #[error("This server does not filter and sort lists of images: only Jingku does.")]
    CannotFilter,

    /// The image that was waited for could not be made.
    #[error("Image {image_id} could not be made: {}.", or_unknown(reason))]
    ImageFailed {
        /// The image.
        image_id: String,
        /// The server's reason; empty when it gave none.
        reason: String,
    },

    /// The image that was waited for does not exist, or not any more.
    #[error("Image {image_id} does not exist, or not any more.")]
    ImageGone {
        /// The image.
        image_id: String,
    },

    /// The image that was waited for is still being made.
    #[error("Image {image_id} is still being made after {after:?}; wait for it again.")]
    StillMaking {
        /// The image.
        image_id: String,
        /// How long it was waited for.
        after: Duration,
    },
}

impl Error {
    /// What the caller should do.
    pub fn class(&self) -> Class {
        match self {
            Self::Config(_) | Self::CannotExport { .. } | Self::CannotImport { .. } | Self::CannotFilter => {
                Class::FixRequest
            }
            Self::Connect { .. }
            | Self::Transport { .. }
            | Self::Timeout { .. }
            | Self::StillMaking { .. } => Class::AskAgainLater,
            Self::Http { status, .. } => class_of_status(*status),
            Self::Undecodable { .. } => Class::ServiceFault,
            Self::Api { code, .. } => class_of(*code),
            Self::ImageFailed { .. } | Self::ImageGone { .. } => Class::LookAgain,
        }
    }

    /// Whether the same call may succeed later. If the action is not safe to repeat, first check what the call did.
    pub fn is_retryable(&self) -> bool {
        self.class() == Class::AskAgainLater
    }

    /// The `RetCode`, if the server answered with one.
    pub fn ret_code(&self) -> Option<i64> {
        match self {
            Self::Api { code, .. } => Some(*code),
            Self::CannotExport { .. } | Self::CannotImport { .. } => Some(RetCode::ActionNotFound.code()),
            _ => None,
        }
    }

    /// The name of the call in the server's logs, if the server answered.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Http { request_id, .. }
            | Self::Undecodable { request_id, .. }
            | Self::Api { request_id, .. }
            | Self::CannotExport { request_id }
            | Self::CannotImport { request_id } => request_id.as_deref(),
            _ => None,
        }
    }
}

fn class_of_status(status: u16) -> Class {
    match status {
        429 | 502..=504 => Class::AskAgainLater,
        401 | 403 | 407 => Class::FixCredentials,
        500.. => Class::ServiceFault,
        _ => Class::FixRequest,
    }
}

/// The end of a chain of causes, which alone says what happened: `Connection refused (os error 111)`.
pub(crate) fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let last = std::iter::successors(Some(error), |error| error.source()).last();
    without_stop(&last.unwrap_or(error).to_string()).to_owned()
}

fn in_logs(request_id: Option<&str>) -> String {
    request_id.map(|id| format!(", request {id}")).unwrap_or_default()
}

/// A text may be a whole sentence, and the message that quotes it continues or has its own full stop.
fn without_stop(text: &str) -> &str {
    text.trim_end().trim_end_matches(['.', '。'])
}

fn or_unknown(reason: &str) -> &str {
    let reason = without_stop(reason);
    if reason.is_empty() { "the server gave no reason" } else { reason }
}
