use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::Service;

const MODELS: Action = Action::DescribeModelRepositoryModels;

#[tokio::test]
async fn there_are_no_models() {
    let caller = Service::start().await.caller();
    // The official CLI spells the filters in small letters, the SDKs do not.
    for params in [vec![], vec![("Name", "llama"), ("Tags", "AI,Model")], vec![("name", "llama")]] {
        assert_eq!(caller.ok(MODELS, &params).await["Models"], json!([]));
    }
    caller.assert_refused(MODELS, &[("Name.0", "x")], 230, "Params [Name] not available").await;
    caller.assert_project_is_checked(MODELS, &[]).await;
}

#[tokio::test]
async fn strict_mode_requires_region_and_zone() {
    let place = [("Region", "cn-wlcb"), ("Zone", "cn-wlcb-01")];
    Service::strict().await.caller().assert_required(MODELS, &[], &place).await;
}
