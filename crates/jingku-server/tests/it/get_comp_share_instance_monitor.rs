use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{INSTANCE, NOW, Service, creating, put_container};

const MONITOR: Action = Action::GetCompShareInstanceMonitor;

/// The figures of real engines have tests of their own.
#[tokio::test]
async fn what_is_not_measured_has_no_entry() {
    let service = Service::with(creating()).await;
    let caller = service.caller();
    let container = json!({
        "engine_id": "abc", "state": "Running", "image": "trainer", "started_at": NOW, "stopped_at": 0, "cpu": 0,
        "memory_mb": 0, "gpus": 0, "published": {}, "address": "",
    });
    put_container(&service, 1, "cpod-1", &container, NOW).await;
    let nothing = json!({ "List": [], "PodList": [] });
    for params in [
        vec![],
        vec![("UHostIds.0", INSTANCE), ("UHostIds.1", "none"), ("UHostIds.2", "cpod-1")],
        vec![("UHostIds.0", "cpod-1"), ("StartTime", "1"), ("EndTime", "2")],
    ] {
        assert_eq!(caller.ok(MONITOR, &params).await["Data"], nothing, "{params:?}");
    }
}

#[tokio::test]
async fn refusals_have_code_and_message() {
    let caller = Service::start().await.caller();
    let ids: Vec<_> = (0..11).map(|index| (format!("UHostIds.{index}"), "x")).collect();
    let ids: Vec<_> = ids.iter().map(|(name, id)| (name.as_str(), *id)).collect();
    caller.assert_refused(MONITOR, &ids, 230, "Params [UHostIds] not available").await;
    caller.assert_place_is_checked(MONITOR, &[]).await;
}

#[tokio::test]
async fn strict_mode_requires_a_region() {
    Service::strict().await.caller().assert_required(MONITOR, &[], &[("Region", "cn-wlcb")]).await;
}
