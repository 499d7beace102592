use jingku_library::{Config, Zone};
use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::Service;

const ZONES: Action = Action::DescribeCompShareSupportZone;

#[tokio::test]
async fn the_zones_of_the_real_service_are_listed() {
    let service = Service::start().await;
    let caller = service.caller();
    let reply = caller.ok(ZONES, &[]).await;
    let zone = |region, zone, region_id, zone_id, describe| {
        json!({
            "Region": region, "Zone": zone, "RegionId": region_id, "ZoneId": zone_id, "Describe": describe,
            "IsPod": false,
        })
    };
    let expected = json!([
        zone("cn-wlcb", "cn-wlcb-01", 1_000_018, 10027, "华北二"),
        zone("cn-sh2", "cn-sh2-02", 1_000_009, 8200, "上海二"),
        zone("cn-bj2", "cn-bj2-03", 1_000_001, 5001, "北京二"),
    ]);
    assert_eq!(reply["ZoneInfo"], expected);
    caller.assert_project_is_checked(ZONES, &[]).await;
}

#[tokio::test]
async fn configured_zones_replace_the_defaults() {
    let mut config = Config::default();
    config.zones.push(Zone {
        region: "lab".into(),
        zone: "lab-1".into(),
        region_id: 1,
        zone_id: 11,
        name: "实验室".into(),
    });
    let service = Service::with(config).await;
    let reply = service.caller().ok(ZONES, &[]).await;
    let zone = json!({
        "Region": "lab", "Zone": "lab-1", "RegionId": 1, "ZoneId": 11, "Describe": "实验室", "IsPod": false,
    });
    assert_eq!(reply["ZoneInfo"], json!([zone]));
}

#[tokio::test]
async fn strict_mode_requires_a_region() {
    Service::strict().await.caller().assert_required(ZONES, &[], &[("Region", "cn-wlcb")]).await;
}
