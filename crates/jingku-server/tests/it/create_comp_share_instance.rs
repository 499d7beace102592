use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jingku_catalog::{Operation, PodState};
use jingku_library::{Config, ContainerSettings, GpuSettings};
use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{Archive, INSTANCE, NOW, SSH_KEY, Service, creating, small};

const CREATE: Action = Action::CreateCompShareInstance;

async fn row(service: &Service, id: &str) -> Value {
    let reply = service.caller().ok(Action::DescribeCompShareInstance, &[("UHostIds.0", id)]).await;
    reply["UHostSet"][0].clone()
}

#[tokio::test]
async fn an_instance_is_shown_at_once() {
    let service = Service::with(creating()).await;
    let image = service.container_image("base").await;
    let more = [
        ("Region", "cn-wlcb"),
        ("Zone", "cn-wlcb-01"),
        ("Name", "训练-a"),
        ("Remark", "mine"),
        ("ChargeType", "Postpay"),
        ("Password", "UGFzc3cwcmQx"),
        ("Disks.0.IsBoot", "true"),
        ("Disks.0.Type", "CLOUD_SSD"),
        ("Disks.0.Size", "100"),
        ("MachineType", "G"),
        ("MinimalCpuPlatform", "Auto"),
        ("Quantity", "1"),
        ("MaxCount", "1"),
        ("EnableUS3", "true"),
    ];
    let reply = service.caller().ok(CREATE, &[&small(&image)[..], &more].concat()).await;
    let id = reply["UHostIds"][0].as_str().unwrap();
    assert_eq!((&reply["IPs"], &reply["Warning"]), (&json!(["127.0.0.1"]), &json!([])));
    let row = row(&service, id).await;
    for (name, expected) in [
        ("Name", json!("训练-a")),
        ("State", json!("Initializing")),
        ("InstanceType", json!("Container")),
        ("GpuType", json!("CPU")),
        ("GPU", json!(1)),
        ("CPU", json!(1)),
        ("Memory", json!(1024)),
        ("ChargeType", json!("Postpay")),
        ("CreateTime", json!(NOW)),
        ("CompShareImageId", json!(image)),
        ("CompShareImageType", json!("Custom")),
        ("Password", json!("UGFzc3cwcmQx")),
        ("Remark", json!("mine")),
        ("SshLoginCommand", json!("")),
        ("Ports", json!({ "HttpPorts": [8888], "TcpPorts": [23], "UdpPorts": [] })),
    ] {
        assert_eq!(row[name], expected, "{name}");
    }
    assert_eq!((&row["DiskSet"][0]["Size"], &row["DiskSet"][0]["IsBoot"]), (&100.into(), &"True".into()));
    let [address] = &row["IPSet"].as_array().unwrap()[..] else { panic!("{row}") };
    let address = ["IP", "IPMode", "Type"].map(|name| address[name].as_str().unwrap());
    assert_eq!(address, ["127.0.0.1", "IPv4", "Bgp"]);
}

#[tokio::test]
async fn what_is_absent_has_a_default() {
    let service = Service::with(creating()).await;
    let ports = json!({ "22/tcp": {}, "8188/tcp": {}, "53/udp": {} });
    let archive = Archive::new(&[("data", b"x")], &json!({ "Cmd": ["/bin/sh"], "ExposedPorts": ports }));
    let image = service.import_container("base", &archive).await;
    let params = [("GpuType", "CPU"), ("CompShareImageId", &image)];
    let reply = service.caller().ok(CREATE, &params).await;
    let row = row(&service, reply["UHostIds"][0].as_str().unwrap()).await;
    assert_eq!((&row["Name"], &row["ChargeType"]), (&"host".into(), &"Month".into()));
    assert!(row["CPU"].as_i64().unwrap() >= 1 && row["Memory"].as_i64().unwrap() >= 1024, "{row}");
    let password = BASE64_STANDARD.decode(row["Password"].as_str().unwrap()).unwrap();
    assert_eq!(password.len(), 17);
    assert_eq!(row["Ports"], json!({ "HttpPorts": [8188, 8888], "TcpPorts": [22, 23], "UdpPorts": [53] }));
}

#[tokio::test]
async fn an_instance_is_signed_in_to_with_keys() {
    let service = Service::with(creating()).await;
    let image = service.container_image("base").await;
    let caller = service.caller();
    let ssh_keys = async |more: &[(&str, &str)]| {
        let reply = caller.ok(CREATE, &[&small(&image)[..], more].concat()).await;
        let id = reply["UHostIds"][0].as_str().unwrap();
        let keys = service.catalog().await.pod_ssh_keys(id).await.unwrap();
        (keys, row(&service, id).await["Password"].as_str().unwrap().is_empty())
    };
    assert_eq!(ssh_keys(&[]).await, (None, false));
    let two = [("SshPublicKeys.0", SSH_KEY), ("SshPublicKeys.1", SSH_KEY)];
    let lines = Some(format!("{SSH_KEY}\n{SSH_KEY}\n"));
    assert_eq!(ssh_keys(&two).await, (lines.clone(), false));
    assert_eq!(ssh_keys(&[&two[..], &[("LoginMode", "Password")]].concat()).await, (lines.clone(), false));
    assert_eq!(ssh_keys(&[&two[..], &[("LoginMode", "KeyPair")]].concat()).await, (lines, true));

    let refused = async |more: &[(&str, &str)], code, message| {
        caller.assert_refused(CREATE, &[&small(&image)[..], more].concat(), code, message).await;
    };
    refused(&[("LoginMode", "KeyPair")], 210, "Missing params [SshPublicKeys]").await;
    refused(&[("LoginMode", "ImagePasswd")], 230, "Params [LoginMode] not available").await;
    let options = format!("command=\"id\" {SSH_KEY}");
    for bad in ["ssh-ed25519", &options] {
        refused(&[("SshPublicKeys.0", bad)], 230, "Params [SshPublicKeys] not available").await;
    }
    let names: Vec<String> = (0..11).map(|number| format!("SshPublicKeys.{number}")).collect();
    let many: Vec<_> = names.iter().map(|name| (name.as_str(), SSH_KEY)).collect();
    refused(&many, 230, "Params [SshPublicKeys] not available").await;
}

#[tokio::test]
async fn several_instances_are_created_all_or_none() {
    let containers = ContainerSettings { instances_max: 4, ..creating().containers };
    let service = Service::with(Config { containers, ..Config::default() }).await;
    let image = service.container_image("base").await;
    let caller = service.caller();
    let three = [&small(&image)[..], &[("MaxCount", "3")]].concat();
    let reply = caller.ok(CREATE, &three).await;
    let ids = reply["UHostIds"].as_array().unwrap();
    assert_eq!((ids.len(), reply["IPs"].as_array().unwrap().len()), (3, 3));
    let text = "The account can create 4 instances at most; delete one, or ask the operator to raise `instances_max`";
    caller.assert_refused(CREATE, &three, 8095, text).await;
    // The same request creates another one.
    let fourth = service.new_pod(&image).await;
    assert!(!ids.contains(&fourth.into()));
}

#[tokio::test]
async fn refusals_have_code_and_message() {
    let service = Service::with(creating()).await;
    let image = service.container_image("base").await;
    let disk = service.make(INSTANCE, "disk").await;
    let caller = service.caller();
    let refused = async |name: &'static str, value: &str, code: i64, message: &str| {
        let mut params = small(&image);
        params.retain(|(other, _)| *other != name);
        params.push((name, value));
        caller.assert_refused(CREATE, &params, code, message).await;
    };
    for name in ["GpuType", "CompShareImageId"] {
        refused(name, "", 210, &format!("Missing params [{name}]")).await;
    }
    for (name, value) in [
        ("GpuType", "4090"),
        ("GPU", "2"),
        ("GPU", "0"),
        ("CPU", "0"),
        ("CPU", "-1"),
        ("CPU", "65536"),
        ("Memory", "16"),
        ("Memory", "1073741824"),
        ("ChargeType", "Gratis"),
        ("MaxCount", "11"),
        ("MaxCount", "0"),
        ("Name", "a b"),
        ("Name", &"x".repeat(64)),
        ("Remark", &"x".repeat(1001)),
        ("CompShareImageId", "compshareImage-none"),
        ("CompShareImageId", &disk),
    ] {
        refused(name, value, 230, &format!("Params [{name}] not available")).await;
    }
    let bad = "Params [Password] not available: 8 to 32 letters, digits and signs, of at least two of the kinds, as Base64";
    for password in ["plain", "!", &"A".repeat(1000), "UGFzc3cwcmQKcm9vdDp4"] {
        refused("Password", password, 8314, bad).await;
    }
    refused("Disks.0.IsBoot", "false", 230, "Params [Disks] not available").await;
    let params = [&small(&image)[..], &[("Disks.0.IsBoot", "true"), ("Disks.0.Size", "0")]].concat();
    let text = format!("The disk of 0 GB is too small for image [{image}], which needs 1 GB");
    caller.assert_refused(CREATE, &params, 8315, &text).await;
    caller.assert_place_is_checked(CREATE, &small(&image)).await;
    assert_eq!(caller.ok(Action::DescribeCompShareInstance, &[]).await["TotalCount"], 1);
}

#[tokio::test]
async fn the_operator_must_allow_it() {
    let service = Service::start().await;
    let image = service.container_image("base").await;
    let text = "This server does not create or change instances; its operator allows it with `create = true` in the \
                section [containers] of the configuration file";
    service.caller().assert_refused(CREATE, &small(&image), 299, text).await;
    let containers = ContainerSettings { create: true, ..ContainerSettings::default() };
    let service = Service::with(Config { containers, ..Config::default() }).await;
    let text = "This server has no container engine, which instances need; its operator connects one with `engine` in \
                the section [containers] of the configuration file";
    service.caller().assert_refused(CREATE, &small("any"), 299, text).await;
}

#[tokio::test]
async fn an_image_of_another_account_looks_like_none() {
    let service = Service::with(creating()).await;
    let (_, stranger) = service.stranger().await;
    let image = service.container_image("base").await;
    stranger.assert_refused(CREATE, &small(&image), 230, "Params [CompShareImageId] not available").await;
    let id = service.new_pod(&image).await;
    for action in [
        Action::StartCompShareInstance,
        Action::StopCompShareInstance,
        Action::RebootCompShareInstance,
        Action::TerminateCompShareInstance,
    ] {
        let missing = format!("Resource not exist [{id}]");
        stranger.assert_refused(action, &[("UHostId", &id)], 8039, &missing).await;
    }
}

#[tokio::test]
async fn a_gpu_belongs_to_one_running_instance() {
    let mut config = creating();
    config.containers.host.gpus = vec![GpuSettings {
        gpu_type: "4090".to_owned(),
        devices: vec!["nvidia.com/gpu=0".to_owned(), "nvidia.com/gpu=1".to_owned()],
        memory_gb: 24,
        price: None,
    }];
    let service = Service::with(config).await;
    let (caller, image) = (service.caller(), service.container_image("base").await);
    let with = |gpus: &'static str| {
        [("GpuType", "4090"), ("GPU", gpus), ("CPU", "1"), ("Memory", "1024"), ("CompShareImageId", &*image)]
    };
    caller.assert_refused(CREATE, &with("3"), 230, "Params [GPU] not available").await;
    let reply = caller.ok(CREATE, &with("2")).await;
    let first = reply["UHostIds"][0].as_str().unwrap();
    let out_of = "This GPU type is currently out of resources";
    caller.assert_refused(CREATE, &with("1"), 226_604, out_of).await;
    // A stopped instance frees its GPUs, and has to wait for them again.
    service.end_operation(first, Operation::Create, PodState::Stopped).await;
    caller.ok(CREATE, &with("1")).await;
    let start = [("UHostId", first)];
    let in_use = format!("The GPUs of UHost [{first}] are in use by another instance");
    caller.assert_refused(Action::StartCompShareInstance, &start, 8357, &in_use).await;
    let without = [("UHostId", first), ("WithoutGpuSpec", "A")];
    let needs = format!("UHost [{first}] has GPUs and cannot be started without them");
    caller.assert_refused(Action::StartCompShareInstance, &without, 8442, &needs).await;
}
