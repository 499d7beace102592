use jingku_catalog::PodState;
use jingku_protocol::actions::Action;

use crate::support::{INSTANCE, Service, creating};

const RENAME: Action = Action::ModifyCompShareInstanceName;

#[tokio::test]
async fn an_instance_is_renamed_in_any_state() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Stopped).await);
    for name in ["train-a", "训练_1.2,3:4", &"长".repeat(63), "train-a", "train-a"] {
        assert_eq!(caller.ok(RENAME, &[("UHostId", &id), ("Name", name)]).await["UHostId"], id);
        let reply = caller.ok(Action::DescribeCompShareInstance, &[("UHostIds.0", &id)]).await;
        assert_eq!(reply["UHostSet"][0]["Name"], *name);
    }
    caller.ok(Action::StartCompShareInstance, &[("UHostId", &id)]).await;
    caller.ok(RENAME, &[("UHostId", &id), ("Name", "while-starting")]).await;
}

#[tokio::test]
async fn refusals_have_code_and_message() {
    let service = Service::with(creating()).await;
    let (caller, id) = (service.caller(), service.pod_in(PodState::Running).await);
    let id = ("UHostId", &*id);
    let long = "x".repeat(64);
    for (params, code, message) in [
        (vec![], 210, "Missing params [UHostId]"),
        (vec![id], 210, "Missing params [Name]"),
        (vec![id, ("Name", "")], 210, "Missing params [Name]"),
        (vec![id, ("Name", "a b")], 230, "Params [Name] not available"),
        (vec![id, ("Name", &long)], 230, "Params [Name] not available"),
        (vec![("UHostId", "none"), ("Name", "a")], 8039, "Resource not exist [none]"),
    ] {
        caller.assert_refused(RENAME, &params, code, message).await;
    }
    let declared = caller.refusal(RENAME, &[("UHostId", INSTANCE), ("Name", "a")]).await;
    assert_eq!(declared.0, 8905, "{declared:?}");
    caller.assert_place_is_checked(RENAME, &[id, ("Name", "a")]).await;
}

#[tokio::test]
async fn nothing_changes_unless_the_operator_allows_it() {
    let refusal =
        Service::start().await.caller().refusal(RENAME, &[("UHostId", INSTANCE), ("Name", "a")]).await;
    assert!(refusal.0 == 299 && refusal.1.contains("create = true"), "{refusal:?}");
}
