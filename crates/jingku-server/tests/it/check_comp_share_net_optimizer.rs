use jingku_protocol::actions::Action;

use crate::support::Service;

const CHECK: Action = Action::CheckCompShareNetOptimizer;

#[tokio::test]
async fn there_is_no_accelerator() {
    let caller = Service::start().await.caller();
    assert_eq!(caller.ok(CHECK, &[("Region", "cn-wlcb")]).await["Optimized"], false);
    caller.assert_project_is_checked(CHECK, &[]).await;
}

#[tokio::test]
async fn strict_mode_requires_region_and_zone() {
    let place = [("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")];
    Service::strict().await.caller().assert_required(CHECK, &[], &place).await;
}
