//! Rows of containers, as the engine was last seen with them.

use jingku_catalog::PodState;
use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use super::{LIST, with_constants};
use crate::support::{Caller, NOW, Service, creating, put_container};

fn facts(state: &str) -> Value {
    json!({
        "engine_id": "abc", "state": state, "image": "docker.io/library/trainer:1",
        "started_at": NOW - 100, "stopped_at": NOW - 200, "cpu": 8, "memory_mb": 16384, "gpus": 2,
        "published": {
            "22/tcp": ["0.0.0.0", 2201], "53/udp": ["0.0.0.0", 5301], "8888/tcp": ["0.0.0.0", 8801],
        },
        "address": "10.88.0.7",
    })
}

async fn row(caller: &Caller, id: &str) -> Value {
    let reply = caller.ok(LIST, &[("UHostIds.0", id)]).await;
    reply["UHostSet"][0].clone()
}

#[tokio::test]
async fn a_row_of_a_container_has_every_field() {
    let service = Service::start().await;
    service.context.set_base_url("http://gpu-1.example.com:8480");
    put_container(&service, 1, "cpod-1", &facts("Running"), NOW).await;
    service.clock.set(NOW + 7);
    let row = row(&service.caller(), "cpod-1").await;
    let expected = json!({
        "UHostId": "cpod-1", "Region": "cn-wlcb", "Zone": "cn-wlcb-01", "Name": "trainer", "State": "Running",
        "InstanceType": "Container", "CompShareImageId": "", "CompShareImageName": "", "CompShareImageType": "",
        "GpuType": "4090", "GPU": 2, "CPU": 8, "Memory": 16384, "ChargeType": "Free", "CreateTime": NOW,
        "ExpireTime": 0, "StartTime": NOW - 100, "StopTime": 0, "UpdateTime": NOW - 100, "StateAge": 7, "Password": "", "Remark": "",
        "FailedReason": "",
        "DiskSet": [{ "DiskId": "disk-cpod-1", "DiskType": "LOCAL_NORMAL", "IsBoot": "True", "Size": 3, "Type": "Boot",
            "Encrypted": "false", "Name": "", "Drive": "" }],
        "IPSet": [{ "IP": "10.88.0.7", "IPMode": "IPv4", "Type": "Private", "IPId": "", "Bandwidth": 0, "Default": "",
            "Mac": "", "Weight": 0, "VPCId": "", "SubnetId": "", "NetworkInterfaceId": "" }],
        "SshLoginCommand": "ssh -p 2201 root@gpu-1.example.com",
        "IngressHost": "gpu-1.example.com",
        "Ports": { "HttpPorts": [], "TcpPorts": [22, 8888], "UdpPorts": [53] },
    });
    let expected = with_constants(expected, &row["CpuPlatform"]);
    assert_eq!(row, expected);
}

#[tokio::test]
async fn a_stopped_container_has_no_login() {
    let service = Service::start().await;
    let caller = service.caller();
    for (id, state) in [("cpod-1", "Stopped"), ("cpod-2", "Starting"), ("cpod-3", "Stopping")] {
        put_container(&service, 1, id, &facts(state), NOW).await;
        let row = row(&caller, id).await;
        assert_eq!(
            (&row["State"], &row["SshLoginCommand"], &row["IngressHost"]),
            (&state.into(), &"".into(), &"".into())
        );
        assert_eq!(row["StopTime"], NOW - 200);
    }
}

#[tokio::test]
async fn the_login_names_the_host_and_the_published_port() {
    let service = Service::start().await;
    service.context.set_base_url("http://127.0.0.1:8480");
    let caller = service.caller();
    for (number, (published, command)) in [
        (json!({ "22/tcp": ["192.0.2.7", 2201] }), "ssh -p 2201 root@192.0.2.7"),
        (json!({ "22/tcp": ["::", 2201] }), "ssh -p 2201 root@127.0.0.1"),
        (json!({ "22/tcp": ["", 2201] }), "ssh -p 2201 root@127.0.0.1"),
        (json!({ "23/tcp": ["0.0.0.0", 2301] }), "ssh -p 2301 root@127.0.0.1"),
        (json!({ "22/udp": ["0.0.0.0", 2201], "80/tcp": ["0.0.0.0", 8001] }), ""),
        (json!({}), ""),
    ]
    .into_iter()
    .enumerate()
    {
        let mut facts = facts("Running");
        facts["published"] = published;
        let id = format!("cpod-{number}");
        put_container(&service, 1, &id, &facts, NOW).await;
        assert_eq!(row(&caller, &id).await["SshLoginCommand"], command);
    }
}

#[tokio::test]
async fn an_engine_that_is_away_ages_the_state() {
    let service = Service::start().await;
    let caller = service.caller();
    put_container(&service, 1, "cpod-1", &facts("Running"), NOW).await;
    service.clock.set(NOW + 3600);
    assert_eq!(row(&caller, "cpod-1").await["StateAge"], 3600);
    assert_eq!(row(&caller, crate::support::INSTANCE).await["StateAge"], 0, "a machine has no engine");
    service.context.library.catalog.see_containers(NOW + 3600).await.unwrap();
    assert_eq!(row(&caller, "cpod-1").await["StateAge"], 0);
    // A clock that was set back shows no negative age.
    service.clock.set(NOW);
    assert_eq!(row(&caller, "cpod-1").await["StateAge"], 0);
}

#[tokio::test]
async fn containers_of_others_do_not_exist() {
    let service = Service::start().await;
    let (theirs, other) = service.stranger().await;
    put_container(&service, theirs, "cpod-theirs", &facts("Running"), NOW).await;
    let caller = service.caller();
    assert_eq!(row(&caller, "cpod-theirs").await, Value::Null);
    assert_eq!(row(&other, "cpod-theirs").await["State"], "Running");
    let create = Action::CreateCompShareCustomImage;
    let refusal = caller.refusal(create, &[("UHostId", "cpod-theirs"), ("Name", "stolen")]).await;
    assert_eq!(refusal, (8039, "Resource not exist [cpod-theirs]".to_owned()));
}

/// The types of docs/wire that the Go and Python SDKs decode; another type breaks one of them.
#[tokio::test]
async fn a_row_of_an_instance_that_the_api_created_has_the_types_that_sdks_decode() {
    let mut config = creating();
    config.containers.host.price = 0.13.into();
    let service = Service::with(config).await;
    service.context.set_base_url("http://127.0.0.1:8480");
    let id = service.pod_in(PodState::Running).await;
    let row = row(&service.caller(), &id).await;
    for name in
        ["Password", "AutoRenew", "IsExpire", "CpuPlatform", "SshLoginCommand", "ChargeType", "MachineType"]
    {
        assert!(row[name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {row}");
    }
    for name in
        ["GPU", "CPU", "Memory", "CreateTime", "StartTime", "StopTime", "ExpireTime", "SchedulerStopTime"]
    {
        assert!(row[name].is_i64(), "{name}: {row}");
    }
    assert!(row["InstancePrice"] == 0.13 && row["CompShareImagePrice"].is_f64(), "{row}");
    assert!(row["SupportWithoutGpuStart"].is_boolean());
    assert_eq!(
        row["WithoutGpuSpec"],
        json!({ "Spec": "A", "Cpu": 1, "Memory": 1024, "Gpu": 0, "GpuType": "" })
    );
    assert_eq!((&row["SrcInstanceConfig"], &row["GraphicsMemory"]), (&Value::Null, &Value::Null));
    let disk = &row["DiskSet"][0];
    assert_eq!(
        (&disk["IsBoot"], &disk["Encrypted"], &disk["Type"]),
        (&"True".into(), &"false".into(), &"Boot".into())
    );
    let software = &row["Softwares"][0];
    assert_eq!(software["Name"], "JupyterLab");
    assert!(software["URL"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{software}");
    assert_eq!(row["IPSet"][0]["Type"], "Bgp");
}
