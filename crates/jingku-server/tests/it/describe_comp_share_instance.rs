mod containers;

use jingku_library::{DiskFormat, PlatformType};
use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{Caller, INSTANCE, NOW, Service};

const LIST: Action = Action::DescribeCompShareInstance;

async fn page(caller: &Caller, params: &[(&str, &str)]) -> (Vec<String>, u64) {
    let reply = caller.ok(LIST, params).await;
    let id = |row: &Value| row["UHostId"].as_str().unwrap().to_owned();
    let ids = reply["UHostSet"].as_array().unwrap().iter().map(id).collect();
    (ids, reply["TotalCount"].as_u64().unwrap())
}

/// Adds the members that are the same for every instance that the API did not create.
fn with_constants(mut row: Value, platform: &Value) -> Value {
    let constants = json!({
        "MachineType": "G", "GraphicsMemory": null, "CpuPlatform": platform,
        "CpuArch": std::env::consts::ARCH, "OsType": "Linux", "AutoRenew": "No", "IsExpire": "No",
        "InstancePrice": 0.0, "CompShareImagePrice": 0.0, "SchedulerStopTime": 0, "StopSchedulerTime": 0,
        "Softwares": [], "TotalDiskSpace": 0, "SupportWithoutGpuStart": false, "WithoutGpuSpec": null,
        "SrcInstanceConfig": null, "CompShareImageStatus": "", "CompShareImageOwnerAlias": "",
        "CompShareImageAuthor": "", "CompShareImageVersionName": "", "CompShareImageBillId": "", "ReleaseTime": 0,
        "FileBrowserPassword": "", "Tag": "", "OsName": "", "DiscountType": 0, "DiskPriceInfo": [],
        "PostPayPowerOffBillingResource": [], "MonitorMessages": null, "VolumeSet": [], "UDiskSet": [],
    });
    row.as_object_mut().unwrap().extend(constants.as_object().unwrap().clone());
    row
}

/// A server with three instances, each declared a second after the one before, the last in another zone.
async fn with_three_instances() -> Service {
    let service = Service::start().await;
    for (index, (id, zone)) in [("uhost-lab2", None), ("uhost-sh", Some("cn-sh2-02"))].into_iter().enumerate()
    {
        service.clock.set(NOW + 1 + i64::try_from(index).unwrap());
        let disk = service.disk(&format!("{id}.raw"), DiskFormat::Raw, 2);
        service.instance_of(1, id, &disk, zone).await;
    }
    service
}

#[tokio::test]
async fn a_row_has_every_field() {
    let service = Service::start().await;
    let caller = service.caller();
    let reply = caller.ok(LIST, &[]).await;
    let row = json!({
        "UHostId": INSTANCE,
        "Region": "cn-wlcb",
        "Zone": "cn-wlcb-01",
        "Name": "lab",
        "State": "Stopped",
        "InstanceType": "UHost",
        "CompShareImageId": "",
        "CompShareImageName": "",
        "CompShareImageType": "",
        "GpuType": "4090",
        "GPU": 1,
        "CPU": 0,
        "Memory": 0,
        "ChargeType": "Free",
        "CreateTime": NOW,
        "ExpireTime": 0,
        "DiskSet": [{"DiskId": "disk-uhost-lab1", "DiskType": "LOCAL_NORMAL", "IsBoot": "True", "Size": 1,
            "Type": "Boot", "Encrypted": "false", "Name": "", "Drive": ""}],
        "IPSet": [],
        "StartTime": 0,
        "StopTime": 0,
        "UpdateTime": 0,
        "SshLoginCommand": "",
        "Ports": {"HttpPorts": [], "TcpPorts": [], "UdpPorts": []},
        "IngressHost": "",
        "Password": "",
        "Remark": "",
        "FailedReason": "",
        "StateAge": 0,
    });
    let row = with_constants(row, &reply["UHostSet"][0]["CpuPlatform"]);
    let action = "DescribeCompShareInstanceResponse";
    assert_eq!(
        reply,
        json!({"Action": action, "RetCode": 0, "TotalCount": 1, "UHostSet": [row], "NextToken": ""})
    );
    assert_eq!(caller.everything().await, caller.everything().await, "a call can be repeated");
}

#[tokio::test]
async fn the_state_shows_that_an_image_is_being_made() {
    let service = Service::start().await;
    let caller = service.caller();
    let state = async || caller.ok(LIST, &[]).await["UHostSet"][0]["State"].clone();
    let id = caller.create(INSTANCE, "env").await;
    assert_eq!(state().await, "ImageMaking");
    caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    assert_eq!(state().await, "Stopped");
}

#[tokio::test]
async fn a_row_names_its_source_image_while_the_account_can_see_it() {
    let service = Service::start().await;
    let (owner, (theirs, receiver)) = (service.caller(), service.stranger().await);
    service.add_images(&[("image-1", NOW)]).await;
    let platform = service.promote("image-1", PlatformType::App).await;
    owner.share("image-1", &[theirs]).await;
    service.start_from(1, "uhost-own", "image-1").await;
    service.start_from(theirs, "uhost-shared", "image-1").await;
    service.start_from(theirs, "uhost-platform", &platform).await;
    let source_image = async |caller: &Caller, id| {
        let row = caller.ok(LIST, &[("UHostIds.0", id)]).await["UHostSet"][0].clone();
        ["CompShareImageId", "CompShareImageName", "CompShareImageType"]
            .map(|field| row[field].as_str().unwrap().to_owned())
    };
    assert_eq!(source_image(&owner, INSTANCE).await, ["", "", ""]);
    assert_eq!(source_image(&owner, "uhost-own").await, ["image-1", "image-1", "Custom"]);
    assert_eq!(source_image(&receiver, "uhost-shared").await, ["image-1", "image-1", "Custom"]);
    assert_eq!(source_image(&receiver, "uhost-platform").await, [&*platform, "image-1", "App"]);
    owner.unshare("image-1", &[theirs]).await;
    assert_eq!(source_image(&receiver, "uhost-shared").await, ["image-1", "", ""]);
    service.make_public("image-1").await;
    assert_eq!(source_image(&receiver, "uhost-shared").await, ["image-1", "image-1", "Community"]);
    assert_eq!(source_image(&owner, "uhost-own").await, ["image-1", "image-1", "Custom"]);
    service.context.library.demote_image(&platform).await.unwrap();
    assert_eq!(source_image(&receiver, "uhost-platform").await, [&*platform, "", ""]);
}

#[tokio::test]
async fn ids_filter_the_list_and_unknown_ids_are_ignored() {
    let service = with_three_instances().await;
    let caller = service.caller();
    for (params, expected) in [
        (vec![("UHostIds.0", INSTANCE)], vec![INSTANCE]),
        (vec![("UHostIds", INSTANCE)], vec![INSTANCE]),
        (
            vec![("UHostIds.0", "uhost-none"), ("UHostIds.2", INSTANCE), ("UHostIds.5", "uhost-sh")],
            vec!["uhost-sh", INSTANCE],
        ),
        (vec![("UHostIds.0", "uhost-none")], vec![]),
        (vec![("UHostIds", "")], vec!["uhost-sh", "uhost-lab2", INSTANCE]),
    ] {
        let (ids, total) = page(&caller, &params).await;
        assert_eq!((ids.len(), total), (expected.len(), expected.len() as u64), "{params:?}");
        assert_eq!(ids, expected, "{params:?}");
    }
    let ids: Vec<_> = (0..101).map(|number| format!("uhost-{number}")).collect();
    let names: Vec<_> = (0..101).map(|number| format!("UHostIds.{number}")).collect();
    let many: Vec<_> = names.iter().map(String::as_str).zip(ids.iter().map(String::as_str)).collect();
    assert_eq!(page(&caller, &many[..100]).await, (vec![], 0));
    caller.assert_refused(LIST, &many, 230, "Params [UHostIds] not available").await;
}

#[tokio::test]
async fn pages_are_newest_first() {
    let service = with_three_instances().await;
    let caller = service.caller();
    for (limit, offset, rows) in [
        ("", "", vec!["uhost-sh", "uhost-lab2", INSTANCE]),
        ("0", "0", vec!["uhost-sh", "uhost-lab2", INSTANCE]),
        ("1", "1", vec!["uhost-lab2"]),
        ("100", "3", vec![]),
    ] {
        let (ids, total) = page(&caller, &[("Limit", limit), ("Offset", offset)]).await;
        assert_eq!((ids.len(), total), (rows.len(), 3));
        assert_eq!(ids, rows, "Limit={limit} Offset={offset}");
    }
    for (name, bad) in [("Limit", "101"), ("Limit", "-1"), ("Offset", "-1"), ("NextToken", "x")] {
        caller.assert_refused(LIST, &[(name, bad)], 230, &format!("Params [{name}] not available")).await;
    }
}

#[tokio::test]
async fn paging_by_token_returns_each_instance_once() {
    let service = with_three_instances().await;
    let caller = service.caller();
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let reply = caller.ok(LIST, &[("Limit", "1"), ("NextToken", &token)]).await;
        assert_eq!((&reply["TotalCount"], reply["UHostSet"].as_array().unwrap().len()), (&json!(3), 1));
        seen.push(reply["UHostSet"][0]["UHostId"].clone());
        reply["NextToken"].as_str().unwrap().clone_into(&mut token);
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ["uhost-sh", "uhost-lab2", INSTANCE]);
}

#[tokio::test]
async fn region_and_zone_filter_the_list() {
    let service = with_three_instances().await;
    let caller = service.caller();
    for (region, zone, expected) in [
        ("cn-wlcb", "", vec!["uhost-lab2", INSTANCE]),
        ("", "cn-sh2-02", vec!["uhost-sh"]),
        ("cn-bj2", "cn-bj2-03", vec![]),
    ] {
        let (ids, total) = page(&caller, &[("Region", region), ("Zone", zone)]).await;
        assert_eq!(
            (ids, total),
            (expected.iter().map(|id| (*id).to_owned()).collect(), expected.len() as u64)
        );
    }
    caller.assert_place_is_checked(LIST, &[]).await;
}

#[tokio::test]
async fn strict_mode_requires_no_place() {
    Service::strict().await.caller().ok(LIST, &[]).await;
}
