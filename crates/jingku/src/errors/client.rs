//! What a call to the API ends with.

use compshare::actions::Action;
use compshare::{Class, Error, NameRefusal, RetCode};

use super::{Explained, root};
use crate::failure::{Exit, Failure, clause};
use crate::messages::tr;
use crate::wrong_scheme;

impl Explained for Error {
    fn explain(&self) -> (Exit, String) {
        let exit = match (self, self.class()) {
            (Self::Config(_), _) => Exit::Usage,
            (Self::ImageFailed { .. }, _) | (_, Class::FixRequest) => Exit::Refused,
            (_, Class::FixCredentials) => Exit::Credentials,
            (_, Class::LookAgain) => Exit::NotThere,
            (_, Class::AskAgainLater) => Exit::TryAgain,
            (_, Class::ServiceFault) => Exit::Fault,
        };
        (exit, chinese(self))
    }

    fn complete(&self, failure: Failure) -> Failure {
        let failure = Failure {
            ret_code: self.ret_code(),
            request_id: self.request_id().map(str::to_owned),
            unreachable: matches!(self, Self::Connect { .. }),
            ..failure
        };
        if let Some(advice) = scheme_advice(self) {
            // A server answers, and retrying will not help.
            return Failure { exit: Exit::Usage, unreachable: false, ..failure.advise(&advice) };
        }
        let key_limits = self.ret_code().and_then(limits_of_the_key);
        match key_limits.or_else(|| name_advice(self)) {
            Some(advice) => failure.advise(&advice),
            None => failure,
        }
    }
}

fn chinese(error: &Error) -> String {
    match error {
        Error::Api { code, message, request_id, .. } => {
            let code = match request_id {
                None => format!("RetCode {code}"),
                Some(id) => tr!("errors-api-code-and-id", code = code.to_string(), request_id = id),
            };
            let message = clause(message);
            match error.class() {
                Class::FixRequest => tr!("errors-api-fix-request", message, code),
                Class::FixCredentials => tr!("errors-api-fix-credentials", message, code),
                Class::LookAgain => tr!("errors-api-look-again", message, code),
                Class::AskAgainLater => tr!("errors-api-later", message, code),
                Class::ServiceFault => tr!("errors-api-fault", message, code),
            }
        }
        Error::Config(why) => tr!("errors-client-config", error = clause(why)),
        Error::Connect { source, .. } => tr!("errors-client-connect", error = root(source.as_ref())),
        Error::Transport { source, .. } => tr!("errors-client-transport", error = root(source.as_ref())),
        Error::Timeout { after, .. } => tr!("errors-client-timeout", seconds = after.as_secs()),
        Error::Http { status, .. } => tr!("errors-client-http", status),
        Error::Undecodable { reason, .. } => tr!("errors-client-undecodable", error = clause(reason)),
        Error::CannotExport { .. } => tr!("errors-client-cannot-export"),
        Error::CannotImport { .. } => tr!("errors-client-cannot-import"),
        Error::CannotFilter => tr!("errors-client-cannot-filter"),
        Error::ImageFailed { image_id, reason } if reason.is_empty() => {
            tr!("errors-client-image-failed-unknown", id = image_id)
        }
        Error::ImageFailed { image_id, reason } => {
            tr!("errors-client-image-failed", id = image_id, error = clause(reason))
        }
        Error::ImageGone { image_id } => tr!("errors-client-image-gone", id = image_id),
        Error::StillMaking { image_id, after } => {
            tr!("errors-client-still-making", id = image_id, seconds = after.as_secs())
        }
        // The enum may grow.
        other => other.to_string(),
    }
}

fn scheme_advice(error: &Error) -> Option<String> {
    match error {
        Error::Connect { source, .. } | Error::Transport { source, .. } => {
            wrong_scheme::advice(source.as_ref())
        }
        Error::Http { status: 400, .. } => Some(tr!("connection-maybe-tls")),
        _ => None,
    }
}

/// What to do when a valid key pair does not permit the call.
fn limits_of_the_key(code: i64) -> Option<String> {
    match RetCode::from_code(code)? {
        RetCode::AddressDenied => Some(tr!("connection-key-address")),
        RetCode::PermissionDenied => Some(tr!("connection-key-permission")),
        _ => None,
    }
}

/// What to do about the name of an image, if it was refused.
fn name_advice(error: &Error) -> Option<String> {
    let Error::Api { action, code, message, name_refusal, .. } = error else { return None };
    let of_a_name = names_an_image(*action) && message.contains("Name]");
    match name_refusal {
        Some(NameRefusal::Invalid) => Some(tr!("name-invalid", rule = tr!("name-rule"))),
        Some(NameRefusal::Taken(id)) => Some(tr!("name-taken", id)),
        Some(NameRefusal::HeldByUpload(id)) => Some(tr!("name-held-by-upload", id)),
        None if of_a_name && *code == RetCode::MissingParam.code() => {
            Some(tr!("name-empty", rule = tr!("name-rule")))
        }
        // The cloud gives the same answer for both.
        None if of_a_name && *code == RetCode::ParamNotAvailable.code() => {
            Some(tr!("name-invalid-or-taken", rule = tr!("name-rule")))
        }
        None => None,
    }
}

/// Whether an action names an image. Lists have a parameter of the same name.
fn names_an_image(action: Action) -> bool {
    matches!(
        action,
        Action::CreateCompShareCustomImage
            | Action::ImportCompShareCustomImage
            | Action::UpdateCompShareImage
            | Action::CopyCompShareCustomImage
            | Action::SyncCompShareCustomImage
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
