use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jingku_catalog::PodState;
use jingku_protocol::actions::Action;

use crate::support::{Service, creating};

const RESET: Action = Action::ResetCompShareInstancePassword;

#[tokio::test]
async fn refusals_have_code_and_message() {
    let service = Service::with(creating()).await;
    let caller = service.caller();
    let id = service.pod_in(PodState::Stopped).await;
    let password = BASE64_STANDARD.encode("n3w-secret");
    caller.assert_refused(RESET, &[("UHostId", &id)], 210, "Missing params [Password]").await;
    let params = [("UHostId", &*id), ("Password", &password)];
    let stopped = format!("The password of UHost [{id}] can be changed only while it runs: Stopped");
    caller.assert_refused(RESET, &params, 8433, &stopped).await;
    let bad = "Params [Password] not available: 8 to 32 letters, digits and signs, of at least two of the kinds, as Base64";
    for text in ["n3w-secret!", &BASE64_STANDARD.encode("short1"), &BASE64_STANDARD.encode("a1\nroot:evil")] {
        caller.assert_refused(RESET, &[("UHostId", &id), ("Password", text)], 8314, bad).await;
    }
    caller.assert_place_is_checked(RESET, &params).await;
    caller.ok(Action::StartCompShareInstance, &[("UHostId", &id)]).await;
    assert_eq!(caller.refusal(RESET, &params).await.0, 8903);
}

#[tokio::test]
async fn an_engine_that_does_not_answer_changes_nothing() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Running).await);
    let row = async || caller.ok(Action::DescribeCompShareInstance, &[("UHostIds.0", &id)]).await;
    let before = row().await;
    let params = [("UHostId", &*id), ("Password", &BASE64_STANDARD.encode("n3w-secret"))];
    let away = "The container engine does not answer; retry shortly, or ask the operator to look at it";
    caller.assert_refused(RESET, &params, 150, away).await;
    assert_eq!(row().await, before);
}
