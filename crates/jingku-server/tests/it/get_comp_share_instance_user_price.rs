use jingku_protocol::actions::Action;

use crate::get_comp_share_instance_price::{assert_priced, assert_refused};
use crate::support::Service;

const PRICE: Action = Action::GetCompShareInstanceUserPrice;

#[tokio::test]
async fn the_price_of_an_account_is_the_price() {
    let service = Service::with_gpus().await;
    assert_priced(&service.caller(), PRICE).await;
    let params = [("GpuType", "P40"), ("Gpu", "1")];
    let of_all = service.caller().ok(Action::GetCompShareInstancePrice, &params).await;
    assert_eq!(service.caller().ok(PRICE, &params).await["PriceDetail"], of_all["PriceDetails"]);
}

#[tokio::test]
async fn what_is_not_offered_has_no_price() {
    assert_refused(&Service::with_gpus().await.caller(), PRICE).await;
}

#[tokio::test]
async fn strict_mode_requires_region_and_zone() {
    let place = [("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")];
    Service::strict().await.caller().assert_required(PRICE, &[("GpuType", "CPU")], &place).await;
}
