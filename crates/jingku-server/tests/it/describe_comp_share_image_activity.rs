use jingku_protocol::actions::Action;
use serde_json::{Value, json};

use crate::support::{Caller, INSTANCE, NOW, PUBLIC_KEY, Service};

const ACTIVITY: Action = Action::DescribeCompShareImageActivity;
const TERMINATE: Action = Action::TerminateCompShareCustomImage;

async fn listed(caller: &Caller, params: &[(&str, &str)]) -> Vec<Value> {
    caller.ok(ACTIVITY, params).await["ActivitySet"].as_array().unwrap().clone()
}

fn names(activities: &[Value]) -> Vec<&str> {
    activities.iter().map(|activity| activity["Activity"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_account_sees_what_it_changed_and_was_refused() {
    let service = Service::start().await;
    let caller = service.caller();
    let id = caller.create(INSTANCE, "env").await;
    let reply = caller.call(TERMINATE, &[("CompShareImageId", "image-none")]).await;
    let request_id = reply.headers["x-ucloud-request-uuid"].to_str().unwrap();
    let reply = caller.ok(ACTIVITY, &[("Limit", "2")]).await;
    assert_eq!(
        reply["ActivitySet"][0],
        json!({
            "Time": NOW, "Activity": TERMINATE.name(), "ResourceId": "image-none", "Result": 8039,
            "Channel": "api", "PublicKey": PUBLIC_KEY, "Address": "", "RequestId": request_id,
        })
    );
    assert_eq!(reply["ActivitySet"][1]["ResourceId"], id);
    // Reading has left nothing.
    assert_eq!(caller.ok(ACTIVITY, &[("Limit", "2")]).await, reply);
}

#[tokio::test]
async fn activity_is_filtered_and_paged() {
    let service = Service::start().await;
    let caller = service.caller();
    service.add_images(&[("image-1", NOW), ("image-2", NOW)]).await;
    for (id, name) in [("image-1", "a"), ("image-2", "b"), ("image-1", "c")] {
        caller.ok(Action::UpdateCompShareImage, &[("CompShareImageId", id), ("Name", name)]).await;
    }
    caller.ok(TERMINATE, &[("CompShareImageId", "image-1")]).await;
    let of_image = [("CompShareImageId", "image-1")];
    let expected = [TERMINATE.name(), "UpdateCompShareImage", "UpdateCompShareImage"];
    assert_eq!(names(&listed(&caller, &of_image).await), expected);
    let both = [of_image[0], ("Activity", "UpdateCompShareImage")];
    let first = caller.ok(ACTIVITY, &[both[0], both[1], ("Limit", "1")]).await;
    assert_eq!((&first["TotalCount"], first["ActivitySet"].as_array().unwrap().len()), (&json!(2), 1));
    let token = first["NextToken"].as_str().unwrap();
    let second = caller.ok(ACTIVITY, &[both[0], both[1], ("NextToken", token)]).await;
    assert_eq!(
        (names(second["ActivitySet"].as_array().unwrap()), &second["NextToken"]),
        (vec!["UpdateCompShareImage"], &json!(""))
    );
    assert_eq!(listed(&caller, &[("Activity", "Nothing")]).await, Vec::<Value>::new());
    caller.assert_place_is_checked(ACTIVITY, &[]).await;
    caller.assert_refused(ACTIVITY, &[("Limit", "101")], 230, "Params [Limit] not available").await;
    caller.assert_refused(ACTIVITY, &[("NextToken", "x")], 230, "Params [NextToken] not available").await;
}

/// Also of an image that is shared, and of attempts on images of others.
#[tokio::test]
async fn an_account_never_sees_entries_of_others() {
    let service = Service::start().await;
    let (owner, (id, stranger)) = (service.caller(), service.stranger().await);
    service.add_images(&[("image-1", NOW)]).await;
    owner.share("image-1", &[id]).await;
    owner.ok(Action::UpdateCompShareImage, &[("CompShareImageId", "image-1"), ("Name", "secret")]).await;
    stranger.refusal(TERMINATE, &[("CompShareImageId", "image-1")]).await;
    let of_stranger = listed(&stranger, &[]).await;
    assert_eq!(names(&of_stranger), [TERMINATE.name(), "key create"]);
    assert_eq!(listed(&stranger, &[("CompShareImageId", "image-1")]).await, of_stranger[..1]);
    let of_owner = listed(&owner, &[("CompShareImageId", "image-1")]).await;
    assert_eq!(names(&of_owner), ["UpdateCompShareImage", "ModifyCompShareImageShareAccount"]);
    // What the operator does with an image is shown to its owner.
    owner.ok(TERMINATE, &[("CompShareImageId", "image-1")]).await;
    service.context.library.restore_image("image-1", None).await.unwrap();
    let newest = &listed(&owner, &[]).await[0];
    assert_eq!((&newest["Activity"], &newest["Channel"]), (&json!("trash restore"), &json!("command")));
    assert_eq!(listed(&stranger, &[]).await, of_stranger);
}
