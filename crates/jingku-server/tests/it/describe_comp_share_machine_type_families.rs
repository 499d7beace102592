use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::Service;

const FAMILIES: Action = Action::DescribeCompShareMachineTypeFamilies;

#[tokio::test]
async fn families_are_objects_and_grouped_by_zone() {
    let service = Service::with_gpus().await;
    let caller = service.caller();
    let reply = caller.ok(FAMILIES, &[("Region", "cn-wlcb")]).await;
    let families = json!([
        { "Name": "4090", "Description": "4090 GPU with 24 GB" },
        { "Name": "P40", "Description": "P40 GPU with 24 GB" },
    ]);
    assert_eq!(reply["MachineTypes"], families);
    assert_eq!(
        reply["MachineTypesMap"],
        json!({ "10027": families, "8200": families, "5001": families }),
        "by the numbers of zones"
    );
    caller.assert_project_is_checked(FAMILIES, &[]).await;
}

#[tokio::test]
async fn a_machine_without_gpus_has_the_type_cpu() {
    let reply = Service::start().await.caller().ok(FAMILIES, &[]).await;
    assert_eq!((&reply["MachineTypes"][0]["Name"], &reply["MachineTypes"][1]), (&json!("CPU"), &json!(null)));
}

#[tokio::test]
async fn strict_mode_requires_a_region() {
    Service::strict().await.caller().assert_required(FAMILIES, &[], &[("Region", "cn-wlcb")]).await;
}
