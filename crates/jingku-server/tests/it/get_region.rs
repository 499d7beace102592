use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::Service;

#[tokio::test]
async fn every_zone_is_an_entry_and_one_is_the_default() {
    let service = Service::strict().await;
    let caller = service.caller();
    let reply = caller.ok(Action::GetRegion, &[]).await;
    let entry = |region, zone, region_id, name, is_default| {
        json!({
            "Region": region, "Zone": zone, "RegionId": region_id, "RegionName": name, "IsDefault": is_default,
            "BitMaps": "1",
        })
    };
    let expected = json!([
        entry("cn-wlcb", "cn-wlcb-01", 1_000_018, "华北二", true),
        entry("cn-sh2", "cn-sh2-02", 1_000_009, "上海二", false),
        entry("cn-bj2", "cn-bj2-03", 1_000_001, "北京二", false),
    ]);
    assert_eq!(reply["Regions"], expected);
    let foreign = caller.refusal(Action::GetRegion, &[("ProjectId", "org-other")]).await;
    assert_eq!(foreign, (292, "Project [org-other] not exists".to_owned()));
}
