//! What a call to the API ends with.

use compshare::{Class, Error};

use super::{Localized, clause, root};
use crate::messages::tr;

impl Localized for Error {
    fn chinese(&self) -> String {
        match self {
            Self::Api { code, message, request_id, .. } => {
                let code = match request_id {
                    None => format!("RetCode {code}"),
                    Some(id) => tr!("errors-api-code-and-id", code = code.to_string(), request_id = id),
                };
                refusal(self.class(), clause(message), code)
            }
            Self::Config(why) => tr!("errors-client-config", error = clause(why)),
            Self::Connect { source, .. } => tr!("errors-client-connect", error = root(source.as_ref())),
            Self::Transport { source, .. } => tr!("errors-client-transport", error = root(source.as_ref())),
            Self::Timeout { after, .. } => tr!("errors-client-timeout", seconds = after.as_secs()),
            Self::Http { status, .. } => tr!("errors-client-http", status = *status),
            Self::Undecodable { reason, .. } => tr!("errors-client-undecodable", error = clause(reason)),
            Self::CannotExport { .. } => tr!("errors-client-cannot-export"),
            Self::CannotImport { .. } => tr!("errors-client-cannot-import"),
            Self::CannotFilter => tr!("errors-client-cannot-filter"),
            Self::ImageFailed { image_id, reason } if reason.is_empty() => {
                tr!("errors-client-image-failed-unknown", id = image_id)
            }
            Self::ImageFailed { image_id, reason } => {
                tr!("errors-client-image-failed", id = image_id, error = clause(reason))
            }
            Self::ImageGone { image_id } => tr!("errors-client-image-gone", id = image_id),
            Self::StillMaking { image_id, after } => {
                tr!("errors-client-still-making", id = image_id, seconds = after.as_secs())
            }
            // The enum may grow.
            other => other.to_string(),
        }
    }
}

/// A refusal and what to do about it. `code` names it in the server's log.
fn refusal(class: Class, message: String, code: String) -> String {
    match class {
        Class::FixRequest => tr!("errors-api-fix-request", message = message, code = code),
        Class::FixCredentials => tr!("errors-api-fix-credentials", message = message, code = code),
        Class::LookAgain => tr!("errors-api-look-again", message = message, code = code),
        Class::AskAgainLater => tr!("errors-api-later", message = message, code = code),
        Class::ServiceFault => tr!("errors-api-fault", message = message, code = code),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use compshare::actions::Action;

    use super::super::tests::assert_one_stop;
    use super::*;

    #[test]
    fn a_sentence_ends_once() {
        let action = Action::GetRegion;
        let text = || "A sentence of the server. ".to_owned();
        let cause = || -> compshare::Cause { "It broke.".into() };
        let after = Duration::from_secs(1);
        let image_id = || "compshareImage-1".to_owned();
        for error in [
            Error::Config(text()),
            Error::Connect { action, source: cause() },
            Error::Transport { action, source: cause() },
            Error::Timeout { action, after },
            Error::Http { action, status: 500, excerpt: text(), request_id: None },
            Error::Undecodable { action, reason: text(), excerpt: text(), request_id: None },
            Error::Api { action, code: 230, message: text(), name_refusal: None, request_id: None },
            Error::CannotExport { request_id: None },
            Error::CannotImport { request_id: None },
            Error::CannotFilter,
            Error::ImageFailed { image_id: image_id(), reason: text() },
            Error::ImageFailed { image_id: image_id(), reason: String::new() },
            Error::ImageGone { image_id: image_id() },
            Error::StillMaking { image_id: image_id(), after },
        ] {
            assert_one_stop(&error);
        }
    }
}
