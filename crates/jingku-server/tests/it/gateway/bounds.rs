//! Every text parameter of every action has a maximum length. A longer text is refused by name.

use jingku_protocol::actions::Action;
use jingku_protocol::{Kind, Params};

use super::shapes::{name_in_error, sample};
use crate::support::{NOW, Service};

/// More than any text may have, except a cover and a readme.
const LONG_BYTES: usize = 5000;
/// More than a cover or a readme may have.
const LONGEST_BYTES: usize = 2 << 20;

#[tokio::test]
async fn every_text_parameter_has_a_maximum_length() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW)]).await;
    let before = caller.everything().await;
    for action in Action::ALL {
        let parameters = action.parameters();
        for (name, kind) in &parameters.names {
            if matches!(kind, Kind::Unread | Kind::Objects) {
                continue;
            }
            let bytes = if matches!(name.as_str(), "Cover" | "Readme") { LONGEST_BYTES } else { LONG_BYTES };
            let sent = name.replace(".N.", ".0.") + if *kind == Kind::List { ".0" } else { "" };
            // Digits, so that only the length is invalid for a number.
            let mut params = Params::for_action(action.name()).text(&sent, Some(&"1".repeat(bytes)));
            for (required, value) in sample(*action).iter().filter(|(required, _)| required != name) {
                params = params.text(required, Some(value));
            }
            let refusal = caller.post(&caller.sign(params)).await.refusal();
            let plain = name.replace(".N.", ".0.");
            let named = name_in_error(&plain);
            assert_eq!(refusal, (230, format!("Params [{named}] not available")), "{action:?} {name}");
        }
    }
    assert_eq!(caller.everything().await, before);
}

/// The gateway's own parameters have other errors, which contain only an excerpt of a long text.
#[tokio::test]
async fn gateway_errors_do_not_echo_long_texts() {
    let service = Service::start().await;
    let caller = service.caller();
    let long = "x".repeat(LONGEST_BYTES);
    let list = Action::DescribeCompShareCustomImages;
    let excerpt = format!("{}…", "x".repeat(64));
    let action = caller.post(&caller.sign(Params::for_action(&long))).await.refusal();
    assert_eq!(action, (161, format!("Action [{excerpt}] not found")));
    let project = caller.refusal(list, &[("ProjectId", &long)]).await;
    assert_eq!(project, (292, format!("Project [{excerpt}] not exists")));
    assert_eq!(caller.refusal(list, &[("SecurityToken", &long)]).await, (174, "Token Not Exists".to_owned()));
    let mut signed = caller.sign(Params::for_action(list.name()));
    signed = signed.text("Signature", Some(&long));
    assert_eq!(caller.post(&signed).await.refusal(), (171, "Signature VerifyAC Error".to_owned()));
    signed = signed.text("PublicKey", Some(&long));
    assert_eq!(caller.post(&signed).await.refusal(), (172, "User Not Exists".to_owned()));
}
