use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{INSTANCE, NOW, Service, creating, put_container};

const TOKEN: Action = Action::DescribeCompShareJupyterToken;

#[tokio::test]
async fn refusals_have_code_and_message() {
    let service = Service::with(creating()).await;
    let caller = service.caller();
    let container = |state: &str| {
        json!({
            "engine_id": "abc", "state": state, "image": "trainer", "started_at": NOW, "stopped_at": 0, "cpu": 0,
            "memory_mb": 0, "gpus": 0, "published": {}, "address": "",
        })
    };
    put_container(&service, 1, "cpod-stopped", &container("Stopped"), NOW).await;
    put_container(&service, 1, "cpod-runs", &container("Running"), NOW).await;
    let stopped = "UHost [cpod-stopped] power state is not available: Stopped";
    let disk = format!("UHost [{INSTANCE}] power state is not available: Stopped");
    let away = "The container engine does not answer; retry shortly, or ask the operator to look at it";
    for (params, code, message) in [
        (vec![], 210, "Missing params [UHostIds]"),
        (vec![("UHostIds", "")], 210, "Missing params [UHostIds]"),
        (vec![("UHostIds.0", "none")], 8039, "Resource not exist [none]"),
        (vec![("UHostIds.0", INSTANCE)], 8905, &disk),
        (vec![("UHostIds.0", "cpod-stopped")], 8905, stopped),
        (vec![("UHostIds.0", "cpod-runs")], 150, away),
    ] {
        caller.assert_refused(TOKEN, &params, code, message).await;
    }
    caller.assert_project_is_checked(TOKEN, &[("UHostIds.0", "cpod-runs")]).await;
}
