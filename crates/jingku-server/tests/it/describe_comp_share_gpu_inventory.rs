use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{NOW, Service, put_container};

const INVENTORY: Action = Action::DescribeCompShareGpuInventory;

#[tokio::test]
async fn free_gpus_are_counted_by_zone_and_type() {
    let service = Service::with_gpus().await;
    let caller = service.caller();
    let reply = caller.ok(INVENTORY, &[("Region", "cn-wlcb")]).await;
    assert_eq!(reply["GpuInventoryByZone"], json!({ "Exclusive": { "10027": { "4090": 2, "P40": 1 } } }));
    assert_eq!((&reply["UpdateTime"], &reply["SpotUnsupportedGpuTypes"]), (&json!(NOW), &json!([])));
    let container = json!({
        "engine_id": "abc", "state": "Running", "image": "trainer", "started_at": NOW, "stopped_at": 0, "cpu": 0,
        "memory_mb": 0, "gpus": 1, "gpu_devices": ["nvidia.com/gpu=1"], "published": {}, "address": "",
    });
    put_container(&service, 1, "cpod-1", &container, NOW).await;
    let free = json!({ "4090": 1, "P40": 1 });
    let reply = caller.ok(INVENTORY, &[]).await;
    assert_eq!(
        reply["GpuInventoryByZone"]["Exclusive"],
        json!({ "10027": free, "8200": free, "5001": free }),
        "every zone is this machine"
    );
    caller.assert_place_is_checked(INVENTORY, &[]).await;
}

#[tokio::test]
async fn a_machine_without_gpus_always_has_one_of_type_cpu() {
    let reply = Service::start().await.caller().ok(INVENTORY, &[("Zone", "cn-sh2-02")]).await;
    assert_eq!(reply["GpuInventoryByZone"], json!({ "Exclusive": { "8200": { "CPU": 1 } } }));
}

#[tokio::test]
async fn strict_mode_requires_a_region() {
    Service::strict().await.caller().assert_required(INVENTORY, &[], &[("Region", "cn-wlcb")]).await;
}
