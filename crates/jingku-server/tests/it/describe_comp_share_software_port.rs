use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::Service;

const PORTS: Action = Action::DescribeCompShareSoftwarePort;

#[tokio::test]
async fn the_documented_software_is_listed() {
    let service = Service::start().await;
    let caller = service.caller();
    let reply = caller.ok(PORTS, &[]).await;
    let expected = json!([
        {"Software": "JupyterLab", "Port": 8888},
        {"Software": "SSH", "Port": 22},
        {"Software": "FileBrowser", "Port": 443},
    ]);
    assert_eq!(reply["SoftwarePort"], expected);
    caller.assert_project_is_checked(PORTS, &[]).await;
}

#[tokio::test]
async fn strict_mode_requires_a_region() {
    Service::strict().await.caller().assert_required(PORTS, &[], &[("Region", "cn-wlcb")]).await;
}
