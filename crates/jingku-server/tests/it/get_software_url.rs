use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{INSTANCE, NOW, Service, creating, put_container};

const URL: Action = Action::GetSoftwareUrl;

fn container(state: &str) -> Value {
    json!({
        "engine_id": "abc", "state": state, "image": "trainer", "started_at": NOW, "stopped_at": 0, "cpu": 0,
        "memory_mb": 0, "gpus": 0, "address": "",
        "published": { "22/tcp": ["::1", 2201], "443/tcp": ["0.0.0.0", 4431], "8888/udp": ["0.0.0.0", 8801] },
    })
}

#[tokio::test]
async fn a_url_names_the_published_port() {
    let service = Service::with(creating()).await;
    service.context.set_base_url("http://gpu-1.example.com:8480");
    put_container(&service, 1, "cpod-1", &container("Running"), NOW).await;
    let caller = service.caller();
    let params = [("UHostId", "cpod-1"), ("Software", "FileBrowser")];
    assert_eq!(caller.ok(URL, &params).await["URL"], "http://gpu-1.example.com:4431/");
    let params = [("UHostId", "cpod-1"), ("Software", "SSH")];
    assert_eq!(caller.ok(URL, &params).await["URL"], "http://[::1]:2201/");
}

#[tokio::test]
async fn refusals_have_code_and_message() {
    let service = Service::with(creating()).await;
    put_container(&service, 1, "cpod-runs", &container("Running"), NOW).await;
    put_container(&service, 1, "cpod-stopped", &container("Stopped"), NOW).await;
    let caller = service.caller();
    let software = ("Software", "JupyterLab");
    let disk = format!("UHost [{INSTANCE}] power state is not available: Stopped");
    for (params, code, message) in [
        (vec![software], 210, "Missing params [UHostId]"),
        (vec![("UHostId", "cpod-runs")], 210, "Missing params [Software]"),
        (vec![("UHostId", "none"), software], 8039, "Resource not exist [none]"),
        (vec![("UHostId", INSTANCE), software], 8905, &disk),
        (
            vec![("UHostId", "cpod-stopped"), software],
            8905,
            "UHost [cpod-stopped] power state is not available: Stopped",
        ),
        // Its port is not published.
        (vec![("UHostId", "cpod-runs"), software], 230, "Params [Software] not available"),
        (vec![("UHostId", "cpod-runs"), ("Software", "Nope")], 230, "Params [Software] not available"),
    ] {
        caller.assert_refused(URL, &params, code, message).await;
    }
    caller.assert_place_is_checked(URL, &[("UHostId", "cpod-runs"), ("Software", "SSH")]).await;
}
