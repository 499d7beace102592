use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{Caller, Service};

const TYPES: Action = Action::DescribeAvailableCompShareInstanceTypes;

async fn types(caller: &Caller, params: &[(&str, &str)]) -> Vec<Value> {
    let mut reply = caller.ok(TYPES, params).await;
    assert_eq!(reply["Status"], "Normal");
    serde_json::from_value(reply["AvailableInstanceTypes"].take()).unwrap()
}

#[tokio::test]
async fn a_type_has_the_members_that_sdks_decode() {
    let service = Service::with_gpus().await;
    let caller = service.caller();
    let params = [("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01"), ("InstanceType", "uhost")];
    let rows = types(&caller, &params).await;
    let row = &rows[0];
    assert_eq!(rows.len(), 2);
    for (name, value) in [
        ("Name", json!("4090")),
        ("Zone", json!("cn-wlcb-01")),
        ("InstanceType", json!("uhost")),
        ("Status", json!("Normal")),
        ("Description", json!("4090 GPU with 24 GB")),
        ("MachineClass", json!("GPU")),
        ("ParentType", json!("")),
        ("GraphicsMemory", json!({ "Value": 24, "Rate": 0 })),
        ("Performance", json!({ "Value": 0.0, "Rate": 0 })),
        ("Features", json!([])),
    ] {
        assert_eq!(row[name], value, "{name}");
    }
    let disk = &row["Disks"][0];
    assert!(disk["Name"].is_string() && disk["DataDisk"] == json!([]), "{disk}");
    let boot = &disk["BootDisk"][0];
    assert!(boot["MaximalSize"].is_i64() && boot["InstantResize"].is_boolean(), "{boot}");
    let platforms = &row["CpuPlatforms"];
    assert!(platforms["Intel"].is_array() && platforms["Amd"].is_array(), "{platforms}");
    let sizes = row["MachineSizes"].as_array().unwrap();
    assert_eq!(sizes.iter().map(|size| &size["Gpu"]).collect::<Vec<_>>(), [1, 2]);
    for size in sizes {
        let cpus: Vec<_> = size["Collection"].as_array().unwrap().iter().map(|entry| &entry["Cpu"]).collect();
        assert_eq!(cpus, [1, 2, 3, 4, 6]);
        assert_eq!(size["Collection"][0]["Memory"], json!([1, 2, 3, 4, 6, 8]));
        assert!(size["Collection"][0]["MinimalCpuPlatform"][0].as_str().unwrap().ends_with("Auto"));
    }
    assert_eq!(types(&caller, &params).await, rows, "a call can be repeated");
}

#[tokio::test]
async fn types_are_filtered() {
    let service = Service::with_gpus().await;
    let caller = service.caller();
    let names = async |params: &[(&str, &str)]| {
        let rows = types(&caller, params).await;
        let name =
            |row: &Value| format!("{} {}", row["Zone"].as_str().unwrap(), row["Name"].as_str().unwrap());
        rows.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]).await.len(), 6, "two types in three zones");
    assert_eq!(names(&[("Region", "cn-sh2")]).await, ["cn-sh2-02 4090", "cn-sh2-02 P40"]);
    let zone = ("Zone", "cn-wlcb-01");
    // The official CLI sends one type as a text, the SDKs send a list.
    assert_eq!(names(&[zone, ("MachineTypes", "P40")]).await, ["cn-wlcb-01 P40"]);
    assert_eq!(
        names(&[zone, ("MachineTypes.0", "P40"), ("MachineTypes.1", "A100")]).await,
        ["cn-wlcb-01 P40"]
    );
    assert!(names(&[zone, ("MachineTypes.0", "A100")]).await.is_empty());
    let spot = types(&caller, &[zone, ("InstanceType", "spot")]).await;
    assert_eq!((spot.len(), &spot[0]["InstanceType"]), (2, &json!("spot")));
}

#[tokio::test]
async fn a_machine_without_gpus_offers_the_type_cpu() {
    let rows = types(&Service::start().await.caller(), &[("Zone", "cn-wlcb-01")]).await;
    let [row] = &*rows else { panic!("{rows:?}") };
    assert_eq!((&row["Name"], &row["MachineClass"]), (&json!("CPU"), &json!("Normal")));
    assert_eq!((&row["MachineSizes"][0]["Gpu"], &row["MachineSizes"][1]), (&json!(1), &Value::Null));
}

#[tokio::test]
async fn wrong_parameters_are_refused_by_name() {
    let service = Service::start().await;
    let caller = service.caller();
    for (name, value) in [("InstanceType", "vm"), ("InstanceType.0", "spot"), ("MachineTypes.x", "P40")] {
        let param = name.split('.').next().unwrap();
        let message = format!("Params [{param}] not available");
        caller.assert_refused(TYPES, &[(name, value)], 230, &message).await;
    }
    caller.assert_place_is_checked(TYPES, &[]).await;
}

#[tokio::test]
async fn strict_mode_requires_nothing() {
    Service::strict().await.caller().ok(TYPES, &[]).await;
}
