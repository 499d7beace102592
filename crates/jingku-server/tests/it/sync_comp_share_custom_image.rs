use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{INSTANCE, NOW, Service};

const SYNC: Action = Action::SyncCompShareCustomImage;
/// The zone in which the images are made.
const OWN: &str = "10027";
const SHANGHAI: &str = "8200";
const BEIJING: &str = "5001";

fn copies(reply: &Value) -> Vec<String> {
    let results = reply["Results"].as_array().unwrap().iter();
    results.map(|result| result["CompShareImageId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn one_zone_gets_one_copy_with_the_given_name() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW)]).await;
    let params = [
        ("SourceCompShareImageId", "image-1"),
        ("TargetImageName", "there"),
        ("TargetImageDescription", "in Shanghai"),
        ("TargetZoneIds.0", SHANGHAI),
    ];
    let reply = caller.ok(SYNC, &params).await;
    let copy = copies(&reply).remove(0);
    let result = json!({"RetCode": 0, "Message": "", "CompShareImageId": copy, "ZoneId": 8200});
    let action = "SyncCompShareCustomImageResponse";
    assert_eq!(reply, json!({"Action": action, "RetCode": 0, "SuccessCount": 1, "Results": [result]}));
    let image = caller.image(&copy).await;
    assert_eq!((&image["Name"], &image["Description"]), (&json!("there"), &json!("in Shanghai")));
    assert_eq!((&image["Zone"], &image["Status"]), (&json!("cn-sh2-02"), &json!("Available")));
    assert_eq!(image["ImageSupportZone"], json!([{"Zone": "cn-sh2-02", "ZoneId": 8200}]));
    let listed = caller.images(&[("Zone", "cn-sh2-02")]).await;
    assert_eq!((listed.len(), &listed[0]["CompShareImageId"]), (1, &json!(copy)));
    assert_eq!(caller.images(&[("Zone", "cn-wlcb-01")]).await.len(), 1);
}

#[tokio::test]
async fn each_zone_has_its_own_result() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("env", NOW), ("taken-cn-bj2-03", NOW)]).await;
    let zones = [
        ("TargetZoneIds.0", SHANGHAI),
        ("TargetZoneIds.1", "77"),
        ("TargetZoneIds.2", OWN),
        ("TargetZoneIds.3", BEIJING),
    ];
    let named = [("SourceCompShareImageId", "env"), ("TargetImageName", "taken")];
    let reply = caller.ok(SYNC, &[&named[..], &zones].concat()).await;
    assert_eq!(reply["SuccessCount"], 1);
    let no_zone = "Params [TargetZoneIds] not available";
    let no_name = "Params [TargetImageName] not available";
    let summary = |result: &Value| {
        (result["ZoneId"].as_i64().unwrap(), result["RetCode"].as_i64().unwrap(), result["Message"].clone())
    };
    let results: Vec<_> = reply["Results"].as_array().unwrap().iter().map(summary).collect();
    let expected = [
        (8200, 0, json!("")),
        (77, 230, json!(no_zone)),
        (10027, 230, json!(no_zone)),
        (5001, 230, json!(no_name)),
    ];
    assert_eq!(results, expected);
    let ids = copies(&reply);
    assert_eq!(ids[1..], ["", "", ""]);
    assert_eq!(caller.image(&ids[0]).await["Name"], "taken-cn-sh2-02");

    // Without a name, copies are named after the image.
    let unnamed = [&named[..1], &[zones[0], zones[3]]].concat();
    let reply = caller.ok(SYNC, &unnamed).await;
    assert_eq!(reply["SuccessCount"], 2);
    assert_eq!(caller.image(&copies(&reply)[0]).await["Name"], "env-cn-sh2-02");
    assert_eq!(caller.image(&copies(&reply)[1]).await["Name"], "env-cn-bj2-03");
    let before = caller.everything().await;
    // A repeat within a minute gets the same answer. Later, the names are taken.
    assert_eq!(caller.ok(SYNC, &unnamed).await["Results"], reply["Results"]);
    assert_eq!(caller.everything().await, before);
    service.clock.set(NOW + 60);
    let again = caller.ok(SYNC, &unnamed).await;
    assert_eq!((&again["SuccessCount"], &again["Results"][1]["Message"]), (&json!(0), &json!(no_name)));
    assert_eq!(caller.everything().await, before);
}

#[tokio::test]
async fn zone_ids_are_accepted_as_a_json_list() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW)]).await;
    let params = [("SourceCompShareImageId", "image-1"), ("TargetZoneIds", "[8200, 5001]")];
    assert_eq!(caller.ok(SYNC, &params).await["SuccessCount"], 2);
}

#[tokio::test]
async fn refusals_follow_the_documented_order() {
    let service = Service::start().await;
    let caller = service.caller();
    let missing = "Missing params [SourceCompShareImageId]";
    caller.assert_refused(SYNC, &[("Region", "moon")], 210, missing).await;
    let unknown = [("SourceCompShareImageId", "image-none"), ("TargetZoneIds.0", SHANGHAI)];
    let bad_name = [&unknown[..1], &[("TargetImageName", "a b")]].concat();
    caller.assert_refused(SYNC, &bad_name, 230, "Params [TargetImageName] not available").await;
    caller.assert_refused(SYNC, &unknown[..1], 210, "Missing params [TargetZoneIds]").await;
    let bad_zone = [&unknown[..1], &[("TargetZoneIds.0", "cn-sh2-02")]].concat();
    caller.assert_refused(SYNC, &bad_zone, 230, "Params [TargetZoneIds] not available").await;
    let long = "d".repeat(1001);
    let bad_description = [&unknown[..], &[("TargetImageDescription", &*long)]].concat();
    let message = "Params [TargetImageDescription] not available";
    caller.assert_refused(SYNC, &bad_description, 230, message).await;
    caller.assert_place_is_checked(SYNC, &unknown).await;
    caller.assert_refused(SYNC, &unknown, 8039, "Resource not exist [image-none]").await;
    let making = caller.create(INSTANCE, "making").await;
    let params = [("SourceCompShareImageId", &*making), ("TargetZoneIds.0", SHANGHAI)];
    caller.assert_refused(SYNC, &params, 8017, &format!("Image [{making}] is not available")).await;
}

#[tokio::test]
async fn strict_mode_requires_no_place() {
    let service = Service::strict().await;
    service.add_images(&[("image-1", NOW)]).await;
    let params = [("SourceCompShareImageId", "image-1"), ("TargetZoneIds.0", SHANGHAI)];
    assert_eq!(service.caller().ok(SYNC, &params).await["SuccessCount"], 1);
}
