use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{INSTANCE, NOW, Service, put_container};

const PRICE: Action = Action::GetCompShareInstanceUpgradePrice;

#[tokio::test]
async fn only_more_gpus_cost_more() {
    let service = Service::with_gpus().await;
    let container = json!({
        "engine_id": "abc", "state": "Running", "image": "trainer", "started_at": NOW, "stopped_at": 0, "cpu": 0,
        "memory_mb": 0, "gpus": 1, "published": {}, "address": "",
    });
    put_container(&service, 1, "cpod-1", &container, NOW).await;
    let caller = service.caller();
    for (id, name, gpus, price) in [
        ("cpod-1", "GPU", "2", 1.88),
        ("cpod-1", "Gpu", "3", 3.76),
        ("cpod-1", "GPU", "1", 0.0),
        ("cpod-1", "CPU", "64", 0.0),
        (INSTANCE, "Gpu", "2", 1.88),
    ] {
        let reply = caller.ok(PRICE, &[("UHostId", id), (name, gpus)]).await;
        for field in ["Price", "OriginalPrice", "ListPrice"] {
            assert!(reply[field].is_f64() && reply[field] == price, "{id} {name} {gpus}: {reply}");
        }
    }
}

#[tokio::test]
async fn refusals_have_code_and_message() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = ("UHostId", INSTANCE);
    for (params, code, message) in [
        (vec![], 210, "Missing params [UHostId]"),
        (vec![("UHostId", "none")], 8039, "Resource not exist [none]"),
        (vec![id, ("GPU", "x")], 230, "Params [GPU] not available"),
        (vec![id, ("Memory", "99999999999")], 230, "Params [Memory] not available"),
        (vec![id, ("Zone", "cn-sh2-02")], 230, "Params [Zone] not available"),
        (vec![("UHostId.0", INSTANCE)], 230, "Params [UHostId] not available"),
    ] {
        caller.assert_refused(PRICE, &params, code, message).await;
    }
    caller.assert_place_is_checked(PRICE, &[id]).await;
}

#[tokio::test]
async fn strict_mode_requires_region_and_zone() {
    let place = [("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")];
    Service::strict().await.caller().assert_required(PRICE, &[("UHostId", INSTANCE)], &place).await;
}
