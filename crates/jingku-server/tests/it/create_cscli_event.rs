use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::Service;

const EVENT: Action = Action::CreateCscliEvent;

#[tokio::test]
async fn telemetry_is_accepted_and_discarded() {
    let service = Service::start().await;
    let caller = service.caller();
    let before = caller.everything().await;
    let params = [
        ("Command", "image.tags"),
        ("CLIVersion", "0.5.6"),
        ("OS", "linux"),
        ("OccurredAt", "2026-08-10T00:00:00Z"),
        ("Region", "moon"),
    ];
    for params in [&params[..], &[]] {
        let reply = caller.ok(EVENT, params).await;
        assert_eq!(reply, json!({"Action": "CreateCSCLIEventResponse", "RetCode": 0}));
    }
    assert_eq!(caller.everything().await, before);
    caller.assert_project_is_checked(EVENT, &params).await;
}

#[tokio::test]
async fn strict_mode_requires_no_place() {
    Service::strict().await.caller().ok(EVENT, &[]).await;
}
