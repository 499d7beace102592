mod containers;
mod query;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{Caller, INSTANCE, NOW, Service};

const LIST: Action = Action::DescribeCompShareCustomImages;

fn ids(images: &[Value]) -> Vec<&str> {
    images.iter().map(|image| image["CompShareImageId"].as_str().unwrap()).collect()
}

/// The ids, the total and the next token of a page.
async fn page(caller: &Caller, params: &[(&str, &str)]) -> (Vec<String>, u64, String) {
    let reply = caller.ok(LIST, params).await;
    let ids = ids(reply["ImageSet"].as_array().unwrap()).into_iter().map(str::to_owned).collect();
    (ids, reply["TotalCount"].as_u64().unwrap(), reply["NextToken"].as_str().unwrap().to_owned())
}

/// Ids whose alphabetical order is that of their numbers.
fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("image-{number:03}")).collect()
}

/// The reply in the API documentation, completed with the fields that it omits. `$ID` is the image id.
const DOCUMENTED_REPLY: &str = r#"{
    "Action": "DescribeCompShareCustomImagesResponse",
    "RetCode": 0,
    "TotalCount": 1,
    "ImageSet": [{
        "CompShareImageId": "$ID",
        "Name": "my-custom-env",
        "ImageType": "Custom",
        "Status": "Available",
        "CreateTime": 1712563200,
        "UpdateTime": 1712563200,
        "PubTime": 0,
        "Container": "False",
        "ImageOwnerAlias": "",
        "Author": "default",
        "AuthInfo": 0,
        "IsOfficial": false,
        "Size": 5,
        "Visibility": 0,
        "Description": "",
        "Tags": [],
        "Price": 0.0,
        "Cover": "",
        "Softwares": null,
        "SupportedGpuTypes": [],
        "SoftwarePorts": [],
        "FirewallPorts": [],
        "AutoStart": false,
        "ImageCharge": false,
        "ImageUseTime": 0,
        "CreatedCount": 0,
        "FavoritesCount": 0,
        "FailedReason": "",
        "Owner": {"AccountName": "default", "AccountId": "1"},
        "GroupId": "",
        "VersionName": "",
        "VersionDesc": "",
        "SourceGpuType": "4090",
        "Zone": "cn-wlcb-01",
        "ImageSupportZone": [{"Zone": "cn-wlcb-01", "ZoneId": 10027}],
        "QrCodeUrl": ""
    }],
    "NextToken": ""
}"#;

#[tokio::test]
async fn the_documented_reply_is_reproduced() {
    let service = Service::start().await;
    let id = service.make(INSTANCE, "my-custom-env").await;
    let reply = service.caller().ok(LIST, &[]).await;
    let expected: Value = serde_json::from_str(&DOCUMENTED_REPLY.replace("$ID", &id)).unwrap();
    assert_eq!(reply, expected);
}

#[tokio::test]
async fn an_empty_list_is_an_array() {
    let reply = Service::start().await.caller().ok(LIST, &[]).await;
    let action = "DescribeCompShareCustomImagesResponse";
    let expected = json!({"Action": action, "RetCode": 0, "TotalCount": 0, "ImageSet": [], "NextToken": ""});
    assert_eq!(reply, expected);
}

/// The JSON types that every SDK decodes; see docs/wire/image.md.
fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Object(_) => "object",
        Value::Array(items) => match items.first().map(json_type) {
            None => "array",
            Some("integer") => "array of integer",
            Some("string") => "array of string",
            Some("object") => "array of object",
            Some(other) => other,
        },
    }
}

fn types(object: &Value) -> BTreeMap<&str, &'static str> {
    object.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), json_type(value))).collect()
}

#[tokio::test]
async fn every_field_has_the_type_that_sdks_expect() {
    let service = Service::start().await;
    let caller = service.caller();
    let created = caller
        .ok(
            Action::CreateCompShareCustomImage,
            &[
                ("UHostId", INSTANCE),
                ("Name", "filled"),
                ("Softwares.Framework", "PyTorch"),
                ("Softwares.Application.0", "JupyterLab"),
                ("SoftwarePorts.0.Software", "SSH"),
                ("SoftwarePorts.0.Port", "22"),
                ("FirewallPorts.0", "22"),
            ],
        )
        .await;
    let id = created["CompShareImageId"].as_str().unwrap();
    let facts =
        [("CompShareImageId", id), ("Tags.0", "LLM"), ("SupportedGpuTypes.0", "4090"), ("Price", "1.5")];
    caller.ok(Action::UpdateCompShareImage, &facts).await;

    let image = caller.image(id).await;
    let expected = BTreeMap::from([
        ("CompShareImageId", "string"),
        ("Name", "string"),
        ("Status", "string"),
        ("Container", "string"),
        ("ImageType", "string"),
        ("ImageOwnerAlias", "string"),
        ("Author", "string"),
        ("AuthInfo", "integer"),
        ("IsOfficial", "bool"),
        ("Size", "integer"),
        ("Visibility", "integer"),
        ("Description", "string"),
        ("Tags", "array of string"),
        ("Price", "number"),
        ("Cover", "string"),
        ("Readme", "string"),
        ("Softwares", "object"),
        ("SupportedGpuTypes", "array of string"),
        ("SoftwarePorts", "array of object"),
        ("FirewallPorts", "array of integer"),
        ("AutoStart", "bool"),
        ("ImageCharge", "bool"),
        ("ImageUseTime", "integer"),
        ("CreatedCount", "integer"),
        ("FavoritesCount", "integer"),
        ("FailedReason", "string"),
        ("CreateTime", "integer"),
        ("PubTime", "integer"),
        ("UpdateTime", "integer"),
        ("Owner", "object"),
        ("GroupId", "string"),
        ("VersionName", "string"),
        ("VersionDesc", "string"),
        ("SourceGpuType", "string"),
        ("Zone", "string"),
        ("ImageSupportZone", "array of object"),
        ("QrCodeUrl", "string"),
    ]);
    assert_eq!(types(&image), expected);
    assert_eq!(types(&image["Owner"]), BTreeMap::from([("AccountId", "string"), ("AccountName", "string")]));
    assert_eq!(
        types(&image["SoftwarePorts"][0]),
        BTreeMap::from([("Port", "integer"), ("Software", "string")])
    );
    let zone = BTreeMap::from([("Zone", "string"), ("ZoneId", "integer")]);
    assert_eq!(types(&image["ImageSupportZone"][0]), zone);
    let softwares = BTreeMap::from([
        ("Framework", "string"),
        ("FrameworkVersion", "string"),
        ("CUDAVersion", "string"),
        ("PythonVersion", "string"),
        ("OsVersion", "string"),
        ("FrameworkVersionIndex", "integer"),
        ("Applications", "array of string"),
    ]);
    assert_eq!(types(&image["Softwares"]), softwares);
}

#[tokio::test]
async fn the_readme_is_returned_only_for_a_single_id() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW)]).await;
    assert_eq!(caller.image("image-1").await["Readme"], "");
    caller.ok(Action::UpdateCompShareImage, &[("CompShareImageId", "image-1"), ("Readme", "# Use")]).await;
    assert_eq!(caller.image("image-1").await["Readme"], "# Use");
    assert_eq!(caller.images(&[]).await[0].get("Readme"), None);
}

#[tokio::test]
async fn an_invalid_limit_is_refused_not_clamped() {
    let service = Service::start().await;
    let caller = service.caller();
    let all = numbered(101);
    service.add_images(&all.iter().map(|id| (id.as_str(), NOW)).collect::<Vec<_>>()).await;
    for (limit, rows) in [("", 20), ("0", 20), ("1", 1), ("20", 20), ("99", 99), ("100", 100)] {
        let (ids, total, next) = page(&caller, &[("Limit", limit)]).await;
        assert_eq!((ids.len(), total, next.is_empty()), (rows, 101, false), "Limit={limit}");
    }
    assert_eq!(page(&caller, &[]).await.0.len(), 20);
    for limit in ["101", "200", "-1", "20.5", "abc", "99999999999999999999"] {
        caller.assert_refused(LIST, &[("Limit", limit)], 230, "Params [Limit] not available").await;
    }
}

#[tokio::test]
async fn an_offset_past_the_end_returns_no_rows() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW), ("image-2", NOW), ("image-3", NOW)]).await;
    for (offset, limit, rows) in [
        ("", "2", &["image-3", "image-2"][..]),
        ("0", "2", &["image-3", "image-2"]),
        ("1", "2", &["image-2", "image-1"]),
        ("2", "2", &["image-1"]),
        ("3", "2", &[]),
        ("4294967296", "2", &[]),
        ("9223372036854775807", "100", &[]),
    ] {
        let (ids, total, _) = page(&caller, &[("Offset", offset), ("Limit", limit)]).await;
        assert_eq!(
            (ids.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), total),
            (rows, 3),
            "{offset}"
        );
    }
    for offset in ["-1", "1.5", "abc", "9223372036854775808"] {
        caller.assert_refused(LIST, &[("Offset", offset)], 230, "Params [Offset] not available").await;
    }
}

#[tokio::test]
async fn images_are_listed_in_reverse_order_of_creation() {
    let service = Service::start().await;
    let times =
        [("image-b", NOW), ("image-a", NOW), ("image-c", NOW), ("image-d", NOW - 1), ("image-e", NOW + 1)];
    service.add_images(&times).await;
    let images = service.caller().images(&[]).await;
    assert_eq!(ids(&images), ["image-e", "image-d", "image-c", "image-a", "image-b"]);
    let times: Vec<_> = images.iter().map(|image| image["CreateTime"].as_i64().unwrap() - NOW).collect();
    assert_eq!(times, [1, 0, 0, 0, 0], "creation times never contradict the order");
}

#[tokio::test]
async fn paging_by_token_returns_each_remaining_image_once_during_changes() {
    let service = Service::start().await;
    let caller = service.caller();
    let before: Vec<_> = numbered(9);
    service.add_images(&before.iter().map(|id| (id.as_str(), NOW)).collect::<Vec<_>>()).await;
    let delete =
        async |id| caller.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", id)]).await;

    let (mut seen, mut total, mut token) = page(&caller, &[("Limit", "3")]).await;
    assert_eq!((&*seen, total), (&["image-008", "image-007", "image-006"].map(str::to_owned)[..], 9));
    // Delete the row that the token points to, a row already returned and a row not yet returned. Add rows that are new
    // whatever their creation times.
    delete("image-006").await;
    delete("image-008").await;
    delete("image-004").await;
    service.add_images(&[("image-new", NOW + 1), ("image-newer", NOW - 1)]).await;
    while !token.is_empty() {
        // Some SDKs always send an offset of 0.
        let (ids, now, next) = page(&caller, &[("Limit", "3"), ("Offset", "0"), ("NextToken", &token)]).await;
        assert!(!ids.is_empty() && ids.len() <= 3);
        seen.extend(ids);
        (total, token) = (now, next);
    }
    let expected = ["008", "007", "006", "005", "003", "002", "001", "000"];
    assert_eq!(seen, expected.map(|suffix| format!("image-{suffix}")));
    assert_eq!(total, 8);
}

#[tokio::test]
async fn the_last_page_has_no_token() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
    assert_eq!(page(&caller, &[("Limit", "2")]).await.2, "");
    let (_, _, token) = page(&caller, &[("Limit", "1")]).await;
    assert_eq!(page(&caller, &[("Limit", "1"), ("NextToken", &token)]).await.2, "");
}

#[tokio::test]
async fn a_token_the_server_did_not_issue_is_refused() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
    let (_, _, token) = page(&caller, &[("Limit", "1")]).await;
    let wrong = "Params [NextToken] not available";
    for bad in ["x", "镜库", "====", &token[1..]] {
        caller.assert_refused(LIST, &[("NextToken", bad)], 230, wrong).await;
    }
    caller.assert_refused(LIST, &[("NextToken", &token), ("Offset", "1")], 230, wrong).await;
}

#[tokio::test]
async fn an_id_matches_exactly_and_an_unknown_id_returns_an_empty_list() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
    let by_id = async |id| page(&caller, &[("CompShareImageId", id)]).await;
    assert_eq!(by_id("image-1").await, (vec!["image-1".to_owned()], 1, String::new()));
    for unknown in ["image-3", "image", "IMAGE-1", "image-1 ", "%"] {
        assert_eq!(by_id(unknown).await, (vec![], 0, String::new()), "{unknown}");
    }
    let past = [("CompShareImageId", "image-1"), ("Offset", "1")];
    assert_eq!(page(&caller, &past).await, (vec![], 1, String::new()));
    assert_eq!(by_id("").await.1, 2, "an empty id counts as absent");
}

#[tokio::test]
async fn region_and_zone_filter_the_list() {
    let service = Service::start().await;
    let caller = service.caller();
    service
        .instance_of(
            1,
            "uhost-sh",
            &service.disk("sh.raw", jingku_library::DiskFormat::Raw, 2),
            Some("cn-sh2-02"),
        )
        .await;
    let (here, there) = (caller.create(INSTANCE, "here").await, caller.create("uhost-sh", "there").await);
    let both = BTreeSet::from([here.as_str(), there.as_str()]);
    for (region, zone, expected) in [
        ("", "", both),
        ("cn-wlcb", "", BTreeSet::from([here.as_str()])),
        ("", "cn-wlcb-01", BTreeSet::from([here.as_str()])),
        ("cn-sh2", "cn-sh2-02", BTreeSet::from([there.as_str()])),
        ("cn-bj2", "", BTreeSet::new()),
    ] {
        let place = [("Region", region), ("Zone", zone)];
        let (ids, total, _) = page(&caller, &place).await;
        assert_eq!(
            (ids.iter().map(String::as_str).collect(), total),
            (expected.clone(), expected.len() as u64)
        );
        let by_id = [&place[..], &[("CompShareImageId", here.as_str())]].concat();
        assert_eq!(page(&caller, &by_id).await.1, u64::from(expected.contains(here.as_str())));
    }
    caller.assert_place_is_checked(LIST, &[]).await;
}

#[tokio::test]
async fn strict_mode_requires_region_and_zone() {
    let service = Service::strict().await;
    service.caller().assert_required(LIST, &[], &[("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")]).await;
}

/// Pages are cached. A change by any process must invalidate them.
#[tokio::test]
async fn every_change_is_visible_at_once() {
    let service = Service::start().await;
    let elsewhere = service.reopen().await;
    let (caller, other) = (service.caller(), elsewhere.caller());
    let listed = async || page(&caller, &[]).await.0;
    assert_eq!(listed().await, [""; 0]);
    let id = other.create(INSTANCE, "env").await;
    assert_eq!(listed().await, [id.as_str()]);
    elsewhere.finish_job(&id).await;
    assert_eq!(caller.images(&[]).await[0]["Status"], "Available");
    other.ok(Action::UpdateCompShareImage, &[("CompShareImageId", &id), ("Description", "new")]).await;
    assert_eq!(caller.images(&[]).await[0]["Description"], "new");
    assert_eq!(caller.image(&id).await["Description"], "new");
    // A change of another account.
    service.stranger().await;
    assert_eq!(listed().await, [id.as_str()]);
    other.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", &id)]).await;
    assert_eq!(listed().await, [""; 0]);
}

#[tokio::test]
async fn a_list_call_can_be_repeated() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW)]).await;
    assert_eq!(caller.everything().await, caller.everything().await);
}
