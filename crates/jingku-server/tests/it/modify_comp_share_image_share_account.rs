use jingku_catalog::{AccountId, Scope, ShareChanges, ShareImage};
use jingku_library::SHARES_MAX;
use jingku_protocol::actions::Action;
use serde_json::json;

use crate::support::{INSTANCE, NOW, Service};

const SHARE: Action = Action::ModifyCompShareImageShareAccount;
const SHARING: Action = Action::DescribeCompShareSharingImages;

#[tokio::test]
async fn sharing_and_unsharing_take_effect_at_once() {
    let service = Service::start().await;
    let (owner, (theirs, receiver)) = (service.caller(), service.stranger().await);
    service.add_images(&[("image-1", NOW)]).await;
    let number = theirs.to_string();
    let add = [("CompShareImageId", "image-1"), ("AddAccounts.0", &*number)];
    for _twice in 0..2 {
        let reply = owner.ok(SHARE, &add).await;
        let action = "ModifyCompShareImageShareAccountResponse";
        assert_eq!(reply, json!({"Action": action, "RetCode": 0, "InvalidAccounts": []}));
        assert_eq!(receiver.ids(SHARING, &[]).await, ["image-1"]);
    }
    let remove = [("CompShareImageId", "image-1"), ("RemoveAccounts.0", &*number)];
    for _twice in 0..2 {
        assert_eq!(owner.ok(SHARE, &remove).await["InvalidAccounts"], json!([]));
        assert!(receiver.ids(SHARING, &[]).await.is_empty());
    }
}

#[tokio::test]
async fn one_call_can_add_and_remove_unless_an_account_is_invalid() {
    let service = Service::start().await;
    let owner = service.caller();
    let (first, _) = service.account("first").await;
    let (second, receiver) = service.account("second").await;
    service.add_images(&[("image-1", NOW)]).await;
    owner.share("image-1", &[first]).await;
    let (first, second) = (first.to_string(), second.to_string());
    let swap = [("AddAccounts.0", &*second), ("RemoveAccounts.0", &*first)];
    // The caller, the platform and unknown accounts, in either list.
    for (bad, number) in [("1", 1), ("0", 0), ("99", 99), ("-7", -7)] {
        for list in ["AddAccounts.1", "RemoveAccounts.1"] {
            let params = [&[("CompShareImageId", "image-1"), (list, bad)], &swap[..]].concat();
            assert_eq!(owner.ok(SHARE, &params).await["InvalidAccounts"], json!([number]), "{list} {bad}");
            assert!(receiver.ids(SHARING, &[]).await.is_empty());
        }
    }
    let reply = owner.ok(SHARE, &[&[("CompShareImageId", "image-1")], &swap[..]].concat()).await;
    assert_eq!(reply["InvalidAccounts"], json!([]));
    assert_eq!(receiver.ids(SHARING, &[]).await, ["image-1"]);
}

#[tokio::test]
async fn refusals_follow_the_documented_order() {
    let service = Service::start().await;
    let (owner, (theirs, receiver)) = (service.caller(), service.stranger().await);
    service.add_images(&[("image-1", NOW)]).await;
    let number = theirs.to_string();
    owner.assert_refused(SHARE, &[("Region", "moon")], 210, "Missing params [CompShareImageId]").await;
    let nobody = [("CompShareImageId", "image-none"), ("Region", "moon")];
    owner.assert_refused(SHARE, &nobody, 210, "Missing params [AddAccounts|RemoveAccounts]").await;
    let bad = [("CompShareImageId", "image-none"), ("AddAccounts.0", "lab")];
    owner.assert_refused(SHARE, &bad, 230, "Params [AddAccounts] not available").await;
    let names: Vec<_> = (0..11).map(|index| format!("RemoveAccounts.{index}")).collect();
    let numbers: Vec<_> = (0..11).map(|number| number.to_string()).collect();
    let mut many: Vec<_> = names.iter().zip(&numbers).map(|(name, number)| (&**name, &**number)).collect();
    many.push(("CompShareImageId", "image-1"));
    owner.assert_refused(SHARE, &many, 230, "Params [RemoveAccounts] not available").await;
    let params = [("CompShareImageId", "image-none"), ("AddAccounts.0", &*number)];
    owner.assert_place_is_checked(SHARE, &params).await;
    let both = [&params[..], &[("RemoveAccounts.0", &*number)]].concat();
    owner.assert_refused(SHARE, &both, 230, "Params [RemoveAccounts] not available").await;
    owner.assert_refused(SHARE, &params, 8039, "Resource not exist [image-none]").await;

    let making = owner.create(INSTANCE, "making").await;
    let params = [("CompShareImageId", &*making), ("AddAccounts.0", "99")];
    owner.assert_refused(SHARE, &params, 8017, &format!("Image [{making}] is not available")).await;

    owner.share("image-1", &[theirs]).await;
    let message = "Image [image-1] is shared with this account and cannot be shared on";
    for list in ["AddAccounts.0", "RemoveAccounts.0"] {
        let params = [("CompShareImageId", "image-1"), (list, &*number)];
        receiver.assert_refused(SHARE, &params, 8350, message).await;
    }
    // The receiver cannot change or copy the image either.
    for action in [
        Action::TerminateCompShareCustomImage,
        Action::UpdateCompShareImage,
        Action::CopyCompShareCustomImage,
        Action::DescribeCompShareImageShareAccounts,
        Action::GetCompShareImageCreateProgress,
    ] {
        let params = [("CompShareImageId", "image-1"), ("Name", "mine")];
        receiver.assert_refused(action, &params, 8039, "Resource not exist [image-1]").await;
    }
    owner.unshare("image-1", &[theirs]).await;
    let params = [("CompShareImageId", "image-1"), ("AddAccounts.0", "1")];
    receiver.assert_refused(SHARE, &params, 8039, "Resource not exist [image-1]").await;
}

#[tokio::test]
async fn shares_per_image_are_limited() {
    let service = Service::start().await;
    let owner = service.caller();
    service.add_images(&[("image-1", NOW)]).await;
    let catalog = service.catalog().await;
    let mut accounts = Vec::new();
    for number in 0..=SHARES_MAX {
        let (name, project_id) = (format!("account-{number}"), format!("org-{number}"));
        let new = jingku_catalog::NewAccount { name: &name, project_id: &project_id };
        match catalog.create_account(new, NOW).await.unwrap() {
            Some(account) => accounts.push(account.id),
            None => panic!("{name} is taken"),
        }
    }
    let last = accounts.pop().unwrap();
    let all = ShareChanges { add: &accounts, remove: &[], shares_max: SHARES_MAX };
    let shared = catalog.share_image(Scope::own(AccountId(1)), "image-1", all, NOW).await.unwrap();
    assert_eq!(shared, ShareImage::Shared);
    let number = last.0.to_string();
    let params = [("CompShareImageId", "image-1"), ("AddAccounts.0", &*number)];
    owner
        .assert_refused(SHARE, &params, 8095, "Image [image-1] can be shared with 1000 accounts at most")
        .await;
    owner.unshare("image-1", &[accounts[0].0]).await;
    owner.share("image-1", &[last.0]).await;
}

#[tokio::test]
async fn a_deleted_image_is_no_longer_shared() {
    let service = Service::start().await;
    let (owner, (theirs, receiver)) = (service.caller(), service.stranger().await);
    service.add_images(&[("image-1", NOW)]).await;
    owner.share("image-1", &[theirs]).await;
    owner.ok(Action::TerminateCompShareCustomImage, &[("CompShareImageId", "image-1")]).await;
    assert!(receiver.ids(SHARING, &[]).await.is_empty());
}

#[tokio::test]
async fn strict_mode_requires_a_region() {
    let service = Service::strict().await;
    let (theirs, _) = service.stranger().await;
    service.add_images(&[("image-1", NOW)]).await;
    let number = theirs.to_string();
    let params = [("CompShareImageId", "image-1"), ("AddAccounts.0", &*number)];
    service.caller().assert_required(SHARE, &params, &[("Region", "cn-wlcb")]).await;
}
