use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{INSTANCE, Service};

const REFUND: Action = Action::GetCompShareRefundPrice;

#[tokio::test]
async fn nothing_is_paid_back() {
    let service = Service::start().await;
    let caller = service.caller();
    let reply = caller.ok(REFUND, &[("UHostIds.0", "none"), ("UHostIds.1", INSTANCE)]).await;
    let missing = "Resource not exist [none]";
    assert_eq!(
        reply["RefundPriceSet"],
        json!([
            { "UHostId": "none", "Code": 8039, "Message": missing, "ErrMessage": missing, "RefundPrice": 0.0 },
            { "UHostId": INSTANCE, "Code": 0, "Message": "", "ErrMessage": "", "RefundPrice": 0.0 },
        ])
    );
    assert!(reply["RefundPriceSet"][1]["RefundPrice"].is_f64());
}

#[tokio::test]
async fn refusals_have_code_and_message() {
    let service = Service::start().await;
    let caller = service.caller();
    caller.assert_refused(REFUND, &[], 210, "Missing params [UHostIds]").await;
    let ids: Vec<_> = (0..101).map(|index| (format!("UHostIds.{index}"), "x")).collect();
    let ids: Vec<_> = ids.iter().map(|(name, id)| (name.as_str(), *id)).collect();
    caller.assert_refused(REFUND, &ids, 230, "Params [UHostIds] not available").await;
    caller.assert_place_is_checked(REFUND, &[("UHostIds.0", INSTANCE)]).await;
}

#[tokio::test]
async fn strict_mode_requires_region_and_zone() {
    let place = [("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")];
    Service::strict().await.caller().assert_required(REFUND, &[("UHostIds.0", INSTANCE)], &place).await;
}
