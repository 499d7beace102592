use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{Caller, NOW, Service, put_container};

const CAPACITY: Action = Action::CheckCompShareResourceCapacity;

async fn specs(caller: &Caller, gpu_type: &str) -> Vec<Value> {
    let mut reply = caller.ok(CAPACITY, &[("GpuType", gpu_type)]).await;
    serde_json::from_value(reply["Specs"].take()).unwrap()
}

fn container(state: &str, gpus: &[&str]) -> Value {
    json!({
        "engine_id": "abc", "state": state, "image": "trainer", "started_at": NOW, "stopped_at": 0, "cpu": 0,
        "memory_mb": 0, "gpus": gpus.len(), "gpu_devices": gpus, "published": {}, "address": "",
    })
}

/// As the official CLI sends them.
const CREATE: [(&str, &str); 10] = [
    ("Region", "cn-wlcb"),
    ("Zone", "cn-wlcb-01"),
    ("GpuType", "4090"),
    ("MachineType", "G"),
    ("MinimalCpuPlatform", "Auto"),
    ("CompShareImageId", "compshareImage-1"),
    ("ChargeType", "Postpay"),
    ("Disks.0.IsBoot", "true"),
    ("Disks.0.Type", "CLOUD_SSD"),
    ("Disks.0.Size", "100"),
];

#[tokio::test]
async fn every_size_is_listed_the_largest_with_one_gpu_first() {
    let service = Service::with_gpus().await;
    let caller = service.caller();
    let reply = caller.ok(CAPACITY, &CREATE).await;
    let specs = reply["Specs"].as_array().unwrap();
    assert_eq!(specs.len(), 2 * 5 * 6);
    assert_eq!(specs[0], json!({ "Gpu": 1, "Cpu": 6, "Mem": 8, "ResourceEnough": true }));
    assert!(specs.contains(&json!({ "Gpu": 2, "Cpu": 4, "Mem": 3, "ResourceEnough": true })));
    for spec in specs {
        let types = ["Gpu", "Cpu", "Mem"].map(|name| spec[name].is_i64());
        assert!(types == [true; 3] && spec["ResourceEnough"].is_boolean(), "{spec}");
    }
    assert_eq!(caller.ok(CAPACITY, &CREATE).await, reply, "a call can be repeated");
}

#[tokio::test]
async fn gpus_of_running_containers_are_not_free() {
    let service = Service::with_gpus().await;
    let (theirs, _) = service.stranger().await;
    let caller = service.caller();
    let free = async |gpu_type| {
        let specs = specs(&caller, gpu_type).await;
        let enough =
            |gpus: i64| specs.iter().any(|spec| spec["Gpu"] == gpus && spec["ResourceEnough"] == true);
        (0..=4).filter(|gpus| enough(*gpus)).max().unwrap_or(0)
    };
    put_container(&service, theirs, "cpod-1", &container("Running", &["nvidia.com/gpu=0"]), NOW).await;
    put_container(&service, 1, "cpod-2", &container("Stopped", &["1", "2"]), NOW).await;
    assert_eq!((free("4090").await, free("P40").await), (1, 1));
    put_container(&service, 1, "cpod-3", &container("Running", &["all"]), NOW).await;
    assert_eq!((free("4090").await, free("P40").await), (0, 0));
}

#[tokio::test]
async fn a_machine_without_gpus_offers_the_type_cpu() {
    let service = Service::start().await;
    let specs = specs(&service.caller(), "CPU").await;
    assert!(specs.iter().all(|spec| spec["Gpu"] == 1 && spec["ResourceEnough"] == true), "{specs:?}");
    assert!(!specs.is_empty() && specs.len() < 8000);
}

#[tokio::test]
async fn wrong_parameters_are_refused_by_name() {
    let service = Service::with_gpus().await;
    let caller = service.caller();
    for (params, code, message) in [
        (vec![], 210, "Missing params [GpuType]"),
        (vec![("GpuType", "")], 210, "Missing params [GpuType]"),
        (vec![("GpuType", "CPU")], 230, "Params [GpuType] not available"),
        (vec![("GpuType", "4090 ")], 230, "Params [GpuType] not available"),
        (vec![("GpuType", &*"4".repeat(65))], 230, "Params [GpuType] not available"),
        (vec![("GpuType", "4090"), ("ChargeType", "Free")], 230, "Params [ChargeType] not available"),
        (vec![("GpuType", "4090"), ("Disks.0.Size", "x")], 230, "Params [Disks] not available"),
        (vec![("GpuType", "4090"), ("Disks.0.IsBoot", "perhaps")], 230, "Params [Disks] not available"),
        (vec![("GpuType", "4090"), ("Disks", "x")], 230, "Params [Disks] not available"),
        (vec![("GpuType", "4090"), ("MachineType.0", "G")], 230, "Params [MachineType] not available"),
    ] {
        caller.assert_refused(CAPACITY, &params, code, message).await;
    }
    let disks: Vec<_> = (0..33).map(|index| (format!("Disks.{index}.Size"), "1")).collect();
    let mut params = vec![("GpuType", "4090")];
    params.extend(disks.iter().map(|(name, size)| (name.as_str(), *size)));
    caller.assert_refused(CAPACITY, &params, 230, "Params [Disks] not available").await;
    caller.assert_place_is_checked(CAPACITY, &[("GpuType", "4090")]).await;
}

#[tokio::test]
async fn strict_mode_requires_region_and_zone() {
    let place = [("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")];
    Service::strict().await.caller().assert_required(CAPACITY, &[("GpuType", "CPU")], &place).await;
}
