//! Advice when the name of an image was refused.

use compshare::actions::Action;
use compshare::{Error, NameRefusal, RetCode};

use crate::messages::tr;

/// What to do about the name, if it was refused.
pub(super) fn advice(error: &Error) -> Option<String> {
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
