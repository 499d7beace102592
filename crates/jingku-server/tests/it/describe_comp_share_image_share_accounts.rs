use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{INSTANCE, NOW, Service};

const SHARES: Action = Action::DescribeCompShareImageShareAccounts;

#[tokio::test]
async fn accounts_are_listed_in_order_of_sharing_with_ids_as_text() {
    let service = Service::start().await;
    let owner = service.caller();
    let (first, _) = service.account("第一").await;
    let (second, _) = service.account("second").await;
    service.add_images(&[("image-1", NOW)]).await;
    let params = [("CompShareImageId", "image-1")];
    let action = "DescribeCompShareImageShareAccountsResponse";
    assert_eq!(owner.ok(SHARES, &params).await, json!({"Action": action, "RetCode": 0, "AccountSet": []}));
    owner.share("image-1", &[second]).await;
    service.clock.set(NOW + 1);
    owner.share("image-1", &[first]).await;
    let expected = json!([
        {"AccountName": "second", "AccountId": second.to_string()},
        {"AccountName": "第一", "AccountId": first.to_string()},
    ]);
    assert_eq!(owner.ok(SHARES, &params).await["AccountSet"], expected);
    owner.unshare("image-1", &[second]).await;
    assert_eq!(owner.ok(SHARES, &params).await["AccountSet"], json!([expected[1]]));
}

#[tokio::test]
async fn an_image_being_made_has_no_shares() {
    let service = Service::start().await;
    let owner = service.caller();
    let making = owner.create(INSTANCE, "making").await;
    assert_eq!(owner.ok(SHARES, &[("CompShareImageId", &making)]).await["AccountSet"], json!([]));
}

#[tokio::test]
async fn refusals_follow_the_documented_order() {
    let service = Service::start().await;
    let (owner, (theirs, receiver)) = (service.caller(), service.stranger().await);
    service.add_images(&[("image-1", NOW)]).await;
    owner.assert_refused(SHARES, &[("Region", "moon")], 210, "Missing params [CompShareImageId]").await;
    let unknown = [("CompShareImageId", "image-none")];
    owner.assert_place_is_checked(SHARES, &unknown).await;
    owner.assert_refused(SHARES, &unknown, 8039, "Resource not exist [image-none]").await;
    // A receiver must not see who else has access.
    owner.share("image-1", &[theirs]).await;
    let shared = [("CompShareImageId", "image-1")];
    receiver.assert_refused(SHARES, &shared, 8039, "Resource not exist [image-1]").await;
}

#[tokio::test]
async fn strict_mode_requires_a_region() {
    let service = Service::strict().await;
    service.add_images(&[("image-1", NOW)]).await;
    let params = [("CompShareImageId", "image-1")];
    service.caller().assert_required(SHARES, &params, &[("Region", "cn-wlcb")]).await;
}
